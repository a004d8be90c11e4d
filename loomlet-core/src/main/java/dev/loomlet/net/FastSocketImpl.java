package dev.loomlet.net;

import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.SocketNatives;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The fast socket, under {@link java.net.Socket} and {@link java.net.ServerSocket}: how it is connected, and how bytes come
 * and go. Of its life, of who may use it when, and of waiting, the superclass takes care.
 */
final class FastSocketImpl extends SocketLife {
    /** What {@code java.net.ServerSocket} asks for where nobody has said how many may wait to be accepted. */
    private static final int JDK_BACKLOG = 50;

    /**
     * What is asked for instead; the kernel has a limit of its own. While real threads connect, another accepts; on a hub
     * hundreds may connect before the acceptor has its turn, and what overflows, the kernel drops in silence.
     */
    private static final int MANY = 4096;

    /** The read turn's; looked at without it only once the socket is closed, when it changes no more. */
    private boolean atEnd;

    private boolean reset; // read turn's
    private boolean ready; // listens since it was made

    FastSocketImpl(boolean server, boolean strict) {
        super(server, strict);
    }

    /** Called at the first use of a listening socket's options. */
    @Override
    protected void create(boolean stream) throws IOException {
        if (!ready) {
            super.create(stream);
        }
    }

    // --- Unix domain sockets, and listening sockets that came from elsewhere

    /** A listening one. */
    static FastSocketImpl listening(UnixDomainSocketAddress address, int backlog) throws IOException {
        FastSocketImpl impl = new FastSocketImpl(true, false);
        FileDescriptor fd = SocketNatives.openUnix();
        impl.ready = true;
        impl.unix = true;
        impl.own(fd, UNCONNECTED);
        try {
            SocketNatives.bindUnix(fd, address.getPath());
            impl.listen(backlog);
            return impl;
        } catch (Throwable t) {
            impl.close();
            throw t;
        }
    }

    /** One that this process was given. */
    static FastSocketImpl listening(int descriptor) throws IOException {
        FileDescriptor fd = SocketNatives.adoptListening(descriptor);
        FastSocketImpl impl = new FastSocketImpl(true, false);
        impl.ready = true;
        impl.unix = SocketNatives.isUnix(fd);
        impl.own(fd, UNCONNECTED);
        if (!impl.unix) {
            InetSocketAddress local = SocketNatives.localAddress(fd);
            impl.address = local.getAddress();
            impl.localport = local.getPort();
        }
        return impl;
    }

    /** A second socket for the same listening socket of the system. */
    FastSocketImpl share() throws IOException {
        int copy;
        synchronized (lock) {
            ensureOpen();
            copy = SocketNatives.duplicate(fd);
        }
        return listening(copy);
    }

    /**
     * One whose {@code accept} makes a connection to {@code address}: being accepted is the only way into the state
     * "connected" that a {@link java.net.Socket} has for addresses that are not of the Internet.
     */
    static FastSocketImpl dialling(UnixDomainSocketAddress address) {
        FastSocketImpl impl = new FastSocketImpl(true, false);
        impl.unixPeer = address;
        return impl;
    }

    private void dial(UnixDomainSocketAddress to, long nanos) throws IOException {
        synchronized (lock) {
            unix = true;
            own(SocketNatives.openUnix(), CONNECTING);
        }
        unixPeer = to;
        address = null;
        long deadline = deadline(nanos);
        long pause = 1_000_000;
        try {
            // The kernel does not tell when a full backlog has room again.
            while (!SocketNatives.connectUnix(fd, to.getPath())) {
                Loomlet.sleep(
                        Duration.ofNanos(Math.min(pause, nanos < 0 ? pause : left(nanos, deadline, "connecting to"))));
                pause = Math.min(2 * pause, 50_000_000);
            }
            state = CONNECTED;
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    // --- read and write

    /** One read: into an array, or into a direct buffer from its position on. */
    private interface Read {
        int from(@Nullable Line line) throws IOException;
    }

    int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        if (overForGood()) {
            return -1;
        }
        take(readTurn, "reading from", timeoutNanos());
        try {
            if (mayRead()) {
                Line line = line();
                if (line == null) {
                    return readOrWait(null, _ -> SocketNatives.read(fd, bytes, offset, length));
                }
                share(line);
                // As readOrWait, but with fewer frames: a greenlet that waits here keeps them all in memory.
                long nanos = timeoutNanos();
                long deadline = deadline(nanos);
                for (;;) {
                    int n = line.readable ? line.read(bytes, offset, length) : SocketNatives.UNAVAILABLE;
                    if (n > 0) {
                        return n;
                    }
                    if (n == SocketNatives.EOF || inputShut) {
                        if (open()) {
                            atEnd = true;
                            return -1;
                        }
                    } else if (n == SocketNatives.UNAVAILABLE) {
                        streak = 0;
                        if (!line.awaitReadable(left(nanos, deadline, "reading from"), this) && open()) {
                            throw timedOut("reading from");
                        }
                    }
                    if (!open()) {
                        throw closed();
                    }
                }
            }
            atEnd = true;
            return -1;
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (SocketException e) {
            throw remember(e);
        } finally {
            leave(readTurn);
        }
    }

    int read(ByteBuffer buffer) throws IOException {
        int length = buffer.remaining();
        if (length == 0) {
            return 0;
        }
        if (buffer.hasArray()) {
            int n = read(buffer.array(), buffer.arrayOffset() + buffer.position(), length);
            if (n > 0) {
                buffer.position(buffer.position() + n);
            }
            return n;
        }
        if (buffer.isReadOnly()) {
            throw new java.nio.ReadOnlyBufferException();
        }
        if (overForGood()) {
            return -1;
        }
        take(readTurn, "reading from", timeoutNanos());
        try {
            if (!mayRead()) {
                atEnd = true;
                return -1;
            }
            Line line = line();
            share(line);
            int n = readOrWait(line, each -> {
                int got = SocketNatives.read(fd, buffer);
                if (each != null && got < length) {
                    each.drained(got);
                }
                return got;
            });
            if (n > 0) {
                buffer.position(buffer.position() + n);
            }
            return n;
        } catch (SocketException e) {
            throw remember(e);
        } finally {
            leave(readTurn);
        }
    }

    /** Reads what is there and never waits; 0 if nothing is. */
    int readNow(ByteBuffer buffer) throws IOException {
        if (buffer.isReadOnly()) {
            throw new java.nio.ReadOnlyBufferException();
        }
        int length = buffer.remaining();
        if (length == 0) {
            return 0;
        }
        if (overForGood()) {
            return -1;
        }
        take(readTurn, "reading from", timeoutNanos());
        try {
            if (!mayRead()) {
                atEnd = true;
                return -1;
            }
            Line line = line();
            if (line != null && !line.readable) {
                return 0;
            }
            share(line);
            int n;
            do {
                if (line != null && buffer.hasArray()) {
                    n = line.read(buffer.array(), buffer.arrayOffset() + buffer.position(), length);
                } else if (buffer.hasArray()) {
                    n = SocketNatives.read(fd, buffer.array(), buffer.arrayOffset() + buffer.position(), length);
                } else {
                    n = SocketNatives.read(fd, buffer);
                    if (line != null && n < length) {
                        line.drained(n);
                    }
                }
            } while (n == SocketNatives.INTERRUPTED && open());
            if (n > 0) {
                buffer.position(buffer.position() + n);
                return n;
            }
            if (!open()) {
                throw closed();
            }
            if (n == SocketNatives.EOF || inputShut) {
                atEnd = true;
                return -1;
            }
            return 0;
        } catch (SocketException e) {
            throw remember(e);
        } finally {
            leave(readTurn);
        }
    }

    /** Waits until a read may find something, or the end, or an error; false if the time is over. */
    boolean awaitReadable(long nanos) throws IOException {
        take(readTurn, "reading from", nanos);
        try {
            if (!mayRead()) {
                return true;
            }
            Line line = line();
            if (line == null) {
                block(true, nanos);
            } else if (!line.readable) {
                streak = 0;
                if (!line.awaitReadable(nanos, this) && open()) {
                    return line.readable;
                }
            }
            if (!open()) {
                throw closed();
            }
            return true;
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            leave(readTurn);
        }
    }

    /** Writes what there is room for and never waits; 0 if there is none. */
    int writeNow(ByteBuffer buffer) throws IOException {
        int length = buffer.remaining();
        if (length == 0) {
            return 0;
        }
        if (buffer.isReadOnly() && !buffer.isDirect()) {
            ByteBuffer copy = ByteBuffer.allocate(Math.min(length, 16 * 1024));
            copy.put(0, buffer, buffer.position(), copy.capacity());
            int n = writeNow(copy);
            buffer.position(buffer.position() + n);
            return n;
        }
        take(writeTurn, "writing to", -1);
        try {
            ensureConnected();
            Line line = line();
            if (line != null && !line.writable) {
                return 0;
            }
            share(line);
            int n;
            do {
                if (!buffer.hasArray()) {
                    n = SocketNatives.write(fd, buffer);
                    if (line != null && n == SocketNatives.UNAVAILABLE) {
                        line.writable = false;
                    }
                } else {
                    int from = buffer.arrayOffset() + buffer.position();
                    n = line != null ? line.write(buffer.array(), from, length)
                            : SocketNatives.write(fd, buffer.array(), from, length);
                }
            } while (n == SocketNatives.INTERRUPTED && open());
            if (!open()) {
                throw closed();
            }
            if (n <= 0) {
                return 0;
            }
            buffer.position(buffer.position() + n);
            return n;
        } finally {
            leave(writeTurn);
        }
    }

    /** Who has seen the end sees it again, also after the close, as at the JDK's sockets. */
    private boolean overForGood() {
        return atEnd && !open();
    }

    private boolean mayRead() throws SocketException {
        ensureConnected();
        if (reset) {
            throw new SocketException("Connection reset");
        }
        return !atEnd && !inputShut;
    }

    private SocketException remember(SocketException e) {
        if ("Connection reset".equals(e.getMessage())) {
            reset = true; // the kernel says it only once
        }
        return e;
    }

    private int readOrWait(@Nullable Line line, Read read) throws IOException {
        long nanos = timeoutNanos();
        long deadline = deadline(nanos);
        for (;;) {
            int n = line == null || line.readable ? read.from(line) : SocketNatives.UNAVAILABLE;
            if (n > 0) {
                return n;
            }
            if (n == SocketNatives.EOF || inputShut) {
                if (!open()) {
                    throw closed();
                }
                atEnd = true;
                return -1;
            }
            if (n == SocketNatives.UNAVAILABLE) {
                await(line, true, left(nanos, deadline, "reading from"), "reading from");
            }
            if (!open()) {
                throw closed();
            }
        }
    }

    void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return;
        }
        take(writeTurn, "writing to", -1);
        try {
            int done = 0;
            while (done < length) {
                done += write1(bytes, offset + done, length - done);
            }
        } finally {
            leave(writeTurn);
        }
    }

    /** Writes some of it, waiting for room if there is none. */
    private int write1(byte[] bytes, int offset, int length) throws IOException {
        ensureConnected();
        Line line = line();
        share(line);
        for (;;) {
            int n = line == null ? SocketNatives.write(fd, bytes, offset, length)
                    : line.writable ? line.send(bytes, offset, length, this) : SocketNatives.UNAVAILABLE;
            if (n > 0) {
                return n;
            }
            if (n == SocketNatives.UNAVAILABLE) {
                await(line, false, -1, "writing to");
            }
            if (!open()) {
                throw closed();
            }
        }
    }

    /** Writes all of the buffers; what was written when this throws shows in their positions. */
    void write(ByteBuffer... buffers) throws IOException {
        take(writeTurn, "writing to", -1);
        try {
            ByteBuffer[] one = gather(buffers);
            if (one.length == 1) {
                byte[] bytes = one[0].array();
                for (int done = 0; done < bytes.length;) {
                    int n = write1(bytes, done, bytes.length - done);
                    done += n;
                    for (ByteBuffer each : buffers) {
                        int part = Math.min(n, each.remaining());
                        each.position(each.position() + part);
                        n -= part;
                    }
                }
                return;
            }
            for (ByteBuffer each : buffers) {
                while (each.hasRemaining()) {
                    each.position(each.position() + writeSome(each));
                }
            }
        } finally {
            leave(writeTurn);
        }
    }

    /** Several small buffers travel as one: a copy costs less than a system call and a packet each. */
    private static ByteBuffer[] gather(ByteBuffer[] buffers) {
        long size = 0;
        for (ByteBuffer each : buffers) {
            size += each.remaining();
        }
        if (buffers.length < 2 || size > 16 * 1024) {
            return buffers.length == 1 ? new ByteBuffer[0] : buffers;
        }
        ByteBuffer all = ByteBuffer.allocate((int) size);
        for (ByteBuffer each : buffers) {
            all.put(each.duplicate());
        }
        return new ByteBuffer[] {all};
    }

    private int writeSome(ByteBuffer buffer) throws IOException {
        if (buffer.hasArray()) {
            return write1(buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
        }
        if (!buffer.isDirect()) { // read-only, in the heap
            byte[] copy = new byte[Math.min(buffer.remaining(), 16 * 1024)];
            buffer.duplicate().get(copy);
            return write1(copy, 0, copy.length);
        }
        ensureConnected();
        Line line = line();
        share(line);
        for (;;) {
            int n = line == null || line.writable ? SocketNatives.write(fd, buffer) : SocketNatives.UNAVAILABLE;
            if (n > 0) {
                return n;
            }
            if (n == SocketNatives.UNAVAILABLE) {
                if (line != null) {
                    line.writable = false;
                }
                await(line, false, -1, "writing to");
            }
            if (!open()) {
                throw closed();
            }
        }
    }

    @Override
    protected InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return FastSocketImpl.this.read(one, 0, 1) > 0 ? one[0] & 0xff : -1;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return FastSocketImpl.this.read(bytes, offset, length);
            }

            @Override
            public int available() throws IOException {
                return FastSocketImpl.this.available();
            }

            @Override
            public void close() throws IOException {
                FastSocketImpl.this.close();
            }
        };
    }

    @Override
    protected OutputStream getOutputStream() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                FastSocketImpl.this.write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                FastSocketImpl.this.write(bytes, offset, length);
            }

            @Override
            public void close() throws IOException {
                FastSocketImpl.this.close();
            }
        };
    }

    @Override
    protected int available() throws IOException {
        synchronized (lock) {
            ensureConnected();
            return inputShut ? 0 : SocketNatives.available(fd);
        }
    }

    // --- connect and accept

    @Override
    protected void connect(String host, int port) throws IOException {
        connect(new InetSocketAddress(host, port), 0);
    }

    @Override
    protected void connect(InetAddress address, int port) throws IOException {
        connect(new InetSocketAddress(address, port), 0);
    }

    @Override
    protected void connect(SocketAddress remote, int millis) throws IOException {
        if (!(remote instanceof InetSocketAddress peer)) {
            throw new IOException("Unsupported address type");
        }
        boolean done = false;
        try {
            if (peer.isUnresolved()) {
                throw new UnknownHostException(peer.getHostName());
            }
            InetAddress to = peer.getAddress();
            if (to.isAnyLocalAddress()) {
                to = InetAddress.getLocalHost();
            }
            take(readTurn, "connecting to", millis == 0 ? -1 : millis * 1_000_000L);
            try {
                connect(to, peer.getPort(), millis == 0 ? -1 : millis * 1_000_000L);
                done = true;
            } finally {
                leave(readTurn);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (InterruptedIOException e) {
            if (!Thread.currentThread().isVirtual()) {
                throw e;
            }
            SocketException told = new SocketException("Closed by interrupt");
            told.initCause(e);
            throw told;
        } finally {
            if (!done) {
                close(); // half a connection is of no use, whatever ended it
            }
        }
    }

    private void connect(InetAddress to, int toPort, long nanos) throws IOException {
        synchronized (lock) {
            ensureOpen();
            if (state != UNCONNECTED) {
                throw new SocketException(state == CONNECTED ? "Already connected" : "Connection in progress");
            }
            state = CONNECTING;
            address = to;
            port = toPort;
        }
        try {
            if (!SocketNatives.connect(fd, to, toPort)) {
                Line line = line();
                long deadline = deadline(nanos);
                do {
                    await(line, false, left(nanos, deadline, "connecting to"), "connecting to");
                    if (!open()) {
                        throw closed();
                    }
                } while (!SocketNatives.connected(fd));
            }
        } catch (java.net.ConnectException e) {
            var told = new java.net.ConnectException(e.getMessage()); // its stack is ours, not the native's
            told.initCause(e);
            throw told;
        }
        synchronized (lock) {
            if (state != CONNECTING) {
                throw closed();
            }
            state = CONNECTED;
        }
    }

    @Override
    protected void bind(InetAddress host, int port) throws IOException {
        synchronized (lock) {
            ensureOpen();
            if (localport != 0) {
                throw new SocketException("Already bound");
            }
            SocketNatives.bind(fd, host, port);
            address = host;
            localport = SocketNatives.localAddress(fd).getPort();
        }
    }

    @Override
    protected void listen(int backlog) throws IOException {
        synchronized (lock) {
            ensureOpen();
            SocketNatives.listen(fd, backlog < 1 || backlog == JDK_BACKLOG ? MANY : backlog);
        }
    }

    @Override
    protected void accept(SocketImpl other) throws IOException {
        if (!(other instanceof FastSocketImpl connection) || connection.state != NEW) {
            throw new SocketException("cannot accept a connection into " + other.getClass().getName());
        }
        if (unixPeer instanceof UnixDomainSocketAddress to) {
            connection.dial(to, timeoutNanos());
            return;
        }
        FileDescriptor newFd = new FileDescriptor();
        String[] unixPeers = new String[1];
        InetSocketAddress[] peer = new InetSocketAddress[1];
        long nanos = timeoutNanos();
        long deadline = deadline(nanos); // the wait for the turn counts
        take(readTurn, "accepting at", nanos);
        try {
            ensureOpen();
            Line line = line();
            for (;;) {
                int n = line != null && !line.readable ? SocketNatives.UNAVAILABLE
                        : unix ? SocketNatives.acceptUnix(fd, newFd, unixPeers) : SocketNatives.accept(fd, newFd, peer);
                if (n > 0) {
                    break;
                }
                if (n == SocketNatives.UNAVAILABLE) {
                    if (line != null) {
                        line.readable = false;
                    }
                    await(line, true, left(nanos, deadline, "accepting at"), "accepting at");
                }
                if (!open()) {
                    throw closed();
                }
            }
        } finally {
            leave(readTurn);
        }
        if (unix) {
            connection.unix = true;
            connection.own(newFd, CONNECTED);
            connection.unixPeer = UnixDomainSocketAddress.of(unixPeers[0]);
            connection.address = null;
            return;
        }
        connection.own(newFd, CONNECTED);
        connection.address = peer[0].getAddress();
        connection.port = peer[0].getPort();
    }

    // --- half close, urgent data

    @Override
    protected void shutdownInput() throws IOException {
        synchronized (lock) {
            ensureConnected();
            if (!inputShut) {
                SocketNatives.shutdown(fd, SocketNatives.SHUTDOWN_INPUT);
                inputShut = true;
            }
        }
    }

    @Override
    protected void shutdownOutput() throws IOException {
        synchronized (lock) {
            ensureConnected();
            if (!outputShut) {
                SocketNatives.shutdown(fd, SocketNatives.SHUTDOWN_OUTPUT);
                outputShut = true;
            }
        }
    }

    @Override
    protected boolean supportsUrgentData() {
        return true;
    }

    @Override
    protected void sendUrgentData(int data) throws IOException {
        take(writeTurn, "writing to", -1);
        try {
            ensureConnected();
            int n;
            do {
                n = SocketNatives.sendUrgent(fd, (byte) data);
            } while (n == SocketNatives.INTERRUPTED);
            if (n == SocketNatives.UNAVAILABLE) {
                throw new SocketException("No buffer space available");
            }
        } finally {
            leave(writeTurn);
        }
    }
}
