package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Requests with random mistakes. Whatever comes, the server answers with HTTP or not at all, closes the connection when the
 * client has nothing more to say, reports nothing to anybody, and serves the others.
 *
 * <p>{@code -Dloomlet.fuzz.cases=N}, {@code -Dloomlet.fuzz.seed=N}; a million cases: {@code mvn -Pattack}.
 */
@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class FuzzTest extends ServerTest {
    private static final int CASES = Integer.getInteger("loomlet.fuzz.cases", 4_000);
    private static final long SEED = Long.getLong("loomlet.fuzz.seed", System.nanoTime());
    private static final int CLIENTS = 20;

    private static final List<String> GOOD = List.of(
            "GET / HTTP/1.1\r\nHost: test\r\n\r\n",
            "GET /a/b?c=d&e=%20 HTTP/1.1\r\nHost: test:80\r\nAccept: */*\r\nUser-Agent: fuzz\r\nCookie: a=b; c=d\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello world",
            "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: yes\r\n\r\n",
            "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n",
            "GET http://test/x HTTP/1.1\r\nHost: test\r\n\r\n",
            "PUT /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET /socket HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u0081\u0083\u0001\u0002\u0003\u0004abc");

    private static final List<String> PIECES =
            List.of("\r\n", "\n", "\r", " ", "\t", ":", "\0", "\u007f", "\u00ff", "%", "%2e",
                    "Content-Length: 5\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n",
                    "Host: other\r\n", "0\r\n\r\n",
                    "ffffffff\r\n", "HTTP/1.1", "HTTP/9.9", "GET ", "\r\n\r\n", ",", ";", "\"", "Connection: close\r\n",
                    "..", "*");

    private static String mutate(Random random) {
        StringBuilder text = new StringBuilder();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            text.append(GOOD.get(random.nextInt(GOOD.size())));
        }
        for (int n = random.nextInt(5); n > 0; n--) {
            if (text.isEmpty()) {
                text.append('G');
            }
            int at = random.nextInt(text.length());
            switch (random.nextInt(6)) {
                case 0 -> text.setCharAt(at, (char) random.nextInt(256));
                case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(10)));
                case 3 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(60))));
                case 4 -> text.setLength(Math.max(1, at));
                default -> text.insert(at, String.valueOf((char) random.nextInt(256)).repeat(random.nextInt(300)));
            }
        }
        return text.isEmpty() ? "\n" : text.toString();
    }

    private static void attack(HttpServer server, String text, Random random) throws Exception {
        byte[] answer;
        try (Client client = new Client(server)) {
            int cut = random.nextInt(4) == 0 ? random.nextInt(text.length()) : 0;
            try {
                client.send(text.substring(0, cut));
                if (cut > 0) {
                    Loomlet.yieldNow();
                }
                client.send(text.substring(cut));
                client.socket.shutdownOutput();
                client.socket.setSoTimeout(20_000);
                answer = client.readAll();
            } catch (SocketException e) {
                return; // disconnected while it was talking
            }
        }
        String answered = new String(answer, StandardCharsets.ISO_8859_1);
        assertThat(answered).matches("(?s)(HTTP/1\\.1 [1-5]\\d\\d [A-Za-z ()-]*\r\n.*)?");
    }

    @Test
    @Timeout(1200)
    void whateverComesTheServerGoesOn() throws Exception {
        System.out.println("FuzzTest: -Dloomlet.fuzz.seed=" + SEED + " -Dloomlet.fuzz.cases=" + CASES);
        HttpHandler socket = WebSocket.handler(each -> {
            while (each.receive().isPresent()) {
                each.send("x");
            }
        });
        HttpServer server = serve((request, response) -> {
            request.parameters();
            request.path();
            switch (request.rawPath()) {
                case "/echo" -> request.body().transferTo(response.body());
                case "/socket" -> socket.handle(request, response);
                default -> response.send(request.target());
            }
        }, builder -> builder.headTimeout(Duration.ofSeconds(10)));
        run(() -> {
            List<Greenlet<Void>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                Random random = new Random(SEED * 31 + i);
                clients.add(Loomlet.spawn(() -> {
                    for (int n = 0; n < CASES / CLIENTS; n++) {
                        String text = mutate(random);
                        try {
                            attack(server, text, random);
                        } catch (Exception | AssertionError e) {
                            throw new AssertionError("seed " + SEED + ", request "
                                    + text.replace("\r", "\\r").replace("\n", "\\n\n"), e);
                        }
                    }
                }));
            }
            Loomlet.joinAll(clients);
            for (Greenlet<Void> each : clients) {
                each.get();
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
            try (Client client = new Client(server)) {
                assertThat(client.get("/fine").read().text()).isEqualTo("/fine");
            }
        });
    }
}
