package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.broker.BrokerService;
import org.jspecify.annotations.Nullable;

/** A slow call waits for a message that does not come. */
class ActiveMqTest extends ClientOnHub {
    private final AtomicInteger inside = new AtomicInteger();
    private @Nullable Connection connection;

    @Override
    protected Library library() {
        return Library.client("ActiveMQ, JMS", ActiveMQConnectionFactory.class, "its broker");
    }

    @Override
    protected void open() throws Exception {
        BrokerService broker = new BrokerService();
        broker.setPersistent(false);
        broker.setUseJmx(false);
        var connector = broker.addConnector("tcp://127.0.0.1:0");
        broker.start();
        broker.waitUntilStarted();
        closeLater(() -> {
            broker.stop();
            broker.waitUntilStopped();
        });
        Connection made = new ActiveMQConnectionFactory(
                "tcp://127.0.0.1:" + connector.getConnectUri().getPort()).createConnection();
        closeLater(made);
        made.start();
        connection = made;
    }

    @Override
    protected void rightResults() throws Exception {
        try (Session session = Objects.requireNonNull(connection).createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(session.createQueue("words"));
                MessageConsumer consumer = session.createConsumer(session.createQueue("words"))) {
            for (String word : new String[] {"hub", "Łódź 東京", "x".repeat(100_000)}) {
                producer.send(session.createTextMessage(word));
                TextMessage got = (TextMessage) consumer.receive(PATIENCE.toMillis());
                assertThat(got.getText()).isEqualTo(word);
            }
        }
    }

    @Override
    protected void slowCall(int number, Duration latency) throws Exception {
        try (Session session = Objects.requireNonNull(connection).createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageConsumer consumer = session.createConsumer(session.createQueue("empty-" + number))) {
            inside.incrementAndGet();
            try {
                assertThat(consumer.receive(latency.toMillis())).isNull();
            } finally {
                inside.decrementAndGet();
            }
        }
    }

    @Override
    protected int inside() {
        return inside.get();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
