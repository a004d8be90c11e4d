package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.loomlet.Loomlet;
import dev.loomlet.sync.Event;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EventStreamTest extends ServerTest {

    private static String chunk(Client client) throws Exception {
        int size = Integer.parseInt(client.line(), 16);
        byte[] bytes = client.socket.getInputStream().readNBytes(size);
        client.line();
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }

    @Test
    void eachEventLeavesAtOnce() throws Exception {
        Event more = new Event();
        HttpServer server = serve((request, response) -> {
            try (EventStream events = EventStream.open(response)) {
                events.send("one");
                more.await();
                events.send("two\nlines").send("type", "three").send("7", "type", "four").comment("still here")
                        .retry(Duration.ofSeconds(2));
                assertThatIllegalArgumentException().isThrownBy(() -> events.send("a\nb", "c"));
            }
        }, builder -> builder.gzip(true));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("GET / HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n");
                StringBuilder head = new StringBuilder();
                for (String each; !(each = client.line()).isEmpty();) {
                    head.append(each).append('\n');
                }
                assertThat(head).contains("Content-Type: text/event-stream\n").contains("Cache-Control: no-cache\n");
                assertThat(chunk(client)).isEqualTo("data: one\n\n");
                more.set();
                assertThat(chunk(client)).isEqualTo("data: two\ndata: lines\n\n");
                assertThat(chunk(client)).isEqualTo("event: type\ndata: three\n\n");
                assertThat(chunk(client)).isEqualTo("id: 7\nevent: type\ndata: four\n\n");
                assertThat(chunk(client)).isEqualTo(": still here\n\n");
                assertThat(chunk(client)).isEqualTo("retry: 2000\n\n");
                assertThat(client.line()).isEqualTo("0");
            }
            settle();
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aClientThatIsGoneEndsIt() throws Exception {
        HttpServer server = serve((request, response) -> {
            EventStream events = EventStream.open(response);
            for (;;) {
                events.comment("x");
                Loomlet.sleep(Duration.ofMillis(1));
            }
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/").line();
            }
            assertNobodyIsLeft(server);
            settle();
            assertThat(reported).isEmpty();
        });
    }
}
