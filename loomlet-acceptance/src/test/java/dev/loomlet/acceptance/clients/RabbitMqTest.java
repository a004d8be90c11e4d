package dev.loomlet.acceptance.clients;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.StringRpcServer;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.RabbitMq;
import dev.loomlet.acceptance.peers.RealThreads;
import dev.loomlet.acceptance.peers.Spares;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A call sends a message and waits for the one that answers it, on a channel of its own. */
class RabbitMqTest extends AskingClient {
    private static final String QUESTIONS = "questions";
    private static final String REPLIES = "amq.rabbitmq.reply-to";
    private @Nullable RabbitMq peer;
    private @Nullable Spares<Caller> callers;

    /** A channel, and what comes back on it. */
    private record Caller(Channel channel, BlockingQueue<String> replies) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            channel.abort();
        }
    }

    @Override
    protected Library library() {
        return Library.client("RabbitMQ Java client", ConnectionFactory.class, "RabbitMQ").with(
                "`ConnectionFactory.setSharedExecutor(hub.executor())` has consumers run on the hub; `RpcClient` waits"
                        + " uninterruptibly, so a call that is to be killed or timed out waits for its reply itself");
    }

    @Override
    protected void open() throws Exception {
        peer = closeLater(new RabbitMq());
        answer(peer.port(false));
        connect(false);
    }

    @Override
    protected void openTls() throws Exception {
        connect(true);
    }

    private void connect(boolean tls) throws Exception {
        ConnectionFactory factory = factory(Objects.requireNonNull(peer).port(tls));
        if (tls) {
            factory.useSslProtocol(SSLContext.getDefault());
            factory.enableHostnameVerification();
        }
        factory.setSharedExecutor(hub().executor());
        Connection connection = factory.newConnection("greenlets");
        closeLater(connection::abort);
        callers = closeLater(new Spares<>(() -> {
            Channel channel = connection.createChannel();
            BlockingQueue<String> replies = new LinkedBlockingQueue<>();
            channel.basicConsume(REPLIES, true, (tag, message) -> {
                seen();
                replies.add(new String(message.getBody(), StandardCharsets.UTF_8));
            }, tag -> {
                // the channel is closed
            });
            return new Caller(channel, replies);
        }));
    }

    private static ConnectionFactory factory(int port) {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(port);
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    /** The other end: as many services as there are calls at the same time, each on a real thread. */
    private void answer(int port) throws Exception {
        RealThreads realThreads = closeLater(new RealThreads());
        Connection connection = factory(port).newConnection("services");
        closeLater(connection::abort);
        connection.createChannel().queueDeclare(QUESTIONS, false, false, false, null);
        for (int i = 0; i < CALLS + 5; i++) {
            Channel channel = connection.createChannel();
            channel.basicQos(1);
            StringRpcServer service = new StringRpcServer(channel, QUESTIONS) {
                @Override
                public String handleStringCall(String question, BasicProperties properties) {
                    return answers.to(question);
                }
            };
            realThreads.execute(() -> {
                try {
                    service.mainloop();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
        }
    }

    @Override
    String ask(String question) throws Exception {
        return Objects.requireNonNull(callers).use(caller -> {
            caller.channel().basicPublish("", QUESTIONS,
                    new BasicProperties.Builder().replyTo(REPLIES).correlationId("only one").build(),
                    question.getBytes(StandardCharsets.UTF_8));
            return caller.replies().take();
        });
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(callers).held();
    }
}
