package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import io.helidon.common.tls.Tls;
import io.helidon.webserver.WebServerConfig;
import java.util.concurrent.ExecutorService;

/** It makes virtual threads of the JDK's own scheduler and cannot be told otherwise; a handler calls greenlets. */
class HelidonTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("Helidon", io.helidon.webserver.WebServer.class, "java.net.http")
                .with("its threads are the JDK's virtual threads and stay so: a handler says"
                        + " `hub.spawn(() -> ...).get()`");
    }

    @Override
    int serve(boolean tls) {
        ExecutorService greenlets = hub().executor();
        WebServerConfig.Builder config = io.helidon.webserver.WebServer.builder().host("127.0.0.1").port(0)
                .shutdownHook(false).routing(routing -> routing.post("/", (request, response) -> {
                    byte[] question = request.content().as(byte[].class);
                    response.send(greenlets.submit(() -> answer(question)).get());
                }));
        if (tls) {
            config.tls(Tls.builder().sslContext(Certificate.context()).build());
        }
        io.helidon.webserver.WebServer server = config.build().start();
        closeLater(server::stop);
        return server.port();
    }
}
