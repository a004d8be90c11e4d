package dev.loomlet.net;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Socket} whose waits are Loomlet's own: the connections that {@link StreamServer} hands out and
 * {@link Sockets#connect} makes. Everything that takes a {@code Socket} takes it.
 *
 * <p>What is better than in a JDK socket:
 * <ul>
 * <li><b>kill and timeout at a read or write never cost the connection</b>: they are thrown there, and the socket can be
 * used on; no byte that was read is lost. A write that has sent some of its bytes when it is ended has sent them: use
 * {@link #write(ByteBuffer...)} to see how many;
 * <li>a second reader at the same time, which is nearly always a mistake, gets a {@link ConcurrentUseException} that names
 * both, and so does a second writer; {@link #takeTurns} lets them wait instead;
 * <li>it is registered with the hub's poller once, and not for each wait.
 * </ul>
 *
 * <p>An interrupt of the waiting thread does what it does in the JDK to a virtual thread: the socket is closed, and
 * {@link SocketException} thrown. Closing it from any greenlet or thread ends all waits at it, with "Socket closed".
 *
 * <p><b>A write that must not take too long.</b> {@code SO_TIMEOUT} is for reads, as in the JDK. A peer that does not read
 * stops a write once the kernel's buffers are full; in a greenlet a {@link dev.loomlet.Timeout} around it ends it, and the
 * positions of the buffers tell how far it got:
 *
 * {@snippet :
 * try (var _ = Timeout.after(ofSeconds(5))) {
 *     socket.write(buffer);
 * }
 * }
 *
 * <p><b>Threads.</b> Any. A greenlet that waits parks, a hub's own thread runs the hub meanwhile, another thread blocks.
 */
public final class StreamSocket extends Socket {
    private static final int AHEAD = 1024;

    private final FastSocketImpl impl;

    // What a read for TLS has found beyond what it was asked for; the reader's.
    private byte @Nullable [] ahead;
    private int aheadAt;
    private int aheadEnd;

    StreamSocket() throws SocketException {
        this(new FastSocketImpl(false, true));
    }

    private StreamSocket(FastSocketImpl impl) throws SocketException {
        super(impl);
        this.impl = impl;
    }

    /** The JDK would wrap the streams below twice: frames that every waiting greenlet keeps in memory. */
    private final class In extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) > 0 ? one[0] & 0xff : -1;
        }

        @Override
        public int read(byte[] bytes) throws IOException {
            return read(bytes, 0, bytes.length);
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            try {
                return ahead == null ? impl.read(bytes, offset, length) : readAhead(bytes, offset, length);
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (InterruptedIOException e) {
                throw closedByInterrupt(e);
            }
        }

        @Override
        public int available() throws IOException {
            return impl.available() + (aheadEnd - aheadAt);
        }

        @Override
        public void close() throws IOException {
            StreamSocket.this.close();
        }
    }

    private final class Out extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                impl.write(bytes, offset, length);
            } catch (InterruptedIOException e) {
                throw closedByInterrupt(e);
            }
        }

        @Override
        public void close() throws IOException {
            StreamSocket.this.close();
        }
    }

    /**
     * From now on reads look ahead a little: TLS asks for the five bytes that begin a record, and then for the rest, and a short
     * one is there as a whole after one call of the system.
     */
    void lookAhead() {
        ahead = new byte[AHEAD];
    }

    private int readAhead(byte[] bytes, int offset, int length) throws IOException {
        byte[] buffer = Objects.requireNonNull(ahead);
        if (aheadAt == aheadEnd) {
            if (length >= AHEAD || length == 0) {
                return impl.read(bytes, offset, length);
            }
            int n = impl.read(buffer, 0, AHEAD);
            if (n <= 0) {
                return n;
            }
            aheadAt = 0;
            aheadEnd = n;
        }
        int n = Math.min(length, aheadEnd - aheadAt);
        System.arraycopy(buffer, aheadAt, bytes, offset, n);
        aheadAt += n;
        return n;
    }

    @Override
    public InputStream getInputStream() throws IOException {
        check(isInputShutdown(), "Socket input is shutdown");
        return new In();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        check(isOutputShutdown(), "Socket output is shutdown");
        return new Out();
    }

    /** Its peer; for a Unix domain socket a {@link java.net.UnixDomainSocketAddress}, unnamed if the peer was not bound. */
    @Override
    public SocketAddress getRemoteSocketAddress() {
        return impl.isUnix() ? impl.unixAddress(true) : super.getRemoteSocketAddress();
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return impl.isUnix() ? impl.unixAddress(false) : super.getLocalSocketAddress();
    }

    /** {@code TCP_NODELAY}; a Unix domain socket has nothing to delay. */
    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
        if (!impl.isUnix()) {
            super.setTcpNoDelay(on);
        }
    }

    @Override
    public String toString() {
        return impl.isUnix() ? "Socket[" + Addresses.format(impl.unixAddress(true)) + "]" : super.toString();
    }

    private void check(boolean shut, String problem) throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
        if (!isConnected()) {
            throw new SocketException("Socket is not connected");
        }
        if (shut) {
            throw new SocketException(problem);
        }
    }

    /**
     * Lets several greenlets read at the same time, or write: the second waits until the first is done, as with JDK
     * sockets, instead of getting an error.
     *
     * @return this
     */
    public StreamSocket takeTurns() {
        impl.takeTurns();
        return this;
    }

    /**
     * Reads what is there into the buffer, waiting until something is. {@code SO_TIMEOUT} applies.
     *
     * @return how many bytes, by which the position went on; -1 at the end of the stream
     */
    public int read(ByteBuffer buffer) throws IOException {
        try {
            return impl.read(buffer);
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (InterruptedIOException e) {
            throw closedByInterrupt(e);
        }
    }

    /**
     * Writes all of the buffers, in as few packets as it can, waiting for room when there is none. However it ends, their
     * positions tell what has been written.
     */
    public void write(ByteBuffer... buffers) throws IOException {
        try {
            impl.write(buffers);
        } catch (InterruptedIOException e) {
            throw closedByInterrupt(e);
        }
    }

    /**
     * Reads what is there into the buffer, without waiting. Together with {@link #awaitReadable} it lets a server keep
     * buffers for the connections that have something to say, and none for those that are silent:
     *
     * {@snippet :
     * for (;;) {
     *     ByteBuffer buffer = spare.take();
     *     int n = socket.readNow(buffer);
     *     if (n != 0) {
     *         return n;               // bytes, or -1 for the end
     *     }
     *     spare.giveBack(buffer);
     *     socket.awaitReadable(ofMinutes(1));
     * }
     * }
     *
     * @return how many bytes, by which the position went on; 0 if there is nothing yet; -1 at the end of the stream
     */
    public int readNow(ByteBuffer buffer) throws IOException {
        return impl.readNow(buffer);
    }

    /**
     * Waits until a read may find something: bytes, the end of the stream, or an error. {@code SO_TIMEOUT} does not apply.
     * Kill and timeout of the greenlet are thrown here and cost nothing.
     *
     * @return false if the time is over
     */
    public boolean awaitReadable(Duration timeout) throws IOException {
        if (aheadAt < aheadEnd) {
            return true;
        }
        try {
            return impl.awaitReadable(timeout.isNegative() ? 0 : TimeUnit.NANOSECONDS.convert(timeout));
        } catch (InterruptedIOException e) {
            throw closedByInterrupt(e);
        }
    }

    /**
     * Writes as much of the buffer as there is room for, without waiting.
     *
     * @return how many bytes, by which the position went on; 0 if there is no room
     */
    public int writeNow(ByteBuffer buffer) throws IOException {
        return impl.writeNow(buffer);
    }

    private IOException closedByInterrupt(InterruptedIOException e) throws IOException {
        if (!Thread.currentThread().isVirtual()) {
            return e;
        }
        close();
        SocketException exception = new SocketException("Closed by interrupt");
        exception.initCause(e);
        return exception;
    }
}
