package dev.loomlet.http;

import static dev.loomlet.http.Frames.frame;
import static dev.loomlet.http.Frames.masked;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.Test;

/** RFC 6455 and RFC 7692 in tables: frames, byte for byte, and what an echoing server must send back. */
@SuppressWarnings({"StringConcatToTextBlock", "ArrayRecordComponent"}) // line ends are CR LF; never compared
class WebSocketConformanceTest extends ServerTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final HttpHandler ECHO = Frames.echo(100_000);

    private static byte[] hex(int first, String payload) {
        return frame(first, HEX.parseHex(payload));
    }

    private static byte[] begun(int length, int first, String payload) {
        return Frames.frameOf(length, first, HEX.parseHex(payload));
    }

    private static byte[] all(byte[]... frames) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] each : frames) {
            bytes.writeBytes(each);
        }
        return bytes.toByteArray();
    }

    /** A text whose characters are torn apart, in frames of one byte. */
    private static byte[] bytewise(byte[] text) {
        byte[][] frames = new byte[text.length][];
        for (int i = 0; i < text.length; i++) {
            frames[i] = frame(i == 0 ? 0x01 : i == text.length - 1 ? 0x80 : 0x00, new byte[] {text[i]});
        }
        return all(frames);
    }

    private static Client connect(HttpServer server, String extensions) throws IOException {
        return new Client(server).send(Frames.HELLO + extensions + "\r\n");
    }

    /** A frame as it came: the first byte in hexadecimal, and the payload, in hexadecimal too where it is no text. */
    private record Came(int first, byte[] payload) {
        @Override
        public String toString() {
            String text = switch (first & 0x0f) {
                case 1, 9, 10 -> new String(payload, StandardCharsets.UTF_8);
                case 8 -> payload.length < 2 ? "" : String.valueOf(ByteBuffer.wrap(payload).getShort() & 0xffff);
                default -> HEX.formatHex(payload);
            };
            return Integer.toHexString(first) + ":" + (text.length() > 40 ? text.length() + " characters" : text);
        }
    }

    private static Optional<Came> next(Client client) throws IOException {
        var in = client.socket.getInputStream();
        byte[] head = in.readNBytes(2);
        if (head.length < 2) {
            return Optional.empty();
        }
        assertThat(head[1]).as("a server does not mask").isNotNegative();
        long length = head[1];
        if (length == 126) {
            length = ByteBuffer.wrap(in.readNBytes(2)).getShort() & 0xffff;
            assertThat(length).as("a minimal length").isGreaterThan(125);
        } else if (length == 127) {
            length = ByteBuffer.wrap(in.readNBytes(8)).getLong();
            assertThat(length).as("a minimal length").isGreaterThan(65535);
        }
        return Optional.of(new Came(head[0] & 0xff, in.readNBytes((int) length)));
    }

    /** All that comes back, until the server closes. */
    private static List<String> answers(HttpServer server, byte[] frames, int slice) throws IOException {
        List<String> answers = new ArrayList<>();
        try (Client client = connect(server, "")) {
            assertThat(client.read().status()).isEqualTo(101);
            client.socket.setSoTimeout(10_000);
            for (int i = 0; i < frames.length; i += slice) {
                client.socket.getOutputStream().write(frames, i, Math.min(slice, frames.length - i));
            }
            for (Optional<Came> came; (came = next(client)).isPresent();) {
                answers.add(came.get().toString());
            }
        } catch (java.net.SocketException e) {
            answers.add("reset");
        }
        return answers;
    }

    private record Case(String what, byte[] frames, String... answers) {}

    private static final byte[] BYE = hex(0x88, "03e8");

    private static List<Case> table() {
        byte[] e125 = new byte[125];
        byte[] split = "κόσμε€".getBytes(StandardCharsets.UTF_8);
        List<Case> table = new ArrayList<>(List.of(
                new Case("5.6, a text", all(frame(0x81, "Hello-µ"), BYE), "81:Hello-µ", "88:1000"),
                new Case("5.6, bytes", all(hex(0x82, "00ff10"), BYE), "82:00ff10", "88:1000"),
                new Case("5.6, nothing", all(frame(0x81, ""), frame(0x82, ""), BYE), "81:", "82:", "88:1000"),
                new Case("5.2, 125", all(frame(0x81, "x".repeat(125)), BYE), "81:125 characters", "88:1000"),
                new Case("5.2, 126", all(frame(0x81, "x".repeat(126)), BYE), "81:126 characters", "88:1000"),
                new Case("5.2, 65535", all(frame(0x81, "x".repeat(65535)), BYE), "81:65535 characters", "88:1000"),
                new Case("5.2, 65536", all(frame(0x81, "x".repeat(65536)), BYE), "81:65536 characters", "88:1000"),
                new Case("5.2, 126 for 125", masked(ByteBuffer.allocate(200).put(HEX.parseHex("81fe007d")), e125),
                        "88:1002"),
                new Case("5.2, 127 for 125",
                        masked(ByteBuffer.allocate(200).put(HEX.parseHex("81ff000000000000007d")), e125),
                        "88:1002"),
                new Case("5.2, the highest bit of a length", HEX.parseHex("81ff8000000000000001" + "00000000"),
                        "88:1009"),
                new Case("7.4.1, 1009", hex(0x82, "00".repeat(100_001)), "88:1009"),
                new Case("7.4.1, 1009 in parts", all(hex(0x02, "00".repeat(60_000)), hex(0x80, "00".repeat(60_000))),
                        "88:1009"),
                new Case("5.1, no mask", HEX.parseHex("810161"), "88:1002"),
                new Case("5.1, a mask of zeros", all(HEX.parseHex("81810000000061"), BYE), "81:a", "88:1000"),
                // control frames
                new Case("5.5.2, ping", all(frame(0x89, "here"), BYE), "8a:here", "88:1000"),
                new Case("5.5.2, ping of 125", all(frame(0x89, e125), BYE), "8a:125 characters", "88:1000"),
                new Case("5.5.2, ten pings in their order",
                        all(frame(0x89, "1"), frame(0x89, "2"), frame(0x89, "3"), BYE),
                        "8a:1", "8a:2", "8a:3", "88:1000"),
                new Case("5.5, ping of 126", frame(0x89, new byte[126]), "88:1002"),
                new Case("5.5, ping in parts", frame(0x09, "a"), "88:1002"),
                new Case("5.5.3, a pong that nobody asked for", all(frame(0x8a, "x"), frame(0x81, "a"), BYE), "81:a",
                        "88:1000"),
                // fragments
                new Case("5.4, in parts", all(frame(0x01, "frag"), frame(0x00, "ment"), frame(0x80, "ed"), BYE),
                        "81:fragmented", "88:1000"),
                new Case("5.4, ping between parts", all(frame(0x01, "a"), frame(0x89, "p"), frame(0x80, "b"), BYE),
                        "8a:p",
                        "81:ab", "88:1000"),
                new Case("5.4, empty parts", all(frame(0x01, ""), frame(0x00, ""), frame(0x80, ""), BYE), "81:",
                        "88:1000"),
                new Case("5.4, continuation of nothing", frame(0x80, "a"), "88:1002"),
                new Case("5.4, continuation after the end", all(frame(0x81, "a"), frame(0x00, "b")), "81:a", "88:1002"),
                new Case("5.4, a text within a text", all(frame(0x01, "a"), frame(0x81, "b")), "88:1002"),
                new Case("5.4, bytes within a text", all(frame(0x01, "a"), frame(0x02, "b")), "88:1002"),
                new Case("5.5.1, close between parts", all(frame(0x01, "a"), BYE), "88:1000"),
                // UTF-8
                new Case("8.1, a character in parts", all(frame(0x01, Arrays.copyOf(split, 3)),
                        frame(0x00, Arrays.copyOfRange(split, 3, split.length - 1)),
                        frame(0x80, Arrays.copyOfRange(split, split.length - 1, split.length)), BYE), "81:κόσμε€",
                        "88:1000"),
                new Case("8.1, half a character", hex(0x81, "ceba e1bdb9 cf".replace(" ", "")), "88:1007"),
                new Case("8.1, half a character in parts", all(hex(0x01, "cebae1"), hex(0x80, "bd")), "88:1007"),
                new Case("8.1, a byte a frame", all(bytewise(split), BYE), "81:\u03ba\u03cc\u03c3\u03bc\u03b5\u20ac",
                        "88:1000"),
                new Case("8.1, too long a form", hex(0x81, "c0af"), "88:1007"),
                new Case("8.1, a surrogate", hex(0x81, "eda080"), "88:1007"),
                new Case("8.1, beyond Unicode", hex(0x81, "f4908080"), "88:1007"),
                new Case("8.1, a continuation byte alone", hex(0x81, "80"), "88:1007"),
                // what can be no text is refused before the message ends
                new Case("8.1, in the first part", hex(0x01, "61c0"), "88:1007"),
                new Case("8.1, in the second part", all(hex(0x01, "cebae1bdb9cf83cebcceb5"), hex(0x00, "f4908080")),
                        "88:1007"),
                new Case("8.1, a second byte that goes on with none", all(hex(0x01, "cebaf4"), hex(0x00, "90")),
                        "88:1007"),
                new Case("8.1, the beginning of a surrogate", all(hex(0x01, "ed"), hex(0x00, "a0")), "88:1007"),
                new Case("8.1, after a ping", all(hex(0x01, "e1"), frame(0x89, "p"), hex(0x00, "41")), "8a:p",
                        "88:1007"),
                new Case("8.1, within a part", begun(125, 0x01, "ceba80"), "88:1007"),
                new Case("8.1, within the last part", all(hex(0x01, "f4"), begun(2, 0x80, "90")), "88:1007"),
                new Case("8.1, within a long frame", begun(60_000, 0x81, "cebac0"), "88:1007"),
                new Case("8.1, within a very long frame", begun(70_000, 0x81, "cebac0"), "88:1007"),
                new Case("8.1, no character but allowed", all(hex(0x81, "efbfbf"), BYE), "81:\uffff", "88:1000"),
                new Case("8.1, bytes need not be", all(hex(0x82, "c0af"), BYE), "82:c0af", "88:1000"),
                // closing
                new Case("5.5.1, without a code", frame(0x88, ""), "88:1000"),
                new Case("5.5.1, half a code", hex(0x88, "03"), "88:1002"),
                new Case("5.5.1, with a reason", all(frame(0x88, "\u0003è bye".getBytes(StandardCharsets.ISO_8859_1))),
                        "88:1000"),
                new Case("5.5.1, a reason that is not UTF-8", hex(0x88, "03e8c0af"), "88:1007"),
                new Case("5.5.1, too long a reason", hex(0x88, "03e8" + "78".repeat(124)), "88:1002"),
                new Case("5.5.1, nothing after it", all(BYE, frame(0x81, "late"), frame(0x89, "late")), "88:1000")));
        for (int code : List.of(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)) {
            table.add(new Case("7.4, code " + code, hex(0x88, HEX.toHexDigits((short) code)), "88:" + code));
        }
        for (int code : List.of(0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)) {
            table.add(new Case("7.4, no code: " + code, hex(0x88, HEX.toHexDigits((short) code)), "88:1002"));
        }
        for (int bits = 1; bits < 8; bits++) {
            table.add(new Case("5.2, reserved bits " + bits, frame(0x81 | bits << 4, "a"), "88:1002"));
            table.add(new Case("5.2, reserved bits of a ping " + bits, frame(0x89 | bits << 4, "a"), "88:1002"));
        }
        for (int opcode : List.of(3, 4, 5, 6, 7, 11, 12, 13, 14, 15)) {
            table.add(new Case("5.2, no opcode: " + opcode, frame(0x80 | opcode, ""), "88:1002"));
        }
        return table;
    }

    @Test
    void framesAreTakenAsTheyShould() throws Exception {
        HttpServer server = serve(ECHO);
        run(() -> {
            List<String> wrong = new ArrayList<>();
            for (Case each : table()) {
                for (int slice : each.frames.length < 300 ? List.of(Integer.MAX_VALUE / 2, 1) : List.of(60_001)) {
                    List<String> answers = answers(server, each.frames, slice);
                    if (!answers.equals(List.of(each.answers))) {
                        wrong.add(each.what + ": " + answers + " instead of " + List.of(each.answers));
                    }
                }
            }
            assertThat(wrong).isEmpty();
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    // --- permessage-deflate

    private static final String OFFER = "Sec-WebSocket-Extensions: permessage-deflate";
    private static final String AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    @Test
    void compressionIsAgreedOnWhereItCanBe() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.gzip(true));
        record Offer(String text, String answer) {}
        run(() -> {
            for (Offer each : List.of(new Offer("", AGREED), new Offer("; client_max_window_bits", AGREED),
                    new Offer("; client_max_window_bits=10; server_no_context_takeover", AGREED),
                    new Offer("; client_no_context_takeover", AGREED),
                    new Offer("; server_max_window_bits=15", AGREED + "; server_max_window_bits=15"),
                    new Offer("; server_max_window_bits=\"15\"", AGREED + "; server_max_window_bits=15"),
                    new Offer("; server_max_window_bits=10", "(none)"),
                    new Offer("; server_max_window_bits=10, permessage-deflate", AGREED),
                    new Offer("; client_max_window_bits=16", "(none)"), new Offer("; server_max_window_bits", "(none)"),
                    new Offer("; server_no_context_takeover=1", "(none)"), new Offer("; unknown", "(none)"),
                    new Offer("; server_no_context_takeover; server_no_context_takeover", "(none)"),
                    new Offer("-x", "(none)"), new Offer("-x\r\n" + OFFER, AGREED))) {
                try (Client client = connect(server, OFFER + each.text + "\r\n")) {
                    assertThat(client.read().header("Sec-WebSocket-Extensions")).as(each.text).isEqualTo(each.answer);
                }
            }
            assertNobodyIsLeft(server);
        });
        HttpServer plain = HttpServer.builder("127.0.0.1:0", ECHO).build().start();
        run(() -> {
            try (Client client = connect(plain, OFFER + "\r\n")) {
                assertThat(client.read().headers().contains("Sec-WebSocket-Extensions")).isFalse();
            }
            plain.close();
        });
    }

    private static Client deflating(HttpServer server) throws IOException {
        Client client = connect(server, OFFER + "\r\n");
        assertThat(client.read().header("Sec-WebSocket-Extensions")).isEqualTo(AGREED);
        return client;
    }

    private static byte[] inflate(byte[] payload) throws IOException {
        var tail = new ByteArrayInputStream(new byte[] {0, 0, (byte) 0xff, (byte) 0xff, 3, 0}); // and a last block
        return new InflaterInputStream(new SequenceInputStream(new ByteArrayInputStream(payload), tail),
                new Inflater(true)).readAllBytes();
    }

    private static String exchange(HttpServer server, byte[]... frames) throws IOException {
        try (Client client = deflating(server)) {
            client.socket.getOutputStream().write(all(frames));
            return next(client).map(Came::toString).orElse("end");
        }
    }

    @Test
    void compressedMessagesAreUnderstood() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.gzip(true));
        run(() -> {
            // RFC 7692, 7.2.3: compressed, in parts, not compressed, with a last block, in two blocks
            assertThat(exchange(server, hex(0xc1, "f248cdc9c90700"))).isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0x41, "f248cd"), frame(0x89, ""), hex(0x80, "c9c90700"))).isEqualTo("8a:");
            assertThat(exchange(server, hex(0x41, "f248cd"), hex(0x80, "c9c90700"))).isEqualTo("81:Hello");
            assertThat(exchange(server, frame(0x81, "Hello"))).isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0xc1, "000500faff48656c6c6f00"))).isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0xc1, "f348cdc9c9070000"))).isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0xc1, "f248050000 00ffffcac9c90700".replace(" ", ""))))
                    .isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0x41, "f248cdc9c90700"), hex(0x80, ""))).isEqualTo("81:Hello");
            assertThat(exchange(server, hex(0xc1, "00"))).as("nothing, 7.2.3.6").isEqualTo("81:");
            // what is none
            assertThat(exchange(server, hex(0xc1, "ffffffff"))).isEqualTo("88:1007");
            assertThat(exchange(server, hex(0x41, "f248cd"), hex(0xc0, "c9c90700"))).isEqualTo("88:1002");
            assertThat(exchange(server, frame(0xc9, "a"))).isEqualTo("88:1002");
            assertThat(exchange(server, frame(0xa1, "a"))).isEqualTo("88:1002");
            assertThat(exchange(server, frame(0xc1, Deflate.deflate(new byte[] {(byte) 0xc0, (byte) 0xaf}))))
                    .isEqualTo("88:1007");
            // and what is none before it ends
            byte[] noText = Arrays.copyOf(Deflate.deflate(new byte[] {'a', (byte) 0xc0}), 6);
            assertThat(exchange(server, frame(0x41, noText))).isEqualTo("88:1007");
            assertThat(exchange(server, Frames.frameOf(60_000, 0xc1, noText))).isEqualTo("88:1007");
            assertThat(exchange(server, hex(0x41, "ff"), hex(0x00, "ffff"))).isEqualTo("88:1007");
            byte[] bomb = Deflate.deflate(new byte[50_000_000]);
            assertThat(bomb.length).as("fits, compressed").isLessThan(100_000);
            assertThat(exchange(server, frame(0xc2, bomb))).isEqualTo("88:1009");
            assertThat(exchange(server, frame(0x42, Arrays.copyOf(bomb, 1000)))).isEqualTo("88:1009");
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void whatIsWorthItIsSentCompressed() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.gzip(true));
        run(() -> {
            Random random = new Random(7);
            try (Client client = deflating(server)) {
                for (int length : List.of(0, 1, 1023, 1024, 1025, 4096, 50_000, 99_999)) {
                    byte[] message = new byte[length];
                    for (int i = 0; i < length; i++) {
                        message[i] = (byte) random.nextInt(length % 2 == 0 ? 4 : 256);
                    }
                    client.socket.getOutputStream().write(frame(0xc2, Deflate.deflate(message)));
                    Came came = next(client).orElseThrow();
                    assertThat(came.first).isEqualTo(length < 1024 ? 0x82 : 0xc2);
                    assertThat(came.first == 0x82 ? came.payload : inflate(came.payload)).isEqualTo(message);
                }
            }
        });
    }
}
