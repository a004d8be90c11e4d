package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Mosquitto;
import dev.loomlet.acceptance.peers.SlowLine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.jspecify.annotations.Nullable;

/** One connection for all, with threads of the library's own; a slow call is a message that is acknowledged late. */
class PahoTest extends ClientOnHub {
    private @Nullable SlowLine line;
    private @Nullable MqttClient client;

    @Override
    protected Library library() {
        return Library.client("Eclipse Paho, MQTT", MqttClient.class, "Mosquitto");
    }

    @Override
    protected void open() throws Exception {
        Mosquitto peer = closeLater(new Mosquitto());
        line = closeLater(new SlowLine(peer.port()));
        MqttClient made = new MqttClient("tcp://127.0.0.1:" + line.port(), "loomlet", new MemoryPersistence());
        var options = new org.eclipse.paho.client.mqttv3.MqttConnectOptions();
        options.setMaxInflight(100);
        made.connect(options);
        closeLater(() -> {
            Objects.requireNonNull(line).delay(Duration.ZERO);
            made.disconnect(1000);
            made.close(true);
        });
        client = made;
    }

    @Override
    protected void rightResults() throws Exception {
        Objects.requireNonNull(line).delay(Duration.ZERO);
        MqttClient made = Objects.requireNonNull(client);
        LinkedBlockingQueue<String> got = new LinkedBlockingQueue<>();
        made.subscribe("words", 1, (topic, message) -> got
                .add(new String(message.getPayload(), StandardCharsets.UTF_8)));
        for (String word : new String[] {"hub", "Łódź 東京", "x".repeat(100_000)}) {
            made.publish("words", word.getBytes(StandardCharsets.UTF_8), 1, false);
            assertThat(got.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(word);
        }
        made.unsubscribe("words");
    }

    @Override
    protected void slowCall(int number, Duration latency) throws Exception {
        Objects.requireNonNull(line).delay(latency);
        Objects.requireNonNull(client).publish("nobody", new byte[] {(byte) number}, 1, false);
    }

    @Override
    protected int inside() {
        return Objects.requireNonNull(line).inside();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
