package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PfxOptions;
import java.util.concurrent.TimeUnit;

/** Its event loops stay real threads; what blocks goes to the hub. */
class VertxTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("Vert.x", Vertx.class, "java.net.http")
                .with("a handler that blocks says `hub.executor().execute(...)` instead of `executeBlocking`");
    }

    @Override
    int serve(boolean tls) throws Exception {
        Vertx vertx = Vertx.vertx();
        closeLater(() -> vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS));
        HttpServerOptions options = new HttpServerOptions().setHost("127.0.0.1").setPort(0);
        if (tls) {
            options.setSsl(true).setKeyCertOptions(new PfxOptions().setPath(Certificate.store().toString())
                    .setPassword(Certificate.PASSWORD).setAlias("peer"));
        }
        HttpServer server = vertx.createHttpServer(options).requestHandler(request -> request.body()
                .onSuccess(body -> hub().executor().execute(() -> {
                    try {
                        request.response().end(Buffer.buffer(answer(body.getBytes())));
                    } catch (Throwable t) {
                        request.response().setStatusCode(500).end();
                    }
                })));
        return server.listen().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS).actualPort();
    }
}
