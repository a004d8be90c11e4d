package dev.loomlet.http;

import dev.loomlet.http.WebSocket.Binary;
import dev.loomlet.http.WebSocket.Message;
import dev.loomlet.http.WebSocket.Text;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What a client of a WebSocket sends, byte for byte, and a server that sends it back. */
@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
final class Frames {
    static final String HELLO = "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    static final HttpHandler ECHO = echo(1_000_000);

    private Frames() {}

    static HttpHandler echo(int maxMessage) {
        return WebSocket.handler(socket -> {
            socket.maxMessage(maxMessage);
            for (Optional<Message> next; (next = socket.receive()).isPresent();) {
                switch (next.get()) {
                    case Text(String text) -> socket.send(text);
                    case Binary(byte[] bytes) -> socket.send(bytes);
                }
            }
        });
    }

    static byte[] frame(int first, byte[] payload) {
        return frameOf(payload.length, first, payload);
    }

    /** A frame that announces so many bytes, with these first. */
    static byte[] frameOf(int length, int first, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(payload.length + 14).put((byte) first);
        if (length < 126) {
            frame.put((byte) (0x80 | length));
        } else if (length < 65536) {
            frame.put((byte) (0x80 | 126)).putShort((short) length);
        } else {
            frame.put((byte) (0x80 | 127)).putLong(length);
        }
        return masked(frame, payload);
    }

    static byte[] frame(int first, String payload) {
        return frame(first, payload.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] masked(ByteBuffer head, byte[] payload) {
        byte[] mask = {0x37, (byte) 0xfa, 0x21, 0x3d};
        head.put(mask);
        for (int i = 0; i < payload.length; i++) {
            head.put((byte) (payload[i] ^ mask[i % 4]));
        }
        byte[] frame = new byte[head.position()];
        head.flip().get(frame);
        return frame;
    }
}
