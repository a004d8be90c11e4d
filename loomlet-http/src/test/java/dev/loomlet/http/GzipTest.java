package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.http.Client.Answer;
import dev.loomlet.sync.Event;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class GzipTest extends ServerTest {
    private static Answer get(Client client, String target) throws IOException {
        return client.send("GET " + target + " HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n").read();
    }

    private static String unzip(byte[] bytes) throws IOException {
        return new String(new GZIPInputStream(new ByteArrayInputStream(bytes)).readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void wholeAnswersAndStreamsAreCompressed() throws Exception {
        String text = "word ".repeat(20_000);
        HttpServer server = serve((request, response) -> {
            switch (request.target()) {
                case "/whole" -> response.send(text);
                case "/small" -> response.send("small");
                case "/image" -> response.type("image/png").send(text);
                default -> response.type("text/plain").body().write(text.getBytes(StandardCharsets.UTF_8));
            }
        }, builder -> builder.gzip(true));
        run(() -> {
            try (Client client = new Client(server)) {
                Answer whole = get(client, "/whole");
                assertThat(unzip(whole.body())).isEqualTo(text);
                assertThat(whole.header("Content-Length")).isEqualTo("" + whole.body().length);
                assertThat(unzip(get(client, "/stream").body())).isEqualTo(text);
                assertThat(get(client, "/small").text()).isEqualTo("small");
                assertThat(get(client, "/image").text()).isEqualTo(text);
                Answer plain = client.get("/whole").read();
                assertThat(plain.text()).isEqualTo(text);
                assertThat(plain.header("Vary")).isEqualTo("Accept-Encoding");
            }
        });
    }

    @Test
    void aCompressedStreamCanBeReadAsItIsFlushed() throws Exception {
        Event more = new Event();
        HttpServer server = serve((request, response) -> {
            try (OutputStream out = response.type("text/plain").body()) {
                out.write("first".getBytes(StandardCharsets.UTF_8));
                out.flush();
                more.await();
                out.write("second".getBytes(StandardCharsets.UTF_8));
            }
        }, builder -> builder.gzip(true));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
                while (!client.line().isEmpty()) {
                    // the head
                }
                GZIPInputStream in = new GZIPInputStream(client.socket.getInputStream());
                assertThat(new String(in.readNBytes(5), StandardCharsets.UTF_8)).isEqualTo("first");
                more.set();
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("second");
            }
        });
    }
}
