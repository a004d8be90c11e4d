package dev.loomlet.acceptance.servers;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

class JdkHttpServerTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("com.sun.net.httpserver", HttpServer.class, "java.net.http")
                .with("`server.setExecutor(hub.executor())`");
    }

    @Override
    int serve(boolean tls) throws IOException {
        HttpServer server = tls ? HttpsServer.create() : HttpServer.create();
        if (server instanceof HttpsServer secure) {
            secure.setHttpsConfigurator(new HttpsConfigurator(Certificate.context()));
        }
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(hub().executor());
        server.createContext("/", exchange -> {
            byte[] body;
            try {
                body = answer(exchange.getRequestBody().readAllBytes());
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        closeLater(() -> server.stop(0));
        return server.getAddress().getPort();
    }
}
