package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import fi.iki.elonen.NanoHTTPD;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/** A thread for each connection, which it lets a program make. */
class NanoHttpdTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("NanoHTTPD", NanoHTTPD.class, "java.net.http")
                .with("an `AsyncRunner` that gives its handlers to `hub.executor()`");
    }

    @Override
    int serve(boolean tls) throws IOException {
        NanoHTTPD server = new NanoHTTPD("127.0.0.1", 0) {
            @Override
            public Response serve(IHTTPSession session) {
                try {
                    int length = Integer.parseInt(session.getHeaders().get("content-length"));
                    byte[] body = answer(session.getInputStream().readNBytes(length));
                    return newFixedLengthResponse(Response.Status.OK, "text/plain", new ByteArrayInputStream(body),
                            body.length);
                } catch (IOException | InterruptedException e) {
                    return newFixedLengthResponse(Response.Status.INTERNAL_ERROR, "text/plain", e.toString());
                }
            }
        };
        server.setAsyncRunner(new NanoHTTPD.DefaultAsyncRunner() {
            @Override
            public void exec(NanoHTTPD.ClientHandler handler) {
                hub().executor().execute(handler);
            }
        });
        if (tls) {
            server.makeSecure(Certificate.context().getServerSocketFactory(), null);
        }
        server.start(NanoHTTPD.SOCKET_READ_TIMEOUT, true);
        closeLater(server::stop);
        return server.getListeningPort();
    }
}
