package dev.loomlet.net;

import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.internal.jdk.VirtualThreads;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Waiter;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The life of a {@link FastSocketImpl}: its descriptor, who may use it when, how one waits at it, and its options.
 *
 * <p>Its descriptor never blocks. Who finds nothing waits: a greenlet, or a hub's own thread, at a {@link Line} of its
 * loop; any other thread in the kernel's {@code poll}, or, a virtual thread of no hub, at the JDK's poller.
 *
 * <pre>
 *   NEW ──create──▶ UNCONNECTED ──connect──▶ CONNECTING ──▶ CONNECTED
 *    │                  │  │ bind, listen: stays       │           │
 *    │                  └──┴──────────── close ────────┴───────────┤
 *    ▼                                                             ▼
 *   CLOSED ◀──────────── both turns shut ──────────────────── CLOSING
 * </pre>
 *
 * <p>Whoever reads, accepts or connects owns the read turn meanwhile, whoever writes the write turn; the descriptor is
 * closed only when both turns are shut, so that nobody can meet a descriptor's number that is somebody else's by then. What
 * else uses the descriptor does so under {@link #lock}, as closing does; nothing waits under it.
 */
abstract class SocketLife extends SocketImpl {
    static final int NEW = 0;
    static final int UNCONNECTED = 1;
    static final int CONNECTING = 2;
    static final int CONNECTED = 3;
    private static final int CLOSING = 4;
    private static final int CLOSED = 5;

    /** After so many operations in a row that did not wait, others get their turn. */
    private static final int STREAK = 64;

    final boolean server;
    private final boolean strict; // a second reader is an error; else it waits
    final Object lock = new Object();
    final Turn readTurn = new Turn();
    final Turn writeTurn = new Turn();
    volatile int state;
    private int descriptor = -1;
    private @Nullable Closer closer;
    private Cleaner.@Nullable Cleanable cleanable;
    private volatile boolean turnsTaken; // asked for: nobody gets an error
    private volatile boolean lingers;
    private volatile int timeout; // of reads and accepts, milliseconds; 0: none
    volatile boolean inputShut;
    volatile boolean outputShut;
    int streak;
    private long blockedReader; // a thread in the kernel's poll, as NativeThread knows it; under lock
    private long blockedWriter;
    boolean unix;
    @Nullable SocketAddress unixPeer; // of a connection, or whom "accepting" is to connect to

    SocketLife(boolean server, boolean strict) {
        this.server = server;
        this.strict = strict;
    }

    /** The part that outlives the socket, when the program has lost it. */
    private static final class Closer implements Runnable {
        final FileDescriptor fd;
        volatile @Nullable Line lines;

        Closer(FileDescriptor fd) {
            this.fd = fd;
        }

        @Override
        public void run() {
            for (Line each = lines; each != null; each = each.next) {
                each.end();
            }
            try {
                SocketNatives.close(fd);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Why somebody waits. */
    private record Reason(String what, SocketLife socket) {
        @Override
        public String toString() {
            return what + " " + socket.where();
        }
    }

    String where() {
        if (unix) {
            return Addresses.format(unixAddress(!server));
        }
        InetAddress peer = address;
        return server || peer == null ? "port " + localport
                : Addresses.format(new InetSocketAddress(peer, port));
    }

    // --- life

    /** Lets a second reader, or writer, wait until the first is done. */
    void takeTurns() {
        turnsTaken = true;
    }

    void own(FileDescriptor newFd, int newState) {
        fd = newFd;
        descriptor = SocketNatives.value(newFd);
        Closer newCloser = new Closer(newFd);
        closer = newCloser;
        cleanable = SocketNatives.cleaner(this, newCloser);
        state = newState;
    }

    @Override
    protected void create(boolean stream) throws IOException {
        if (!stream) {
            throw new IOException("datagram sockets are made otherwise");
        }
        synchronized (lock) {
            if (state != NEW) {
                throw new SocketException("Already created");
            }
            own(SocketNatives.open(server), UNCONNECTED);
        }
    }

    boolean isUnix() {
        return unix;
    }

    /** Where it is bound, or where its peer is. */
    SocketAddress unixAddress(boolean peer) {
        SocketAddress known = unixPeer;
        if (peer && known != null) {
            return known;
        }
        synchronized (lock) {
            try {
                ensureOpen();
                return SocketNatives.localUnixAddress(fd);
            } catch (IOException e) {
                return UnixDomainSocketAddress.of("");
            }
        }
    }

    InetSocketAddress inetAddress() {
        return new InetSocketAddress(address, localport);
    }

    @Override
    protected int getLocalPort() {
        if (localport == 0 && !server && !unix) {
            synchronized (lock) {
                if (state == CONNECTED) {
                    try {
                        localport = SocketNatives.localAddress(fd).getPort();
                    } catch (IOException e) {
                        return 0;
                    }
                }
            }
        }
        return localport;
    }

    boolean open() {
        return state < CLOSING;
    }

    void ensureOpen() throws SocketException {
        int now = state;
        if (now == NEW) {
            throw new SocketException("Socket not created");
        }
        if (now >= CLOSING) {
            throw closed();
        }
    }

    void ensureConnected() throws SocketException {
        int now = state;
        if (now >= CLOSING) {
            throw closed();
        }
        if (now != CONNECTED) {
            throw new SocketException("Not connected");
        }
    }

    static SocketException closed() {
        return new SocketException("Socket closed");
    }

    @Override
    protected void close() throws IOException {
        if (nobodyUsesIt()) {
            free();
        }
    }

    /** Closes it for everybody, and says whether the descriptor can be closed as well. */
    private boolean nobodyUsesIt() throws IOException {
        synchronized (lock) {
            int before = state;
            if (before >= CLOSING) {
                return false;
            }
            if (before == NEW) {
                state = CLOSED;
                return false;
            }
            if (before == CONNECTED) {
                int _ = getLocalPort(); // is still asked for after the end
            }
            state = CLOSING;
            boolean readShut = readTurn.shut();
            boolean writeShut = writeTurn.shut();
            if (readShut && writeShut) {
                state = CLOSED;
                return true;
            }
            // Somebody uses it: the peer is told now, and who waits is woken; the last to leave frees the descriptor.
            if (before == CONNECTED) {
                try {
                    if (!Objects.equals(SocketNatives.getOption(fd, StandardSocketOptions.SO_LINGER), 0)) {
                        SocketNatives.shutdown(fd, SocketNatives.SHUTDOWN_OUTPUT);
                    }
                } catch (IOException e) {
                    // the connection is broken: all the better
                }
            }
            if (closer != null) {
                for (Line each = closer.lines; each != null; each = each.next) {
                    each.wake();
                }
            }
            if (blockedReader != 0 || blockedWriter != 0) {
                SocketNatives.preClose(fd, blockedReader, blockedWriter);
            }
            return false;
        }
    }

    /**
     * Both turns are shut: nobody uses the descriptor, and nobody will. With {@code SO_LINGER} the kernel waits in
     * {@code close} until the peer has taken everything, even if the descriptor never blocks: not on a hub's thread.
     */
    private void free() throws IOException {
        Cleaner.Cleanable last = cleanable;
        if (last == null) {
            return;
        }
        try {
            if (lingers && Loop.here() != null) {
                freeElsewhere(last);
            } else {
                last.clean();
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void freeElsewhere(Cleaner.Cleanable last) {
        Waiter waiter = new Waiter(new Reason("lingering at", this));
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("loomlet-linger").start(() -> {
            try {
                last.clean();
                done.complete(null);
            } catch (Throwable t) {
                done.completeExceptionally(t);
            } finally {
                waiter.resume(null);
            }
        });
        try {
            waiter.await(-1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // it is closed all the same
            return;
        }
        if (done.isCompletedExceptionally()) {
            switch (done.exceptionNow()) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException("cannot close " + this, e);
            }
        }
    }

    // --- turns

    void take(Turn turn, String what, long nanos) throws IOException {
        if (turn.tryTake()) {
            return;
        }
        if (turn.isShut()) {
            throw closed();
        }
        if (strict && !turnsTaken) {
            throw new ConcurrentUseException(Turn.describe(Thread.currentThread()) + " and " + turn.owner()
                    + " are both " + what + " " + where()
                    + ". Let one of them do it, or have them take turns (StreamSocket.takeTurns)");
        }
        try {
            if (!turn.take(nanos, new Reason("a turn at " + what, this))) {
                throw turn.isShut() ? closed() : timedOut(what);
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    void leave(Turn turn) {
        turn.leave();
        if (state >= CLOSING && turn.shut()) {
            synchronized (lock) {
                if (state != CLOSING || !readTurn.isShut() || !writeTurn.isShut()) {
                    return;
                }
                state = CLOSED;
            }
            try {
                free();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static SocketTimeoutException timedOut(String what) {
        return new SocketTimeoutException(switch (what) {
            case "reading from" -> "Read timed out";
            case "accepting at" -> "Accept timed out";
            default -> "Connect timed out";
        });
    }

    /** The socket's streams make of it what the JDK's do: the socket is closed. */
    static InterruptedIOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        InterruptedIOException exception = new InterruptedIOException(e.getMessage());
        exception.initCause(e);
        return exception;
    }

    // --- waiting

    /**
     * Whether a kill and a timeout arrive as an interrupt, which ends the connection. Who uses {@link java.net.Socket} does
     * not know of them: a pool of connections would lend this one to the next, who would read the rest of an answer that was
     * meant for another. Who uses {@link StreamSocket} can go on with it.
     */
    final boolean endsByInterrupt() {
        return !strict && !server;
    }

    /** The line of the caller's loop, or null if it is on none that watches descriptors. */
    @Nullable
    Line line() {
        Loop loop = Loop.here();
        Closer life = closer;
        if (loop == null || life == null) {
            return null;
        }
        Line first = life.lines;
        if (first != null && first.loop == loop) {
            return first;
        }
        return findLine(loop, life);
    }

    private @Nullable Line findLine(Loop loop, Closer life) {
        if (!loop.poller().watchesDescriptors()) {
            return null;
        }
        synchronized (lock) {
            for (Line each = life.lines; each != null; each = each.next) {
                if (each.loop == loop) {
                    return each;
                }
            }
            Line line = new Line(loop, life.fd, descriptor);
            line.next = life.lines;
            if (line.next != null && line.next.loop.closed()) {
                line.next = line.next.next;
            }
            life.lines = line;
            return line;
        }
    }

    void await(@Nullable Line line, boolean read, long nanos, String what) throws IOException {
        streak = 0;
        if (line == null) {
            block(read, nanos);
            return;
        }
        try {
            Reason reason = new Reason(what, this);
            boolean came = endsByInterrupt() ? line.awaitLikeTheJdk(read, nanos, reason)
                    : line.await(read, nanos, reason);
            if (!came && open()) {
                throw timedOut(what);
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Waits as threads do that belong to no hub; may return for no reason. */
    void block(boolean read, long nanos) throws IOException {
        long thread = SocketNatives.currentThread();
        synchronized (lock) {
            if (!open()) {
                return;
            }
            if (read) {
                blockedReader = thread;
            } else {
                blockedWriter = thread;
            }
        }
        try {
            if (Thread.currentThread().isVirtual()) {
                SocketNatives.pollParking(descriptor, read, nanos, this::open);
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted");
                }
            } else {
                SocketNatives.pollBlocking(fd, read, nanos);
            }
        } finally {
            synchronized (lock) {
                if (read) {
                    blockedReader = 0;
                } else {
                    blockedWriter = 0;
                }
            }
        }
    }

    /** Keeps one who never has to wait from keeping all others waiting. Before an operation: nothing is lost by a kill. */
    void share(@Nullable Line line) {
        if (line != null && ++streak >= STREAK) {
            streak = 0;
            Thread current = Thread.currentThread();
            if (current.isVirtual()) {
                if (endsByInterrupt()) {
                    VirtualThreads.giveWay(current);
                } else {
                    Loomlet.yieldNow();
                }
            }
        }
    }

    static long deadline(long nanos) {
        return nanos < 0 ? 0 : System.nanoTime() + nanos;
    }

    static long left(long nanos, long deadline, String what) throws SocketTimeoutException {
        if (nanos < 0) {
            return -1;
        }
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw timedOut(what);
        }
        return left;
    }

    void limit(int millis) {
        timeout = millis;
    }

    long timeoutNanos() {
        int millis = timeout;
        return millis == 0 ? -1 : millis * 1_000_000L;
    }

    // --- options

    private static final class Options {
        static final Set<SocketOption<?>> CLIENT = SocketNatives.options(false);
        static final Set<SocketOption<?>> SERVER = SocketNatives.options(true);
    }

    private static final class UnixOptions {
        static final Set<SocketOption<?>> CLIENT = SocketNatives.unixOptions(false);
        static final Set<SocketOption<?>> SERVER = SocketNatives.unixOptions(true);
    }

    @Override
    protected Set<SocketOption<?>> supportedOptions() {
        if (unix) {
            return server ? UnixOptions.SERVER : UnixOptions.CLIENT;
        }
        return server ? Options.SERVER : Options.CLIENT;
    }

    @Override
    protected <T> void setOption(SocketOption<T> option, T value) throws IOException {
        if (!supportedOptions().contains(option)) {
            throw new UnsupportedOperationException("'" + option + "' not supported");
        }
        if (!option.type().isInstance(value)) {
            throw new IllegalArgumentException("Invalid value '" + value + "'");
        }
        synchronized (lock) {
            ensureOpen();
            SocketNatives.setOption(fd, option, Objects.requireNonNull(value));
            if (option.equals(StandardSocketOptions.SO_LINGER)) {
                lingers = (Integer) value > 0;
            }
        }
    }

    @Override
    @SuppressWarnings("unchecked")
    protected <T> T getOption(SocketOption<T> option) throws IOException {
        if (!supportedOptions().contains(option)) {
            throw new UnsupportedOperationException("'" + option + "' not supported");
        }
        synchronized (lock) {
            ensureOpen();
            return (T) SocketNatives.getOption(fd, option);
        }
    }

    /** The options of the time before {@link SocketOption}. */
    private static SocketOption<?> named(int option) throws SocketException {
        return switch (option) {
            case TCP_NODELAY -> StandardSocketOptions.TCP_NODELAY;
            case SO_LINGER -> StandardSocketOptions.SO_LINGER;
            case IP_TOS -> StandardSocketOptions.IP_TOS;
            case SO_SNDBUF -> StandardSocketOptions.SO_SNDBUF;
            case SO_RCVBUF -> StandardSocketOptions.SO_RCVBUF;
            case SO_KEEPALIVE -> StandardSocketOptions.SO_KEEPALIVE;
            case SO_OOBINLINE -> SocketNatives.urgentInline();
            case SO_REUSEADDR -> StandardSocketOptions.SO_REUSEADDR;
            case SO_REUSEPORT -> StandardSocketOptions.SO_REUSEPORT;
            default -> throw new SocketException("Unknown option " + option);
        };
    }

    @Override
    public void setOption(int option, Object value) throws SocketException {
        synchronized (lock) {
            ensureOpen();
            if (option == SO_TIMEOUT) {
                if (!(value instanceof Integer millis) || millis < 0) {
                    throw new SocketException("Bad value for SO_TIMEOUT: " + value);
                }
                timeout = millis;
                return;
            }
            SocketOption<?> name = named(option);
            Object checked = option == SO_LINGER && Boolean.FALSE.equals(value) ? Integer.valueOf(-1) : value;
            if (!name.type().isInstance(checked)) {
                throw new SocketException("Bad value for " + name.name());
            }
            if ((option == SO_SNDBUF || option == SO_RCVBUF) && (Integer) checked <= 0) {
                throw new SocketException(name.name() + " <= 0");
            }
            try {
                SocketNatives.setOption(fd, name, checked);
                if (option == SO_LINGER) {
                    lingers = (Integer) checked > 0;
                }
            } catch (IOException | IllegalArgumentException e) {
                throw asSocketException(e);
            }
        }
    }

    @Override
    public Object getOption(int option) throws SocketException {
        synchronized (lock) {
            ensureOpen();
            if (option == SO_TIMEOUT) {
                return timeout;
            }
            try {
                if (option == SO_BINDADDR && !unix) {
                    return SocketNatives.localAddress(fd).getAddress();
                }
                Object value = SocketNatives.getOption(fd, named(option));
                return option == SO_LINGER && value.equals(-1) ? (Object) false : value;
            } catch (IOException | IllegalArgumentException e) {
                throw asSocketException(e);
            }
        }
    }

    private static SocketException asSocketException(Exception e) {
        if (e instanceof SocketException already) {
            return already;
        }
        SocketException exception = new SocketException(e.getMessage());
        exception.initCause(e);
        return exception;
    }
}
