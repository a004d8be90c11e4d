package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.http.WebSocket.Message;
import dev.loomlet.http.WebSocket.Text;
import dev.loomlet.net.Sockets;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

@SuppressWarnings({"StringConcatToTextBlock", "ArrayRecordComponent"}) // line ends are CR LF; never compared
class WebSocketTest extends ServerTest {
    private static final String HELLO = Frames.HELLO + "\r\n";

    /** A client that builds its frames by hand. */
    private static Client connect(HttpServer server) throws IOException {
        Client client = new Client(server).send(HELLO);
        assertThat(client.read().headers().first("Sec-WebSocket-Accept")).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        return client;
    }

    private void talk(HttpHandler handler, Asking asking) throws Exception {
        HttpServer server = serve(handler);
        run(() -> {
            try (Client client = connect(server)) {
                asking.ask(client);
            }
        });
    }

    private static Client frame(Client client, int first, byte[] payload) throws IOException {
        client.socket.getOutputStream().write(Frames.frame(first, payload));
        return client;
    }

    private static Client frame(Client client, int first, String payload) throws IOException {
        return frame(client, first, payload.getBytes(StandardCharsets.UTF_8));
    }

    /** What comes, as {@code opcode:payload}; of a close frame the code. */
    private static String next(Client client) throws IOException {
        byte[] head = client.socket.getInputStream().readNBytes(2);
        if (head.length < 2) {
            return "end";
        }
        int length = head[1];
        if (length == 126) {
            length = ByteBuffer.wrap(client.socket.getInputStream().readNBytes(2)).getShort() & 0xffff;
        }
        byte[] payload = client.socket.getInputStream().readNBytes(length);
        int opcode = head[0] & 0x0f;
        return opcode == 8 ? "8:" + (ByteBuffer.wrap(payload).getShort() & 0xffff)
                : opcode + ":" + new String(payload, StandardCharsets.UTF_8);
    }

    @Test
    void carriesMessagesBothWays() throws Exception {
        HttpServer server = serve(Frames.ECHO);
        run(() -> {
            try (Client client = connect(server)) {
                assertThat(next(frame(client, 0x81, "hello é"))).isEqualTo("1:hello é");
                assertThat(next(frame(client, 0x82, "bytes"))).isEqualTo("2:bytes");
                assertThat(next(frame(client, 0x81, ""))).isEqualTo("1:");
                assertThat(next(frame(client, 0x81, "x".repeat(60_000)))).isEqualTo("1:" + "x".repeat(60_000));
                frame(client, 0x88, new byte[] {0x0f, (byte) 0xa0}); // 4000
                assertThat(next(client)).isEqualTo("8:4000");
                assertThat(next(client)).isEqualTo("end");
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aMessageInPartsIsOneWithPingsBetween() throws Exception {
        talk(Frames.ECHO, client -> {
            byte[] cut = "é".getBytes(StandardCharsets.UTF_8);
            frame(client, 0x01, new byte[] {cut[0]});
            assertThat(next(frame(client, 0x89, "ping"))).isEqualTo("10:ping");
            frame(client, 0x00, new byte[] {cut[1], 'a'});
            frame(client, 0x8a, "pong");
            assertThat(next(frame(client, 0x80, "b"))).isEqualTo("1:éab");
        });
    }

    @Test
    void aTimeoutWithinAMessageLosesNothingOfIt() throws Exception {
        assumeTrue(Sockets.fast(), "a timeout at a read closes a socket of the JDK");
        HttpServer server = serve(WebSocket.handler(socket -> {
            for (;;) {
                Optional<Message> next = Loomlet.withTimeout(Duration.ofMillis(10), socket::receive,
                        Optional.of(new Text("late")));
                if (next.isEmpty()) {
                    return;
                }
                socket.send(((Text) next.get()).text());
            }
        }));
        run(() -> {
            try (Client client = connect(server)) {
                frame(client, 0x01, "first, ");
                assertThat(afterLate(frame(client, 0x89, "ping"))).isEqualTo("10:ping");
                assertThat(next(client)).isEqualTo("1:late");
                byte[] second = Frames.frame(0x80, "second");
                client.socket.getOutputStream().write(second, 0, second.length - 2);
                assertThat(next(client)).isEqualTo("1:late");
                client.socket.getOutputStream().write(second, second.length - 2, 2);
                assertThat(afterLate(client)).isEqualTo("1:first, second");
            }
        });
    }

    private static String afterLate(Client client) throws IOException {
        String next;
        do {
            next = next(client);
        } while (next.equals("1:late"));
        return next;
    }

    @Test
    void aFrameThatComesByteByByteIsTaken() throws Exception {
        talk(Frames.ECHO, client -> {
            for (char each : "\u0081\u0083\u0001\u0002\u0003\u0004```".toCharArray()) {
                client.send(String.valueOf(each));
                Loomlet.yieldNow();
            }
            assertThat(next(client)).isEqualTo("1:abc");
        });
    }

    @Test
    void whoBreaksTheProtocolIsToldSoAndDisconnected() throws Exception {
        HttpServer server = serve(WebSocket.handler(socket -> {
            socket.maxMessage(1000);
            while (socket.receive().isPresent()) {
                // until it is over
            }
        }));
        run(() -> {
            record Case(String what, int code, int first, byte[] payload) {}
            for (Case each : List.of(new Case("a reserved bit", 1002, 0xc1, new byte[0]),
                    new Case("no opcode", 1002, 0x83, new byte[0]),
                    new Case("a continuation of nothing", 1002, 0x80, new byte[0]),
                    new Case("a ping in parts", 1002, 0x09, new byte[0]),
                    new Case("a large ping", 1002, 0x89, new byte[126]),
                    new Case("not UTF-8", 1007, 0x81, new byte[] {(byte) 0xc0, (byte) 0xaf}),
                    new Case("half a character", 1007, 0x81, new byte[] {(byte) 0xc3}),
                    new Case("too large", 1009, 0x82, new byte[1001]))) {
                try (Client client = connect(server)) {
                    assertThat(next(frame(client, each.first, each.payload))).as(each.what).isEqualTo("8:" + each.code);
                    assertThat(next(client)).isEqualTo("end");
                }
            }
            try (Client client = connect(server)) {
                frame(frame(client, 0x01, "a"), 0x81, "b");
                assertThat(next(client)).as("a message in another").isEqualTo("8:1002");
            }
            try (Client client = connect(server)) {
                assertThat(next(client.send("\u0081\u0001a"))).as("no mask").isEqualTo("8:1002");
            }
            try (Client client = connect(server)) {
                assertThat(next(client.send("\u0082\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff1234")))
                        .isEqualTo("8:1009");
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aHandshakeThatIsNoneIsRefused() throws Exception {
        HttpServer server = serve(Frames.ECHO);
        run(() -> {
            record Case(String from, String to, int status) {}
            for (Case each : List.of(new Case("Version: 13", "Version: 8", 426),
                    new Case("Upgrade: websocket", "Upgrade: x", 426),
                    new Case("Connection: Upgrade", "Connection: close", 426), new Case("GET", "PUT", 405),
                    new Case("dGhlIHNhbXBsZSBub25jZQ==", "short", 400), new Case("Sec-WebSocket-Key", "X-Key", 400))) {
                try (Client client = new Client(server)) {
                    assertThat(client.send(HELLO.replace(each.from, each.to)).read().status()).as(each.to)
                            .isEqualTo(each.status);
                }
            }
        });
    }

    @Test
    void whenTheHandlerReturnsOrFailsTheClientIsTold() throws Exception {
        HttpServer server = serve(WebSocket.handler(socket -> {
            if (socket.receive().orElseThrow() instanceof Text(String text) && text.equals("fail")) {
                throw new IllegalStateException("broken on purpose");
            }
        }));
        run(() -> {
            try (Client client = connect(server)) {
                assertThat(next(frame(client, 0x81, "return"))).isEqualTo("8:1000");
                frame(client, 0x88, new byte[] {3, (byte) 0xe8});
                assertThat(next(client)).isEqualTo("end");
            }
            try (Client client = connect(server)) {
                assertThat(next(frame(client, 0x81, "fail"))).isEqualTo("8:1011");
                assertThat(next(client)).isEqualTo("end");
            }
            assertNobodyIsLeft(server);
            settle();
            assertThat(reported).singleElement().asString().contains("broken on purpose");
        });
    }

    @Test
    void aSilentClientIsPingedAndThenGivenUp() throws Exception {
        HttpServer server = serve(Frames.ECHO, builder -> builder.idleTimeout(Duration.ofMillis(40)));
        run(() -> {
            try (Client client = connect(server)) {
                assertThat(next(client)).isEqualTo("9:");
                frame(client, 0x8a, "");
                assertThat(next(client)).isEqualTo("9:");
                assertThat(next(client)).isEqualTo("end");
            }
            assertNobodyIsLeft(server);
        });
    }

    @Test
    void manyGreenletsSendToOneSocket() throws Exception {
        HttpServer server = serve(WebSocket.handler(socket -> {
            List<Greenlet<Void>> all = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                String text = String.valueOf((char) ('a' + i)).repeat(30_000);
                all.add(Loomlet.spawn(() -> {
                    for (int n = 0; n < 20; n++) {
                        socket.send(text);
                    }
                }));
            }
            Loomlet.joinAll(all);
        }));
        run(() -> {
            try (Client client = connect(server)) {
                for (int i = 0; i < 200; i++) {
                    String text = next(client);
                    assertThat(text).hasSize(30_002);
                    assertThat(text.chars().skip(2).distinct().count()).isEqualTo(1);
                }
                assertThat(next(client)).isEqualTo("8:1000");
            }
        });
    }

    @Test
    void stopSaysThatItIsGoingAway() throws Exception {
        assumeTrue(Sockets.fast(), "a kill closes a socket of the JDK, and then there is no way to say anything");
        HttpServer server = serve(Frames.ECHO);
        run(() -> {
            try (Client client = connect(server)) {
                assertThat(next(frame(client, 0x81, "a"))).isEqualTo("1:a");
                Greenlet<Void> stop = Loomlet.spawn(() -> server.stop(Duration.ofMillis(10)));
                assertThat(next(client)).isEqualTo("8:1001");
                stop.join();
            }
        });
    }

    @Test
    void theClientOfTheJdkUnderstandsIt() throws Exception {
        HttpServer server = serve(Frames.ECHO);
        run(() -> {
            StringBuilder got = new StringBuilder();
            CompletableFuture<String> echoed = new CompletableFuture<>();
            CompletableFuture<Integer> closed = new CompletableFuture<>();
            try (HttpClient http = HttpClient.newHttpClient()) {
                java.net.http.WebSocket socket = http.newWebSocketBuilder()
                        .buildAsync(URI.create("ws://127.0.0.1:" + server.port() + "/"),
                                new java.net.http.WebSocket.Listener() {
                                    @Override
                                    public CompletionStage<?> onText(java.net.http.WebSocket from, CharSequence data,
                                            boolean last) {
                                        got.append(data);
                                        if (last) {
                                            echoed.complete(got.toString());
                                        }
                                        from.request(1);
                                        return CompletableFuture.completedFuture(null);
                                    }

                                    @Override
                                    public CompletionStage<?> onClose(java.net.http.WebSocket from, int code,
                                            String reason) {
                                        closed.complete(code);
                                        return CompletableFuture.completedFuture(null);
                                    }
                                })
                        .get();
                String text = "é".repeat(100_000);
                socket.sendText(text.substring(0, 10), false).get();
                socket.sendText(text.substring(10), true).get();
                assertThat(echoed.get()).isEqualTo(text);
                socket.sendClose(4001, "enough").get();
                assertThat(closed.get()).isEqualTo(4001);
            }
        });
    }
}
