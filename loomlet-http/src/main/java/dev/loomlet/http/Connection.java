package dev.loomlet.http;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Loomlet;
import dev.loomlet.Timeout;
import dev.loomlet.net.StreamSocket;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * One connection: reads a request, has it answered, and so on.
 *
 * <pre>
 *            ┌──────────────────────────── persistent ────────────────────────┐
 *            ▼                                                                │
 *   IDLE (no workspace) ──bytes──▶ HEAD ──complete──▶ HANDLER ──answered──▶ DRAIN (what is left of the body)
 *     │ silent too long,            │ too slow (408),    │ upgrade    │ half an answer   │ too much
 *     │ drained, end                │ no request (4xx)   ▼            │                  │
 *     └──────────▶ CLOSED ◀── LINGER ◀─────────────── UPGRADED        ▼                  │
 *                    ▲         ▲  └──────────────────────┘          CLOSED               │
 *                    └─────────┴─────────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>Answers are gathered in the workspace's buffer and written when there is no further request in the other one. What
 * was gathered before must not wait for a handler that waits: a greenlet is made then that writes it in the meantime. It
 * takes the buffer with it, so that the only thing the two have to agree about is who writes; {@link #writing} says so. All
 * of them run on the hub's one thread.
 *
 * <p>With TLS there are two sockets: the one we talk through and the one it is on, whose readiness can be waited for without
 * a buffer, and which can be closed without a word to somebody who does not listen.
 */
final class Connection {
    private static final int LINGER_BYTES = 256 * 1024;
    private static final Duration LINGER = Duration.ofSeconds(1);
    private static final int SLICE = 64 * 1024;
    private static final Duration GOODBYE = Duration.ofSeconds(1);

    final HttpServer server;
    private final Socket socket;
    private final Socket plain; // the same without TLS
    private final @Nullable StreamSocket wire; // the same, if it is one of ours
    private final @Nullable StreamSocket fast; // the same, if it is that which we talk through
    private @Nullable Workspace work;
    private @Nullable InetSocketAddress remote;
    private boolean served; // one request at least
    private boolean idle;
    private boolean writing;
    private long unread; // nanoseconds that we have waited for the client to read
    private long written; // bytes that it has read meanwhile
    private @Nullable Greenlet<Void> flusher;
    private boolean gone;

    Connection(HttpServer server, Socket plain, Socket socket) {
        this.server = server;
        this.plain = plain;
        this.socket = socket;
        wire = plain instanceof StreamSocket stream ? stream : null;
        fast = socket == plain ? wire : null;
    }

    Optional<SSLSession> tls() {
        return socket instanceof SSLSocket secure ? Optional.of(secure.getSession()) : Optional.empty();
    }

    InetSocketAddress remote() {
        InetSocketAddress address = remote;
        if (address == null) {
            address = (InetSocketAddress) socket.getRemoteSocketAddress();
            remote = address;
        }
        return address;
    }

    InetSocketAddress local() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    Workspace work() {
        Workspace now = work;
        if (now == null) {
            throw new IllegalStateException("this request has been answered");
        }
        return now;
    }

    boolean isIdle() {
        return idle;
    }

    /** Whether the client has left, as far as we know. */
    boolean gone() {
        return gone;
    }

    ClientGone gone(String message) {
        gone = true;
        return new ClientGone(message);
    }

    private ClientGone gone(IOException e) {
        gone = true;
        return e instanceof ClientGone already ? already : new ClientGone("the client is gone", e);
    }

    /** Ends it from outside, while it is silent. */
    void close() {
        try {
            if (socket == plain) {
                socket.close();
            } else {
                plain.shutdownInput(); // its own greenlet says goodbye, in its own time
            }
        } catch (IOException e) {
            gone = true; // it was to be thrown away
        }
    }

    /** The end of a connection with TLS, whose goodbye must not wait for a client that does not read. */
    static void sayGoodbye(Socket secure) {
        try {
            Loomlet.withTimeout(GOODBYE, () -> {
                secure.close();
                return true;
            }, false);
        } catch (IOException e) {
            // it was to be thrown away, and the socket below is closed next
        }
    }

    // --- its life

    void run() {
        try {
            while (next() && exchange()) {
                served = true;
            }
            flush();
        } catch (ClientGone e) {
            // that is its right
        } finally {
            Greenlet<Void> helper = flusher;
            if (helper != null) {
                helper.kill();
            }
            giveBack();
        }
    }

    private Workspace take() {
        Workspace now = work;
        if (now == null) {
            now = server.takeWorkspace();
            work = now;
        }
        return now;
    }

    private void giveBack() {
        Workspace now = work;
        if (now != null) {
            work = null;
            server.giveBack(now);
        }
    }

    /** Waits for a request and reads its head; false if none comes. */
    private boolean next() throws ClientGone {
        Workspace w = take();
        boolean ready = false;
        while (!w.in.hasRemaining()) {
            flush();
            Duration patience = served ? server.idleTimeout() : server.firstByteTimeout();
            int n;
            if (fast != null) {
                n = readNow(w);
            } else if (ready || wire == null || hasDecrypted()) {
                n = server.isDraining() ? -1 : idleRead(w, patience);
                ready = false;
            } else {
                n = 0;
            }
            if (n < 0) {
                return false;
            }
            if (n == 0) {
                giveBack();
                if (server.isDraining() || !awaitRequest(patience)) {
                    return false;
                }
                ready = true;
                w = take();
            }
        }
        w.parseHead();
        if (!w.headDone && w.bad == 0) {
            readHead(w);
        }
        return true;
    }

    private boolean awaitRequest(Duration patience) throws ClientGone {
        idle = true;
        try {
            return wire != null && wire.awaitReadable(patience);
        } catch (IOException e) {
            throw gone(e);
        } finally {
            idle = false;
        }
    }

    /** TLS reads one record at a time from its socket, and may have more of it than was asked for. */
    private boolean hasDecrypted() throws ClientGone {
        try {
            return socket.getInputStream().available() > 0;
        } catch (IOException e) {
            throw gone(e);
        }
    }

    private int idleRead(Workspace w, Duration patience) throws ClientGone {
        idle = true;
        try {
            int n = read(w, patience.toNanos());
            return n == 0 ? -1 : n;
        } finally {
            idle = false;
        }
    }

    private void readHead(Workspace w) throws ClientGone {
        long deadline = System.nanoTime() + server.headTimeout().toNanos();
        while (!w.headDone && w.bad == 0) {
            int n = fill(w, deadline - System.nanoTime());
            if (n < 0) {
                throw gone("the client left in the middle of a request's head");
            }
            if (n == 0) {
                w.bad = 408;
                w.badReason = "the head of the request took longer than " + server.headTimeout().toMillis() + " ms";
            }
            w.parseHead();
        }
    }

    /** Reads more of the request, when all that came is used up; 0 if the time is over, -1 at the end. */
    int fill(Workspace w, long nanos) throws ClientGone {
        flush();
        if (fast == null) {
            return nanos <= 0 ? 0 : read(w, nanos);
        }
        long deadline = System.nanoTime() + nanos;
        for (;;) {
            int n = readNow(w);
            if (n != 0) {
                return n;
            }
            long left = deadline - System.nanoTime();
            try {
                if (left <= 0 || !fast.awaitReadable(Duration.ofNanos(left))) {
                    return 0;
                }
            } catch (IOException e) {
                throw gone(e);
            }
        }
    }

    private int readNow(Workspace w) throws ClientGone {
        ByteBuffer in = w.in;
        in.clear();
        try {
            return fast == null ? 0 : fast.readNow(in);
        } catch (IOException e) {
            throw gone(e);
        } finally {
            in.flip();
        }
    }

    /** For sockets that are not ours: with TLS, or of a JDK. */
    private int read(Workspace w, long nanos) throws ClientGone {
        ByteBuffer in = w.in;
        in.clear().limit(0);
        try {
            socket.setSoTimeout(Math.clamp(nanos / 1_000_000, 1, Integer.MAX_VALUE));
            int n = socket.getInputStream().read(w.inBytes);
            in.limit(Math.max(n, 0));
            return n;
        } catch (SocketTimeoutException e) {
            return 0;
        } catch (IOException e) {
            throw gone(e);
        }
    }

    /** Answers the request that was read. False if it was the last one. */
    private boolean exchange() throws ClientGone {
        Workspace w = work();
        Request request = new Request(this, w);
        Response response = new Response(this, w, request);
        boolean refused = w.bad != 0;
        try {
            if (refused) {
                response.refuse(w.bad, w.badReason);
            } else if (w.method.equals("CONNECT")) {
                response.error(501, "this is no proxy");
            } else {
                if (w.outEnd > 0) {
                    flushMeanwhile(w);
                }
                server.handler().handle(request, response);
            }
            response.finish();
        } catch (HttpException e) {
            response.fail(e.status(), String.valueOf(e.getMessage()));
        } catch (GreenletExit e) {
            throw e;
        } catch (Throwable t) {
            if (gone) {
                throw gone("the client left before it was answered");
            }
            server.report(request, t);
            response.fail(500, "the server could not answer this");
        }
        server.log(request, response);
        Response.Switch upgrade = response.upgrade();
        if (upgrade != null) {
            flush();
            upgraded(request, upgrade.upgrade());
            if (!gone) {
                linger(take());
            }
            return false;
        }
        response.end();
        boolean more = !refused && response.isPersistent() && request.drain();
        request.end();
        if (more) {
            w.reset();
            return true;
        }
        linger(w);
        return false;
    }

    private void upgraded(Request request, Upgrade upgrade) throws ClientGone {
        try {
            Workspace w = work();
            byte[] early = new byte[w.in.remaining()];
            w.in.get(early);
            giveBack(); // it may be silent for hours
            upgrade.run(new In(early), new Out());
        } catch (GreenletExit e) {
            throw e;
        } catch (Throwable t) {
            if (gone) {
                throw gone("the client left");
            }
            server.report(request, t);
        }
    }

    /** What follows the request that asked for an upgrade. */
    final class In extends InputStream {
        static final int SILENCE = -2;

        private final byte[] early; // came together with the request
        private int at;

        In(byte[] early) {
            this.early = early;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return read(bytes, offset, length, 0);
        }

        /** {@link #SILENCE} if nothing has come for so long; 0 is for ever. */
        int read(byte[] bytes, int offset, int length, long millis) throws IOException {
            if (at < early.length) {
                int n = Math.min(length, early.length - at);
                System.arraycopy(early, at, bytes, offset, n);
                at += n;
                return n;
            }
            try {
                socket.setSoTimeout(Math.clamp(millis, 0, Integer.MAX_VALUE));
                return socket.getInputStream().read(bytes, offset, length);
            } catch (SocketTimeoutException e) {
                return SILENCE;
            } catch (IOException e) {
                throw gone(e);
            }
        }
    }

    private final class Out extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            send(ByteBuffer.wrap(bytes, offset, length));
        }
    }

    /**
     * Closes in a way that lets the client read our last words: a socket that is closed with input unread resets the
     * connection, and a reset throws away what the client has not read yet (RFC 9112, 9.6).
     */
    private void linger(Workspace w) throws ClientGone {
        flush();
        try {
            if (!Loomlet.withTimeout(LINGER, () -> { // TLS has something to write
                socket.shutdownOutput();
                return true;
            }, false)) {
                return;
            }
        } catch (IOException | UnsupportedOperationException e) {
            return;
        }
        long deadline = System.nanoTime() + LINGER.toNanos();
        for (int left = LINGER_BYTES; left > 0;) {
            int n = fill(w, deadline - System.nanoTime());
            if (n <= 0) {
                return;
            }
            left -= n;
        }
    }

    // --- output

    /** Writes what was gathered. */
    void flush() throws ClientGone {
        Workspace w = work;
        if (w != null && w.outEnd > 0) {
            int length = w.outEnd;
            w.outEnd = 0;
            send(ByteBuffer.wrap(w.out, 0, length));
        }
    }

    /** Writes what was gathered before while the handler of a later request waits; if it does not, this has no effect. */
    private void flushMeanwhile(Workspace w) {
        Greenlet<Void> helper = flusher;
        if (helper != null && !helper.ready()) {
            return;
        }
        flusher = server.hub().spawn("flush to " + remote(), () -> {
            if (work != w || writing || w.outEnd == 0) {
                return;
            }
            byte[] bytes = w.out;
            int length = w.outEnd;
            w.out = new byte[bytes.length];
            w.outEnd = 0;
            try {
                send(ByteBuffer.wrap(bytes, 0, length));
            } catch (ClientGone e) {
                // whoever writes next finds out
            }
        });
    }

    /** Writes all of it, whatever was gathered before it first. */
    void send(ByteBuffer bytes) throws ClientGone {
        while (writing) {
            Greenlet<Void> helper = flusher;
            if (helper == null || helper.ready()) {
                throw new IllegalStateException("two greenlets write one answer");
            }
            helper.join();
        }
        writing = true;
        try {
            if (fast != null) {
                fast.writeNow(bytes);
            }
            while (bytes.hasRemaining()) {
                sendWaiting(bytes);
            }
        } catch (IOException e) {
            throw gone(e);
        } finally {
            writing = false;
        }
    }

    /**
     * A part at a time, each with its time, and all of them with the time that the lowest rate leaves: a client that reads
     * slowly may, one that hardly reads may not.
     */
    private void sendWaiting(ByteBuffer bytes) throws IOException {
        ByteBuffer part = bytes.slice(bytes.position(), Math.min(bytes.remaining(), SLICE));
        long start = System.nanoTime();
        Timeout limit = Timeout.after(Duration.ofNanos(server.patience(server.writeTimeout(), written, unread)),
                this::tooSlow);
        try (limit) {
            if (fast != null) {
                fast.write(part);
            } else {
                socket.getOutputStream().write(part.array(), part.arrayOffset() + part.position(), part.remaining());
                part.position(part.limit());
            }
            limit.cancel();
        } catch (ClientGone e) {
            throw e;
        } catch (IOException e) { // the JDK's sockets are closed by what is to end a wait
            throw limit.fired() ? tooSlow() : e;
        } finally {
            unread += System.nanoTime() - start;
            written += part.position();
            bytes.position(bytes.position() + part.position());
        }
    }

    /** Closes at once: TLS would have a last word first, which is not going to be read either. */
    private ClientGone tooSlow() {
        try {
            plain.close();
        } catch (IOException e) {
            gone = true; // as it is anyway
        }
        return gone("the client has not read for " + server.writeTimeout().toMillis() + " ms, or less than "
                + server.minRate() + " bytes per second");
    }
}
