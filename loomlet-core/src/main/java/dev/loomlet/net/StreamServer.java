package dev.loomlet.net;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Wrapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * A TCP server: each connection gets a greenlet that runs your handler, which is plain blocking code. All of them run on
 * the hub's one thread, so what they share needs no locks.
 *
 * {@snippet :
 * try (var server = StreamServer.listen("127.0.0.1:8080", socket -> chat(socket, rooms))) {
 *     server.serveForever();
 * }
 * }
 *
 * <p>{@link #builder} offers more:
 *
 * {@snippet :
 * var server = StreamServer.builder("127.0.0.1:0", socket -> chat(socket, rooms))
 *         .backlog(1024)
 *         .limit(500)          // the 501st waits in the kernel's backlog until one of the 500 has left
 *         .build();
 * server.start();
 * System.out.println("http://localhost:" + server.port());
 * }
 *
 * <pre>
 *   NEW ──start──▶ ACCEPTING ──stop──▶ STOPPING ──handlers gone──▶ STOPPED
 *                  │  ▲    │  ▲
 *             full ▼  │    ▼  │ error in accept or spawn
 *              (one leaves) (waits 0.01 s, doubling up to 1 s)
 * </pre>
 *
 * <p><b>Errors.</b> What a handler throws ends its connection only, and goes to {@link Hub#onError} under a greenlet whose
 * name holds the peer's address. When a connection cannot be accepted or its handler not be spawned, as when descriptors
 * run out, that is reported as well and the server pauses for 0.01 s, twice as long each time up to a second, until one
 * succeeds. It ends by itself only when its listening socket is closed by somebody else.
 *
 * <p><b>Kill and timeout.</b> Killing a handler's greenlet closes its connection. Killing a greenlet in
 * {@link #serveForever} stops the server.
 *
 * <p><b>Threads.</b> It belongs to the hub of the thread that starts it. Every method may be called from any thread.
 *
 * <p>gevent's {@code StreamServer}. Unlike there, {@link #stop} ends running handlers also when there is no limit.
 */
public final class StreamServer implements AutoCloseable {
    /** How long {@link #stop()} and {@link #close()} let handlers finish. */
    public static final Duration GRACE = Duration.ofSeconds(1);

    private static final int MAX_ACCEPTS = 100; // in a row, before others get their turn
    private static final long MIN_DELAY = 10_000_000L;
    private static final long MAX_DELAY = 1_000_000_000L;

    private static final System.Logger LOG = System.getLogger("dev.loomlet.net");

    private final SocketAddress address;
    private volatile SocketAddress lastBound;
    private final @Nullable ServerSocket given; // a listening socket from elsewhere
    private final ConnectionHandler handler;
    private final int backlog;
    private final int limit;
    private final boolean noDelay;
    private final boolean reusePort;
    private final @Nullable Tls tls;
    private volatile long failedHandshakes; // written on the hub's thread
    private final Served anchor = new Served(this, null); // of the ring of open connections; on the hub's thread
    private int connections;
    private volatile @Nullable ServerSocket listener;
    private volatile @Nullable Greenlet<Void> acceptor;
    private volatile @Nullable Waiter pause; // the acceptor's, while it waits for a place or for better times
    private volatile boolean stopping;
    private volatile Duration grace = GRACE;
    private volatile @Nullable Greenlet<?> stopper; // the handler that called stop: nobody waits for it, nor kills it

    /** What the greenlets of all connections have been spawned by, see {@link Served#wrapped}. */
    private static final Action SPAWN_SITE = () -> {};

    /**
     * One connection: what its greenlet runs, and where the server finds it. One object and one method, since there is one
     * of each for every connection that is idle.
     */
    private static final class Served implements Action, Wrapper {
        final StreamServer server;
        final @Nullable Socket socket;
        @Nullable Greenlet<Void> greenlet;
        Served previous = this;
        Served next = this;

        Served(StreamServer server, @Nullable Socket socket) {
            this.server = server;
            this.socket = socket;
        }

        @Override
        public void run() throws Exception {
            try (Socket mine = Objects.requireNonNull(socket)) {
                if (server.tls == null) {
                    server.handler.handle(mine);
                } else {
                    server.serveSecurely(server.tls, mine);
                }
            } finally {
                server.left(this);
            }
        }

        /** A class with one place where it is spawned, as far as the program knows: nobody has to walk a stack for it. */
        @Override
        public Object wrapped() {
            return SPAWN_SITE;
        }

        /** The greenlet's name. */
        @Override
        public String toString() {
            return "connection from " + (socket == null || socket.getRemoteSocketAddress() == null ? "nobody"
                    : Addresses.format(socket.getRemoteSocketAddress()));
        }
    }

    private static final Duration GOODBYE = Duration.ofSeconds(1);

    private StreamServer(Builder builder) {
        address = builder.address;
        lastBound = address;
        handler = builder.handler;
        backlog = builder.backlog;
        limit = builder.limit;
        noDelay = builder.noDelay;
        reusePort = builder.reusePort;
        tls = builder.tls;
        given = builder.given;
    }

    /**
     * A server that is bound and accepts: clients can connect from now on, and are served as soon as the hub runs.
     *
     * @param address {@code host:port}, {@code [ipv6]:port}, or {@code :port} for all addresses, where port 0 picks a free
     *     one; or {@code unix:/path} for a Unix domain socket, whose file must not exist and stays when the server ends
     * @throws IOException if the address cannot be bound; the message names it
     */
    public static StreamServer listen(String address, ConnectionHandler handler) throws IOException {
        return builder(address, handler).build().start();
    }

    /** As {@link #listen(String, ConnectionHandler)}. */
    public static StreamServer listen(SocketAddress address, ConnectionHandler handler) throws IOException {
        return builder(address, handler).build().start();
    }

    /** For a server that is not bound before its {@link #start}. */
    public static Builder builder(String address, ConnectionHandler handler) throws IOException {
        return new Builder(Addresses.parseAny(address), null, handler);
    }

    /**
     * For a server that is not bound before its {@link #start}.
     *
     * @param address an {@link InetSocketAddress} or a {@link java.net.UnixDomainSocketAddress}
     */
    public static Builder builder(SocketAddress address, ConnectionHandler handler) {
        return new Builder(address, null, handler);
    }

    /**
     * For a server on a listening socket from elsewhere: {@link Sockets#inherited} from whoever started this process, or
     * {@link Sockets#share shared} with a server on another hub. The server closes it.
     *
     * @throws IllegalArgumentException if it is not bound
     */
    public static Builder builder(ServerSocket listening, ConnectionHandler handler) {
        if (!listening.isBound()) {
            throw new IllegalArgumentException(listening + " is not bound");
        }
        return new Builder(listening.getLocalSocketAddress(), listening, handler);
    }

    /** What a server can be told before it starts. */
    public static final class Builder {
        private final SocketAddress address;
        private final @Nullable ServerSocket given;
        private final ConnectionHandler handler;
        private int backlog = 128;
        private boolean reusePort;
        private @Nullable Tls tls;
        private int limit = Integer.MAX_VALUE;
        private boolean noDelay = true;

        private Builder(SocketAddress address, @Nullable ServerSocket given, ConnectionHandler handler) {
            this.address = address;
            this.given = given;
            this.handler = handler;
        }

        /**
         * How many connections the kernel holds that have not been accepted yet; 128 by default. A listening socket that
         * was given keeps what it has.
         */
        public Builder backlog(int connections) {
            backlog = positive(connections, "backlog");
            return this;
        }

        /** How many connections are served at a time; the others wait in the backlog. No limit by default. */
        public Builder limit(int connections) {
            limit = positive(connections, "limit");
            return this;
        }

        /** Whether what is written is sent at once ({@code TCP_NODELAY}); true by default. */
        public Builder noDelay(boolean on) {
            noDelay = on;
            return this;
        }

        /**
         * Whether other servers, of this process or another, may listen at the same port ({@code SO_REUSEPORT}); the kernel
         * then deals connections out among them. False by default.
         */
        public Builder reusePort(boolean on) {
            reusePort = on;
            return this;
        }

        /**
         * Speaks TLS: the handler gets an {@link SSLSocket} with which hands have been shaken. The handshake is done in the
         * connection's own greenlet and counts as one of those that {@link #limit} allows.
         */
        public Builder tls(Tls tls) {
            this.tls = tls;
            return this;
        }

        /** A server that waits for its {@link StreamServer#start}. */
        public StreamServer build() {
            return new StreamServer(this);
        }

        private static int positive(int value, String what) {
            if (value < 1) {
                throw new IllegalArgumentException(what + " must be at least 1, not " + value);
            }
            return value;
        }
    }

    /**
     * Binds, listens, and accepts on the hub of the calling thread. Calling it again is harmless.
     *
     * @return this
     * @throws IOException if the address cannot be bound; the message names it
     * @throws IllegalStateException if it was stopped: make a new one
     */
    public synchronized StreamServer start() throws IOException {
        if (stopping) {
            throw new IllegalStateException(this + " cannot be started again; make a new one");
        }
        if (listener != null) {
            return this;
        }
        Hub hub = Hub.current();
        ServerSocket socket;
        try {
            socket = given != null ? given : Sockets.listen(address, backlog, reusePort);
        } catch (IOException e) {
            throw new IOException("cannot listen at " + Addresses.format(address) + ": " + e.getMessage(), e);
        }
        try {
            listener = socket;
            Greenlet<Void> greenlet = hub.spawn("server at " + Addresses.format(socket.getLocalSocketAddress()),
                    () -> accept(socket, hub));
            acceptor = greenlet;
            greenlet.link(each -> closeListener()); // killed before its first turn, its body never runs
            return this;
        } catch (RuntimeException e) {
            listener = null;
            socket.close();
            throw e;
        }
    }

    /**
     * Starts, if that was not done, and waits until the server has been stopped. A kill of the waiting greenlet, or an
     * interrupt, stops it.
     *
     * @throws IOException if the address cannot be bound
     */
    public void serveForever() throws IOException {
        start();
        Greenlet<Void> greenlet = acceptor;
        if (greenlet == null) {
            return;
        }
        try {
            greenlet.join();
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    /** {@link #stop(Duration)} with {@link #GRACE}, a second. */
    public void stop() {
        stop(GRACE);
    }

    /**
     * Stops listening at once, gives running handlers a time to finish, then kills the rest and closes their connections.
     * Returns when all that is done. Called by one of the handlers, it does not wait for that one and leaves it alone.
     * Calling it again waits as well; a shorter grace than before has no effect any more.
     *
     * @param grace how long handlers may go on; zero kills them at once
     */
    public void stop(Duration grace) {
        Greenlet<Void> greenlet;
        synchronized (this) {
            greenlet = acceptor;
            if (!stopping) {
                this.grace = grace;
                Loomlet.current().ifPresent(each -> stopper = each);
                stopping = true;
            }
            closeListener();
        }
        Waiter waiter = pause;
        if (waiter != null) {
            waiter.resume(null);
        }
        if (greenlet != null && !Loomlet.current().filter(each -> each == greenlet).isPresent()) {
            greenlet.join();
        }
    }

    /** As {@link #stop()}. */
    @Override
    public void close() {
        stop();
    }

    private void closeListener() {
        ServerSocket socket = listener;
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException("closing " + this, e);
            }
        }
    }

    // --- who it is

    /**
     * Where it listens: as bound, so with the port that was picked for 0; before the start as configured.
     *
     * @throws IllegalStateException if that is a Unix domain socket, see {@link #localAddress}
     */
    public InetSocketAddress address() {
        if (localAddress() instanceof InetSocketAddress inet) {
            return inet;
        }
        throw new IllegalStateException(this + " has no port");
    }

    /** As {@link #address}, for Unix domain sockets too. */
    public SocketAddress localAddress() {
        ServerSocket socket = listener;
        if (socket != null && !socket.isClosed() && socket.getLocalSocketAddress() != null) {
            lastBound = socket.getLocalSocketAddress();
        }
        return lastBound;
    }

    /** The port of {@link #address}. */
    public int port() {
        return address().getPort();
    }

    /** Whether it accepts connections: started, and not stopped. */
    public boolean isStarted() {
        return listener != null && !stopping;
    }

    /** How many connections are being served. Exact on the hub's own thread. */
    public int connections() {
        return connections;
    }

    /** Whether as many connections are being served as the limit allows. */
    public boolean isFull() {
        return connections >= limit;
    }

    @Override
    public String toString() {
        String state = listener == null ? "new" : !stopping ? connections + " connections" : "stopped";
        return "StreamServer at " + Addresses.format(localAddress()) + " (" + state + ")";
    }

    // --- the acceptor, a greenlet

    private void accept(ServerSocket socket, Hub hub) {
        try {
            long delay = MIN_DELAY;
            int accepts = 0;
            while (!stopping) {
                if (isFull()) {
                    forgetUnborn();
                }
                if (isFull()) {
                    pause("a place for one more connection", -1, () -> isFull() && !stopping);
                    continue;
                }
                try {
                    serve(socket.accept(), hub);
                    delay = MIN_DELAY;
                    if (++accepts % MAX_ACCEPTS == 0) {
                        forgetUnborn();
                        Loomlet.yieldNow();
                    }
                } catch (IOException | RuntimeException | OutOfMemoryError e) {
                    if (stopping) {
                        break;
                    }
                    if (socket.isClosed()) {
                        Loomlet.yieldNow(); // throws if it was closed by a kill of this greenlet
                    }
                    report(hub, e);
                    if (socket.isClosed()) {
                        break; // not by us: there is nothing to accept from any more
                    }
                    long time = delay;
                    pause("better times, after " + e, time, () -> !stopping);
                    delay = Math.min(MAX_DELAY, 2 * delay);
                }
            }
        } finally {
            stopping = true;
            closeListener();
            drain();
        }
    }

    @SuppressWarnings("unchecked")
    private void serve(Socket socket, Hub hub) throws IOException {
        Served connection = new Served(this, socket);
        try {
            socket.setTcpNoDelay(noDelay);
            connection.greenlet = (Greenlet<Void>) Greenlets.inside().spawn(hub, connection, "connection");
            add(connection);
        } catch (Throwable t) {
            socket.close();
            throw t;
        }
    }

    /** A handshake that comes to nothing is the client's affair: anybody who connects can bring that about. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void serveSecurely(Tls agreed, Socket socket) throws Exception {
        SSLSocket secure;
        try {
            secure = agreed.accept(socket);
        } catch (IOException e) {
            failedHandshakes++;
            LOG.log(System.Logger.Level.DEBUG, () -> "no TLS with " + Addresses.format(socket.getRemoteSocketAddress()),
                    e);
            return;
        }
        try {
            handler.handle(secure);
        } finally {
            sayGoodbye(secure);
        }
    }

    /** TLS has a last word, which must not wait for a client that does not read; the socket below is closed next. */
    private static void sayGoodbye(SSLSocket secure) throws IOException {
        Loomlet.withTimeout(GOODBYE, () -> {
            secure.close();
            return true;
        }, false);
    }

    /** How many connections came to nothing because TLS could not be agreed on. Exact on the hub's own thread. */
    public long failedHandshakes() {
        return failedHandshakes;
    }

    private void left(Served connection) {
        remove(connection);
        if (connections == limit - 1) {
            Waiter waiter = pause;
            if (waiter != null) {
                waiter.resume(null);
            }
        }
    }

    private void add(Served connection) {
        Served last = anchor.previous;
        connection.previous = last;
        connection.next = anchor;
        last.next = connection;
        anchor.previous = connection;
        connections++;
    }

    private void remove(Served connection) {
        if (connection.next != connection) {
            connection.previous.next = connection.next;
            connection.next.previous = connection.previous;
            connection.previous = connection;
            connection.next = connection;
            connections--;
        }
    }

    /** A handler that is killed before its first turn cannot clean up after itself. */
    private void forgetUnborn() {
        for (Served each = anchor.next; each != anchor;) {
            Served next = each.next;
            if (each.greenlet != null && each.greenlet.ready()) {
                if (each.socket != null) {
                    closeQuietly(each.socket);
                }
                remove(each);
            }
            each = next;
        }
    }

    /** Waits, unless it is needless by now; {@code stop} ends it early. */
    private void pause(String reason, long nanos, java.util.function.BooleanSupplier needed) {
        Waiter waiter = new Waiter(reason);
        pause = waiter;
        try {
            if (needed.getAsBoolean()) { // looked at after the waiter can be seen, so no wake-up is missed
                waiter.await(nanos);
            }
        } catch (InterruptedException e) {
            GreenletExit exit = new GreenletExit("interrupted");
            exit.initCause(e);
            throw exit;
        } finally {
            pause = null;
        }
    }

    /** As the error of a greenlet, which is what error handlers are told of. */
    private void report(Hub hub, Throwable error) {
        hub.spawn("accepting at " + Addresses.format(localAddress()), () -> {
            throw StreamServer.<RuntimeException>sneak(error);
        });
    }

    private void drain() {
        try {
            Loomlet.joinAll(others(), grace);
        } finally { // also when we are to be gone ourselves
            killAll();
        }
    }

    private void killAll() {
        List<Greenlet<Void>> left = others();
        try {
            for (Greenlet<Void> each : left) {
                each.kill(new GreenletExit(this + " was stopped"), false, Duration.ZERO);
            }
            Loomlet.joinAll(left, GRACE);
        } finally {
            // Of those that never had their first turn, and of those that will not go.
            for (Served each = anchor.next; each != anchor; each = each.next) {
                if (each.socket != null && each.greenlet != stopper) {
                    closeQuietly(each.socket);
                }
            }
        }
        Loomlet.joinAll(left, GRACE);
        for (Greenlet<Void> each : left) {
            if (!each.ready()) {
                report(each.hub(), new IllegalStateException(
                        each + " did not end when it was killed and its connection closed; it was left behind"));
            }
        }
    }

    private List<Greenlet<Void>> others() {
        List<Greenlet<Void>> greenlets = new ArrayList<>(connections);
        for (Served each = anchor.next; each != anchor; each = each.next) {
            if (each.greenlet != null && each.greenlet != stopper) {
                greenlets.add(each.greenlet);
            }
        }
        return greenlets;
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it was to be thrown away
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }
}
