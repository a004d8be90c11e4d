package dev.loomlet.http;

import dev.loomlet.GreenletExit;
import dev.loomlet.Loomlet;
import dev.loomlet.sync.RLock;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.java_websocket.drafts.Draft_6455;
import org.java_websocket.enums.Opcode;
import org.java_websocket.exceptions.InvalidDataException;
import org.java_websocket.framing.BinaryFrame;
import org.java_websocket.framing.CloseFrame;
import org.java_websocket.framing.DataFrame;
import org.java_websocket.framing.Framedata;
import org.java_websocket.framing.FramedataImpl1;
import org.java_websocket.framing.PingFrame;
import org.java_websocket.framing.PongFrame;
import org.java_websocket.framing.TextFrame;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket as a plain blocking loop in a greenlet:
 *
 * {@snippet :
 * var chat = new Router().get("/chat", WebSocket.handler(socket -> {
 *     room.add(socket);
 *     try {
 *         for (Optional<Message> next; (next = socket.receive()).isPresent();) {
 *             if (next.get() instanceof Text(String text)) {
 *                 for (WebSocket each : room) {
 *                     each.send(text);
 *                 }
 *             }
 *         }
 *     } finally {
 *         room.remove(socket);
 *     }
 * }));
 * }
 *
 * <p>Pings are answered by {@link #receive}; a client that is silent for the server's idle time is pinged, and given up when
 * it stays silent for as long again. When the handler returns, the socket is closed with 1000; when it throws, with 1011,
 * and the error goes to the hub's error handler. A client that breaks the protocol is told so and disconnected, at the first
 * byte that shows it and not only when its message has ended, which {@link #receive} shows as the end.
 *
 * <p>A browser sends its cookies to any site's scripts' sockets: look at {@code Origin} before {@link #upgrade} if cookies
 * say who the user is.
 *
 * <p><b>Threads.</b> Greenlets of the server's hub. One receives; any may send: their messages go one after the other. A
 * client that does not read makes its senders wait; a {@code Timeout} ends that, and the socket is then of no use any more.
 *
 * <p>RFC 6455, over the framing of Java-WebSocket; with permessage-deflate (RFC 7692) where the server compresses, see
 * {@link HttpServer.Builder#gzip}, and the client asks for it.
 */
public final class WebSocket {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final Duration FAREWELL = Duration.ofSeconds(2);
    private static final int DEFAULT_MOST = 1 << 20;
    private static final int MOST = 1 << 30;
    private static final int FIN = 0x80;
    private static final int RSV1 = 0x40; // of a message's first frame: it is compressed
    private static final int CONTROL = 0x08;
    private static final int SMALL = 1024; // what is read of a client that may be silent
    private static final int LARGE = 16 * 1024; // and of one that has said that more will come
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Request request;
    private final Connection.In in;
    private final OutputStream out;
    private final Duration patience;
    private final boolean deflates;
    private final Draft_6455 draft = new Draft_6455(List.of(), Integer.MAX_VALUE);
    private final RLock sending = new RLock();
    private int most = DEFAULT_MOST;
    private ByteBuffer read = NOTHING;
    private @Nullable Incoming incoming; // a field, so that a kill or a timeout within a message loses none of it
    private boolean closeSent;
    private boolean closeReceived;
    private boolean broken; // a frame was not sent whole

    /** What comes. */
    public sealed interface Message permits Text, Binary {}

    /** A text. */
    public record Text(String text) implements Message {}

    /** Bytes. */
    @SuppressWarnings("ArrayRecordComponent") // as they came; nobody compares them
    public record Binary(byte[] bytes) implements Message {}

    /** What is done with a socket. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Talks with one client, in the greenlet of the connection.
         *
         * @throws Exception whatever goes wrong; it is reported to the hub's error handler
         */
        void handle(WebSocket socket) throws Exception;
    }

    private WebSocket(Request request, InputStream in, OutputStream out, Duration patience, boolean deflates) {
        this.request = request;
        this.in = (Connection.In) in;
        this.out = out;
        this.patience = patience;
        this.deflates = deflates;
    }

    /** A handler of requests that makes sockets of them all. */
    public static HttpHandler handler(Handler handler) {
        return (request, response) -> upgrade(request, response, handler);
    }

    /**
     * Makes a socket of this request; {@code handler} is called when the handler of the request has returned.
     *
     * @throws HttpException 426 if the request does not ask for one, 400 if it does not do so in the right way
     */
    public static void upgrade(Request request, Response response, Handler handler) throws IOException {
        Headers asked = request.headers();
        if (!request.method().equals("GET")) {
            throw new HttpException(405, "a WebSocket begins with GET");
        }
        if (!asked.first("Sec-WebSocket-Version").orElse("").equals("13")) {
            response.status(426).header("Sec-WebSocket-Version", "13").header("Upgrade", "websocket")
                    .send("this is a WebSocket, version 13\n");
            return;
        }
        List<String> keys = asked.all("Sec-WebSocket-Key");
        if (keys.size() != 1 || !isKey(keys.getFirst())) {
            throw new HttpException(400, "Sec-WebSocket-Key must be 16 bytes in base 64");
        }
        response.header("Sec-WebSocket-Accept", accept(keys.getFirst()));
        Optional<String> agreed = response.compresses() ? Deflate.agree(asked) : Optional.empty();
        agreed.ifPresent(parameters -> response.header("Sec-WebSocket-Extensions", parameters));
        Duration patience = response.idleTimeout();
        boolean deflates = agreed.isPresent();
        response.upgrade("websocket", (in, out) -> new WebSocket(request, in, out, patience, deflates).run(handler));
    }

    private static boolean isKey(String key) {
        try {
            return Base64.getDecoder().decode(key).length == 16;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static String accept(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    // --- its life

    private void run(Handler handler) throws Exception {
        try {
            talk(handler);
        } finally {
            forget();
        }
    }

    private void talk(Handler handler) throws Exception {
        try {
            handler.handle(this);
        } catch (GreenletExit e) {
            close(CloseFrame.GOING_AWAY, "");
            throw e;
        } catch (Throwable t) {
            close(CloseFrame.UNEXPECTED_CONDITION, "");
            throw t;
        }
        close();
        Loomlet.withTimeout(FAREWELL, () -> {
            while (!closeReceived && next().isPresent()) {
                // what it said before it heard us
            }
            return true;
        }, false);
    }

    /** The request that it began with. */
    public Request request() {
        return request;
    }

    /**
     * The longest message that is received, 1 MB if this is not called; a longer one ends the connection with 1009. What
     * counts is its length when it is no longer compressed.
     */
    public WebSocket maxMessage(int bytes) {
        if (bytes < 0 || bytes > MOST) {
            throw new IllegalArgumentException("a message is of 0 to " + MOST + " bytes, not " + bytes);
        }
        most = bytes;
        return this;
    }

    /** Whether no more can be sent. */
    public boolean isClosed() {
        return closeSent || closeReceived || broken;
    }

    /** {@link #close(int, String)} with 1000. */
    public void close() throws IOException {
        close(CloseFrame.NORMAL, "");
    }

    /**
     * Says goodbye. Closing twice is harmless.
     *
     * @param code such as 1000, or one of your own from 4000 to 4999
     * @param reason for people; at most 123 bytes of UTF-8
     */
    public void close(int code, String reason) throws IOException {
        if (closeSent || broken) {
            return;
        }
        CloseFrame frame = new CloseFrame();
        frame.setReason(reason);
        frame.setCode(code);
        try {
            frame.isValid();
        } catch (InvalidDataException e) {
            throw new IllegalArgumentException("cannot close with " + code + " \"" + reason + "\": " + e.getMessage(),
                    e);
        }
        send(frame);
    }

    // --- receiving

    /** Waits for a message; nothing when the client has gone, with or without a word. */
    public Optional<Message> receive() throws IOException {
        return closeReceived ? Optional.empty() : next();
    }

    private Optional<Message> next() throws IOException {
        try {
            return message();
        } catch (Refused e) {
            close(e.code, e.reason());
            closeReceived = true; // nothing that follows can be understood
            return Optional.empty();
        } catch (ClientGone e) {
            closeReceived = true;
            broken = true;
            return Optional.empty();
        }
    }

    private Optional<Message> message() throws IOException, Refused {
        for (;;) {
            Incoming now = incoming;
            if (now == null || now.left() == 0) {
                if (!head()) {
                    return Optional.empty();
                }
            } else if (!payload(now)) {
                return Optional.empty();
            }
            now = incoming;
            if (now != null && now.isWhole()) {
                Message message = now.message();
                forget();
                return Optional.of(message);
            }
        }
    }

    private void forget() {
        if (incoming != null) {
            incoming.close();
            incoming = null;
        }
    }

    /** Some of a message; false at the end. */
    private boolean payload(Incoming now) throws IOException, Refused {
        if (!read.hasRemaining()) {
            int room = (int) Math.min(now.left(), LARGE);
            if (read.capacity() < room) {
                read = ByteBuffer.allocate(room).limit(0);
            }
            if (!need(1)) {
                return false;
            }
        }
        read.position(read.position() + now.take(read.array(), read.position(), read.remaining()));
        return true;
    }

    /** The head of a frame of a message, or the whole of another frame; false at the end. */
    private boolean head() throws IOException, Refused {
        if (!read.hasRemaining() && read.capacity() > SMALL) {
            read = NOTHING; // a client may be silent for long
        }
        if (!need(2)) {
            return false;
        }
        int first = read.get(read.position());
        int second = read.get(read.position() + 1);
        if ((second & 0x80) == 0) {
            throw new Refused(CloseFrame.PROTOCOL_ERROR, "a frame without a mask");
        }
        int code = second & 0x7f;
        int head = 2 + (code == 126 ? 2 : code == 127 ? 8 : 0) + 4;
        if (!need(head)) {
            return false;
        }
        int start = read.position();
        long length = code == 126 ? read.getShort(start + 2) & 0xffff : code == 127 ? read.getLong(start + 2) : code;
        if (code > 125 && length >= 0 && length <= (code == 126 ? 125 : 0xffff)) {
            throw new Refused(CloseFrame.PROTOCOL_ERROR, "a length that takes more bytes than it needs");
        }
        if (length < 0) {
            throw new Refused(CloseFrame.TOOBIG, "a frame of more bytes than there are numbers");
        }
        if ((first & CONTROL) != 0) {
            return control(head, length);
        }
        data(first, length, read.getInt(start + head - 4));
        read.position(start + head);
        return true;
    }

    /** The library looks at the head alone, as that of an empty frame: the rest need not have come. */
    private void data(int first, long length, int mask) throws Refused {
        boolean deflated = deflates && (first & RSV1) != 0;
        byte known = (byte) (deflated ? first & ~RSV1 : first); // the library knows nothing of it
        Opcode opcode = frame(new byte[] {known, (byte) 0x80, 0, 0, 0, 0}).getOpcode();
        if (opcode != Opcode.CONTINUOUS) {
            if (incoming != null) {
                throw new Refused(CloseFrame.PROTOCOL_ERROR, "a message within another");
            }
            incoming = new Incoming(opcode == Opcode.TEXT, deflated, most);
        } else if (incoming == null) {
            throw new Refused(CloseFrame.PROTOCOL_ERROR, "a continuation of nothing");
        } else if (deflated) {
            throw new Refused(CloseFrame.PROTOCOL_ERROR, "a continuation that says that it is compressed");
        }
        incoming.frame((first & FIN) != 0, length, mask);
    }

    /** A ping, a pong or a goodbye; false if this is the end. */
    private boolean control(int head, long length) throws IOException, Refused {
        if (length > 125) {
            throw new Refused(CloseFrame.PROTOCOL_ERROR, "a control frame of more than 125 bytes");
        }
        int whole = head + (int) length;
        if (!need(whole)) {
            return false;
        }
        byte[] bytes = new byte[whole];
        read.get(bytes);
        Framedata frame = frame(bytes);
        if (frame.getOpcode() == Opcode.PING) {
            PongFrame pong = new PongFrame();
            pong.setPayload(frame.getPayloadData());
            send(pong);
        } else if (frame.getOpcode() == Opcode.CLOSING) {
            closeReceived = true;
            int code = ((CloseFrame) frame).getCloseCode();
            close(code == CloseFrame.NOCODE ? CloseFrame.NORMAL : code, "");
            return false;
        }
        return true;
    }

    /** The library takes a frame apart; it is given whole ones only. */
    private Framedata frame(byte[] bytes) throws Refused {
        try {
            return draft.translateFrame(ByteBuffer.wrap(bytes)).getFirst();
        } catch (InvalidDataException e) {
            throw new Refused(e.getCloseCode(), String.valueOf(e.getMessage()));
        } catch (RuntimeException e) { // of a close frame whose reason is not UTF-8
            throw new Refused(CloseFrame.NO_UTF8, "a frame that is none");
        }
    }

    /** Reads until there are so many bytes; false at the end. A kill or a timeout here loses nothing. */
    private boolean need(int count) throws IOException {
        boolean pinged = false;
        while (read.remaining() < count) {
            if (!read.hasRemaining()) {
                read.position(0).limit(0);
            }
            if (read.capacity() - read.position() < count) {
                ByteBuffer larger = ByteBuffer.allocate(Math.max(SMALL, count)).put(read);
                read = larger.flip();
            }
            int from = read.limit();
            byte[] bytes = read.array();
            int room = read.capacity() - from;
            int silent = Connection.In.SILENCE;
            int n = in.read(bytes, from, room, Math.max(1, patience.toMillis()));
            if (n == -1) {
                closeReceived = true;
                broken = true;
                return false;
            }
            if (n == silent) {
                if (pinged) {
                    closeReceived = true;
                    broken = true;
                    return false;
                }
                pinged = true;
                if (!isClosed()) {
                    send(new PingFrame());
                }
                continue;
            }
            pinged = false;
            read.limit(from + n);
        }
        return true;
    }

    // --- sending

    /**
     * Sends a text.
     *
     * @throws IOException if the client has gone or the socket was closed
     */
    public void send(String text) throws IOException {
        data(new TextFrame(), text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends bytes. */
    public void send(byte[] bytes) throws IOException {
        data(new BinaryFrame(), bytes);
    }

    private void data(DataFrame frame, byte[] bytes) throws IOException {
        if (isClosed()) {
            throw new ClientGone("this WebSocket has been closed");
        }
        boolean deflated = deflates && bytes.length >= Response.WORTH_ZIPPING;
        frame.setPayload(ByteBuffer.wrap(deflated ? Deflate.deflate(bytes) : bytes));
        frame.setRSV1(deflated);
        send(frame);
    }

    private void send(FramedataImpl1 frame) throws IOException {
        ByteBuffer bytes = draft.createBinaryFrame(frame);
        sending.lock();
        try {
            if (closeSent || broken) {
                if (frame.getOpcode() == Opcode.TEXT || frame.getOpcode() == Opcode.BINARY) {
                    throw new ClientGone("this WebSocket has been closed");
                }
                return;
            }
            boolean whole = false;
            try {
                closeSent = frame.getOpcode() == Opcode.CLOSING;
                out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
                whole = true;
            } finally {
                broken |= !whole;
            }
        } finally {
            sending.unlock();
        }
    }

    @Override
    public String toString() {
        return "WebSocket of " + request + " with " + request.remote() + (isClosed() ? " (closed)" : "");
    }
}
