package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Nats;
import dev.loomlet.acceptance.peers.RealThreads;
import io.nats.client.Connection;
import io.nats.client.Message;
import io.nats.client.Options;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

class NatsTest extends AskingClient {
    private @Nullable Connection connection;

    @Override
    protected Library library() {
        return Library.client("jnats", Connection.class, "NATS")
                .with("none; `Options.Builder.executor(hub.executor())` has its reader, its writer and handlers be"
                        + " greenlets");
    }

    @Override
    protected void open() throws Exception {
        connect(false);
    }

    @Override
    protected void openTls() throws Exception {
        connect(true);
    }

    private void connect(boolean tls) throws Exception {
        Nats peer = closeLater(new Nats(tls));
        answer(peer, tls);
        Options options = options(peer, tls).executor(hub().executor()).build();
        Connection client = closeLater(io.nats.client.Nats.connect(options));
        connection = client;
        client.createDispatcher(message -> {
            seen();
            client.publish(message.getReplyTo(), message.getData());
        }).subscribe("echo");
        client.flush(PATIENCE);
    }

    private static Options.Builder options(Nats peer, boolean tls) throws Exception {
        Options.Builder options = new Options.Builder().server(peer.url()).maxReconnects(0);
        return tls ? options.sslContext(SSLContext.getDefault()) : options;
    }

    /** The other end, on real threads. */
    private void answer(Nats peer, boolean tls) throws Exception {
        Connection answering = closeLater(io.nats.client.Nats.connect(options(peer, tls).build()));
        RealThreads realThreads = closeLater(new RealThreads());
        answering.createDispatcher(message -> realThreads.execute(() -> {
            String answer = answers.to(new String(message.getData(), StandardCharsets.UTF_8));
            answering.publish(message.getReplyTo(), answer.getBytes(StandardCharsets.UTF_8));
        })).subscribe("questions");
        answering.flush(PATIENCE);
    }

    @Override
    String ask(String question) throws InterruptedException {
        return request("questions", question);
    }

    @Override
    protected void rightResults() throws Exception {
        super.rightResults();
        assertThat(request("echo", "to myself")).isEqualTo("to myself");
    }

    private String request(String subject, String text) throws InterruptedException {
        Message reply = Objects.requireNonNull(
                Objects.requireNonNull(connection).request(subject, text.getBytes(StandardCharsets.UTF_8), PATIENCE),
                "no reply");
        return new String(reply.getData(), StandardCharsets.UTF_8);
    }
}
