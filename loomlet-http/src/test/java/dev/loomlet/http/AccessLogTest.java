package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class AccessLogTest extends ServerTest {
    private static final HttpHandler HANDLER = (request, response) -> {
        if (request.target().equals("/bad")) {
            throw new HttpException(404, "no");
        }
        response.send(request.target().equals("/none") ? "" : "Hello");
    };

    @Test
    void writesTheCommonFormat(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("access.log");
        AccessLog log = AccessLog.common(file);
        HttpServer server = serve(HANDLER, builder -> builder.accessLog(log));
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/a?b").read();
                client.get("/none").read();
                client.get("/bad").read();
                client.send("GET / HTTP/1.1\r\n\r\n").read();
            }
            try (Client client = new Client(server)) {
                client.send("nonsense\r\n\r\n").read();
            }
            assertNobodyIsLeft(server);
            log.close();
        });
        String start = "127.0.0.1 - - [";
        assertThat(Files.readAllLines(file)).hasSize(5).allMatch(each -> each.startsWith(start));
        assertThat(Files.readAllLines(file).stream().map(each -> each.substring(each.indexOf(']')))).containsExactly(
                "] \"GET /a?b HTTP/1.1\" 200 5",
                "] \"GET /none HTTP/1.1\" 200 -",
                "] \"GET /bad HTTP/1.1\" 404 3",
                "] \"GET / HTTP/1.1\" 400 8",
                "] \"-\" 400 " + Files.readAllLines(file).getLast().replaceAll(".* ", ""));
        assertThat(Files.readString(file))
                .containsPattern("\\[\\d\\d/\\w{3}/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}\\]");
    }

    @Test
    void writesTheCombinedFormatAndNobodyCanForgeALine() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        AccessLog log = AccessLog.combined(out);
        HttpServer server = serve(HANDLER, builder -> builder.accessLog(log));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send(
                        "GET /\" HTTP/1.1\r\nHost: test\r\nReferer: https://example.com/\r\nUser-Agent: a\"b\\c\u00e9\r\n\r\n")
                        .read();
                client.get("/").read();
            }
            assertNobodyIsLeft(server);
            log.close();
        });
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst())
                .endsWith("\"GET /\\\" HTTP/1.1\" 200 5 \"https://example.com/\" \"a\\\"b\\\\c\\xc3\\xa9\"");
        assertThat(lines.getLast()).endsWith("\"GET / HTTP/1.1\" 200 5 \"-\" \"-\"");
    }
}
