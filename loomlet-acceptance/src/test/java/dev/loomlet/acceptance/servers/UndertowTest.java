package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import io.undertow.Undertow;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

class UndertowTest extends WebServer {
    @Override
    protected Library library() {
        return Library.server("Undertow", Undertow.class, "java.net.http")
                .with("`exchange.dispatch(hub.executor(), ...)`");
    }

    @Override
    int serve(boolean tls) {
        Undertow.Builder builder = Undertow.builder().setHandler(exchange -> exchange.dispatch(hub().executor(), () -> {
            exchange.startBlocking();
            try {
                byte[] answer = answer(exchange.getInputStream().readAllBytes());
                exchange.getResponseSender().send(ByteBuffer.wrap(answer));
            } catch (Exception e) {
                exchange.setStatusCode(500);
                exchange.endExchange();
            }
        }));
        if (tls) {
            builder.addHttpsListener(0, "127.0.0.1", Certificate.context());
        } else {
            builder.addHttpListener(0, "127.0.0.1");
        }
        Undertow server = builder.build();
        server.start();
        closeLater(server::stop);
        return ((InetSocketAddress) server.getListenerInfo().getFirst().getAddress()).getPort();
    }
}
