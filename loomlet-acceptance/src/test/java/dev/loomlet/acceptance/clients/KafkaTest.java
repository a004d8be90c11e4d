package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.KafkaBroker;
import dev.loomlet.acceptance.peers.Spares;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** A slow call is a poll of a partition to which somebody else sends a record after a while. */
class KafkaTest extends ClientOnHub {
    private final AtomicInteger inside = new AtomicInteger();
    private final AtomicInteger names = new AtomicInteger();
    private @Nullable KafkaBroker peer;
    private final List<Spares<KafkaConsumer<String, String>>> consumers = new ArrayList<>(); // one for each partition
    private @Nullable KafkaProducer<String, String> producer;
    private @Nullable KafkaProducer<String, String> elsewhere;
    private boolean overTls;
    private final ScheduledExecutorService realThreads = Executors.newScheduledThreadPool(4);

    @Override
    protected Library library() {
        return Library.client("kafka-clients", KafkaConsumer.class, "Kafka");
    }

    @Override
    protected void open() throws Exception {
        peer = closeLater(new KafkaBroker());
        closeLater(() -> realThreads.shutdownNow());
        try (Admin admin = Admin.create(settings(false))) {
            admin.createTopics(List.of(new NewTopic("slow", CALLS, (short) 1), new NewTopic("words", 1, (short) 1)))
                    .all().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        elsewhere = closeLater(new KafkaProducer<>(settings(false), new StringSerializer(), new StringSerializer()));
        connect(false);
    }

    @Override
    protected void openTls() {
        connect(true);
    }

    private void connect(boolean tls) {
        producer = closeLater(new KafkaProducer<>(settings(tls), new StringSerializer(), new StringSerializer()));
        consumers.clear();
        for (int i = 0; i < CALLS; i++) {
            TopicPartition partition = new TopicPartition("slow", i);
            consumers.add(closeLater(new Spares<>(() -> {
                KafkaConsumer<String, String> consumer = consumer(tls);
                consumer.assign(List.of(partition));
                consumer.seekToEnd(List.of(partition));
                consumer.position(partition); // asks for the end now, not at the first poll
                return consumer;
            })));
        }
        overTls = tls;
    }

    private KafkaConsumer<String, String> consumer(boolean tls) {
        return new KafkaConsumer<>(settings(tls), new StringDeserializer(), new StringDeserializer());
    }

    private Map<String, Object> settings(boolean tls) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", Objects.requireNonNull(peer).address(tls));
        settings.put("auto.offset.reset", "earliest");
        if (tls) {
            settings.put("security.protocol", "SSL");
            settings.put("ssl.truststore.location", Certificate.store().toString());
            settings.put("ssl.truststore.password", Certificate.PASSWORD);
            settings.put("ssl.truststore.type", "PKCS12");
        }
        return settings;
    }

    @Override
    protected void rightResults() throws Exception {
        String run = "run" + names.incrementAndGet() + "-";
        TopicPartition words = new TopicPartition("words", 0);
        List<String> sent = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            sent.add(run + i);
            Objects.requireNonNull(producer).send(new ProducerRecord<>("words", run + i))
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        List<String> received = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(overTls)) {
            consumer.assign(List.of(words));
            while (received.size() < sent.size()) {
                for (ConsumerRecord<String, String> each : consumer.poll(PATIENCE)) {
                    if (each.value().startsWith(run)) {
                        received.add(each.value());
                    }
                }
            }
        }
        assertThat(received).isEqualTo(sent);
    }

    @Override
    protected void slowCall(int number, Duration latency) throws Exception {
        String value = "at last " + names.incrementAndGet();
        String received = consumers.get(number).use(consumer -> {
            inside.incrementAndGet();
            try {
                realThreads.schedule(() -> Objects.requireNonNull(elsewhere)
                        .send(new ProducerRecord<>("slow", number, "", value)), latency.toMillis(),
                        TimeUnit.MILLISECONDS);
                while (true) {
                    for (ConsumerRecord<String, String> each : consumer.poll(PATIENCE)) {
                        if (each.value().equals(value)) {
                            return each.value();
                        }
                    }
                }
            } finally {
                inside.decrementAndGet();
            }
        });
        assertThat(received).isEqualTo(value);
    }

    @Override
    protected int inside() {
        return inside.get();
    }

    @Override
    protected int held() {
        return consumers.stream().mapToInt(Spares::held).sum();
    }
}
