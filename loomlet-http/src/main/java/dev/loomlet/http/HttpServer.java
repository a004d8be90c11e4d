package dev.loomlet.http;

import dev.loomlet.Hub;
import dev.loomlet.net.ConnectionHandler;
import dev.loomlet.net.StreamServer;
import dev.loomlet.net.Tls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP/1.1 server. Each connection is a greenlet, and the handler is plain blocking code in it; all of them run on the
 * hub's one thread, so what they share needs no locks.
 *
 * {@snippet :
 * try (var server = HttpServer.listen("127.0.0.1:8080", (request, response) -> response.send("Hello World"))) {
 *     server.serveForever();
 * }
 * }
 *
 * <p>{@link #builder} says how much of everything a client may have, and more:
 *
 * {@snippet :
 * var rooms = new Router()
 *         .get("/rooms/{name}", (request, response) -> response.send(room(request.pathParameter("name"))))
 *         .get("/files/{path...}", StaticFiles.of(Path.of("public")).under("/files"));
 * var server = HttpServer.builder("127.0.0.1:8080", rooms)
 *         .gzip(true)
 *         .maxBody(1 << 20)
 *         .accessLog(AccessLog.combined(System.out))
 *         .build();
 * server.start();
 * }
 *
 * <p><b>What it does by itself.</b> Keep-alive and pipelining, chunks both ways, {@code Expect: 100-continue}, {@code HEAD}
 * (the body of the handler is dropped), {@code Date}. A request that is not exactly one is answered with 400 and the
 * connection closed, because servers that disagree about where a request ends can be made to take a part of it for another
 * one: a length beside chunks, two lengths, a folded line, a line feed alone, a space before the colon, no {@code Host} or
 * two of them.
 *
 * <p><b>Errors.</b> What a handler throws is answered with 500, once, and goes to {@link Hub#onError} under the name of the
 * request; a {@link HttpException} is answered with its own status and concerns nobody else. A client that leaves ends its
 * own greenlet and nothing more.
 *
 * <p><b>Kill and timeout.</b> Killing the greenlet of a connection closes it. A {@code Timeout} around a part of a handler
 * may end a read of the body, or a write, and costs nothing but that.
 *
 * <p><b>Threads.</b> It belongs to the hub of the thread that starts it. Its methods may be called from any thread; requests
 * and responses belong to their greenlet.
 *
 * <p>gevent's {@code pywsgi.WSGIServer}.
 */
public final class HttpServer implements AutoCloseable {
    /** How long {@link #stop()} and {@link #close()} let requests be answered. */
    public static final Duration GRACE = Duration.ofSeconds(1);

    private static final int SPARE = 256; // workspaces that are kept

    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US).withZone(ZoneOffset.UTC);

    private final HttpHandler handler;
    private final StreamServer stream;
    private final int maxTarget;
    private final int maxHead;
    private final long maxBody;
    private final Duration firstByteTimeout;
    private final Duration headTimeout;
    private final Duration bodyTimeout;
    private final Duration writeTimeout;
    private final Duration idleTimeout;
    private final int minRate;
    private final boolean gzip;
    private final @Nullable Tls tls;
    private final @Nullable AccessLog accessLog;
    private final ArrayDeque<Workspace> spare = new ArrayDeque<>();
    private final Set<Connection> connections = Collections.newSetFromMap(new IdentityHashMap<>());
    private volatile @Nullable Hub hub;
    private volatile boolean draining;
    private volatile long failedHandshakes; // written on the hub's thread
    private byte[] dateLine = new byte[0];
    private long dateSecond = -1;

    private HttpServer(Builder builder) {
        handler = builder.handler;
        maxTarget = builder.maxTarget;
        maxHead = builder.maxHead;
        maxBody = builder.maxBody;
        firstByteTimeout = builder.firstByteTimeout;
        headTimeout = builder.headTimeout;
        bodyTimeout = builder.bodyTimeout;
        writeTimeout = builder.writeTimeout;
        idleTimeout = builder.idleTimeout;
        minRate = builder.minRate;
        gzip = builder.gzip;
        tls = builder.tls;
        accessLog = builder.accessLog;
        stream = builder.stream.apply(this::serve).backlog(builder.backlog).limit(builder.limit).build();
    }

    /**
     * A server that is bound and accepts: clients can connect from now on, and are served as soon as the hub runs.
     *
     * @param address {@code host:port}, {@code [ipv6]:port}, or {@code :port} for all addresses; port 0 picks a free one
     * @throws IOException if the address cannot be bound; the message names it
     */
    public static HttpServer listen(String address, HttpHandler handler) throws IOException {
        return builder(address, handler).build().start();
    }

    /** For a server that is not bound before its {@link #start}. */
    public static Builder builder(String address, HttpHandler handler) throws IOException {
        StreamServer.builder(address, _ -> {}); // now is the time to hear of an address that is none
        return new Builder(handler, serve -> {
            try {
                return StreamServer.builder(address, serve);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    /** For a server that is not bound before its {@link #start}. */
    public static Builder builder(InetSocketAddress address, HttpHandler handler) {
        return new Builder(handler, serve -> StreamServer.builder(address, serve));
    }

    /** What a server can be told before it starts. */
    public static final class Builder {
        private final HttpHandler handler;
        private final Function<ConnectionHandler, StreamServer.Builder> stream;
        private int backlog = 1024;
        private int limit = Integer.MAX_VALUE;
        private int maxTarget = 8 * 1024;
        private int maxHead = 32 * 1024;
        private long maxBody = 16L << 20;
        private static final Duration FOREVER = Duration.ofDays(36_500); // sums of it can still be counted in nanoseconds

        private Duration firstByteTimeout = Duration.ofSeconds(30);
        private Duration headTimeout = Duration.ofSeconds(10);
        private Duration bodyTimeout = Duration.ofSeconds(30);
        private Duration writeTimeout = Duration.ofSeconds(30);
        private Duration idleTimeout = Duration.ofSeconds(60);
        private int minRate = 240;
        private boolean gzip;
        private @Nullable Tls tls;
        private @Nullable AccessLog accessLog;

        private Builder(HttpHandler handler,
                Function<ConnectionHandler, StreamServer.Builder> stream) {
            this.handler = handler;
            this.stream = stream;
        }

        /** How many connections the kernel holds that have not been accepted yet; 1024 by default. */
        public Builder backlog(int connections) {
            backlog = (int) positive(connections, "backlog");
            return this;
        }

        /** How many connections are served at a time; the others wait in the backlog. No limit by default. */
        public Builder limit(int connections) {
            limit = (int) positive(connections, "limit");
            return this;
        }

        /** The longest target (path and query) of a request, in characters; 8 KB by default. Beyond it 414 is answered. */
        public Builder maxTarget(int characters) {
            maxTarget = (int) positive(characters, "maxTarget");
            return this;
        }

        /** The largest head, all lines together, in bytes; 32 KB by default. Beyond it 431 is answered. */
        public Builder maxHead(int bytes) {
            maxHead = (int) positive(bytes, "maxHead");
            return this;
        }

        /** The largest body, in bytes; 16 MB by default. Beyond it 413 is answered. {@link Request#maxBody} overrules it. */
        public Builder maxBody(long bytes) {
            maxBody = positive(bytes, "maxBody");
            return this;
        }

        /** How long a new connection may be silent; 30 s by default. */
        public Builder firstByteTimeout(Duration time) {
            firstByteTimeout = positive(time, "firstByteTimeout");
            return this;
        }

        /** How long the head may take from its first byte to its last; 10 s by default. Then 408 is answered. */
        public Builder headTimeout(Duration time) {
            headTimeout = positive(time, "headTimeout");
            return this;
        }

        /** How long the client may be silent within a body; 30 s by default. Then 408 is answered. */
        public Builder bodyTimeout(Duration time) {
            bodyTimeout = positive(time, "bodyTimeout");
            return this;
        }

        /** How long the client may take to read 64 KB of the answer; 30 s by default. Then it is disconnected. */
        public Builder writeTimeout(Duration time) {
            writeTimeout = positive(time, "writeTimeout");
            return this;
        }

        /** How long a connection is kept between two requests; 60 s by default. */
        public Builder idleTimeout(Duration time) {
            idleTimeout = positive(time, "idleTimeout");
            return this;
        }

        /**
         * How many bytes per second a client has to send of a body, and to read of an answer, on the average over the
         * time that it is waited for; 240 by default. It has {@link #bodyTimeout} or {@link #writeTimeout} in advance. One
         * that is slower gets 408, or is disconnected: a byte now and then does not hold a connection for ever.
         */
        public Builder minRate(int bytesPerSecond) {
            minRate = (int) positive(bytesPerSecond, "minRate");
            return this;
        }

        /**
         * HTTPS: with whose certificate. {@code http/1.1} is what is agreed on (ALPN) unless {@code tls} says otherwise,
         * {@link Tls#handshakeLimit} ends handshakes that take too long, and after {@link Tls#reload} new connections get
         * the new certificate. A handshake that comes to nothing is counted and concerns nobody else.
         *
         * {@snippet :
         * Tls tls = Tls.ofKeyStore(Path.of("server.p12"), password);
         * HttpServer.builder(":443", site).tls(tls).build().serveForever();
         * }
         */
        public Builder tls(Tls with) {
            tls = with.protocols().isEmpty() ? with.alpn("http/1.1") : with;
            return this;
        }

        /**
         * Whether what becomes smaller by it is compressed for those who accept it: texts, JSON, XML and the like, and the
         * messages of WebSockets (RFC 7692), of at least 1 KB. Off by default.
         */
        public Builder gzip(boolean on) {
            gzip = on;
            return this;
        }

        /** Where each request is written down. Nowhere by default. */
        public Builder accessLog(AccessLog log) {
            accessLog = log;
            return this;
        }

        /** A server that waits for its {@link HttpServer#start}. */
        public HttpServer build() {
            return new HttpServer(this);
        }

        private static long positive(long value, String what) {
            if (value < 1) {
                throw new IllegalArgumentException(what + " must be at least 1, not " + value);
            }
            return value;
        }

        private static Duration positive(Duration value, String what) {
            if (!value.isPositive()) {
                throw new IllegalArgumentException(what + " must be longer than nothing, not " + value);
            }
            return value.compareTo(FOREVER) > 0 ? FOREVER : value;
        }
    }

    /**
     * Binds, listens, and accepts on the hub of the calling thread. Calling it again is harmless.
     *
     * @return this
     * @throws IOException if the address cannot be bound; the message names it
     * @throws IllegalStateException if it was stopped: make a new one
     */
    public HttpServer start() throws IOException {
        if (hub == null) {
            hub = Hub.current();
            Workspace work = takeWorkspace();
            work.parse("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nUser-Agent: b\r\n\r\n");
            giveBack(work); // that has loaded the parser's classes, and no client had to wait for it
            dateLine();
        }
        stream.start();
        return this;
    }

    /**
     * Starts, if that was not done, and waits until the server has been stopped. A kill of the waiting greenlet, or an
     * interrupt, stops it.
     *
     * @throws IOException if the address cannot be bound
     */
    public void serveForever() throws IOException {
        start();
        stream.serveForever();
    }

    /** {@link #stop(Duration)} with {@link #GRACE}, a second. */
    public void stop() {
        stop(GRACE);
    }

    /**
     * Stops listening at once, closes connections that are silent, lets the requests that are being answered have their
     * answers, with which their connections close, and after the grace period ends what is left. Returns when all that is
     * done. Called by a handler, it does not wait for that one.
     */
    public void stop(Duration grace) {
        draining = true;
        Hub own = hub;
        if (own != null) {
            if (Hub.ifPresent().filter(each -> each == own).isPresent()) {
                closeIdle();
            } else {
                try {
                    own.spawn("closing idle connections", this::closeIdle);
                } catch (IllegalStateException e) {
                    return; // the hub is closed, and with it everything
                }
            }
        }
        stream.stop(grace);
    }

    private void closeIdle() {
        for (Connection each : List.copyOf(connections)) {
            if (each.isIdle()) {
                each.close();
            }
        }
    }

    /** As {@link #stop()}. */
    @Override
    public void close() {
        stop();
    }

    /** Where it listens: as bound, so with the port that was picked for 0; before the start as configured. */
    public InetSocketAddress address() {
        return stream.address();
    }

    /** The port of {@link #address}. */
    public int port() {
        return stream.port();
    }

    /** Whether it accepts connections: started, and not stopped. */
    public boolean isStarted() {
        return stream.isStarted();
    }

    /** How many connections came to nothing because TLS could not be agreed on. Exact on the hub's own thread. */
    public long failedHandshakes() {
        return failedHandshakes;
    }

    /** How many connections are open. Exact on the hub's own thread. */
    public int connections() {
        return stream.connections();
    }

    @Override
    public String toString() {
        return "Http" + stream.toString().substring("Stream".length());
    }

    // --- for the connections; on the hub's thread

    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    private void serve(Socket socket) throws Exception {
        Tls agreed = tls;
        if (agreed == null) {
            serve(new Connection(this, socket, socket));
            return;
        }
        SSLSocket secure;
        try {
            secure = agreed.accept(socket);
        } catch (IOException e) {
            failedHandshakes++; // anybody can bring that about
            return;
        }
        try {
            serve(new Connection(this, socket, secure));
        } finally {
            Connection.sayGoodbye(secure);
        }
    }

    private void serve(Connection connection) {
        connections.add(connection);
        try {
            connection.run();
        } finally {
            connections.remove(connection);
        }
    }

    Workspace takeWorkspace() {
        Workspace work = spare.pollLast();
        return work == null ? new Workspace(maxTarget, maxHead) : work;
    }

    void giveBack(Workspace work) {
        if (work.isReusable() && spare.size() < SPARE) {
            work.forget();
            spare.addLast(work);
        }
    }

    Hub hub() {
        Hub own = hub;
        return own == null ? Hub.current() : own;
    }

    HttpHandler handler() {
        return handler;
    }

    long maxBody() {
        return maxBody;
    }

    Duration firstByteTimeout() {
        return firstByteTimeout;
    }

    Duration headTimeout() {
        return headTimeout;
    }

    Duration bodyTimeout() {
        return bodyTimeout;
    }

    Duration writeTimeout() {
        return writeTimeout;
    }

    Duration idleTimeout() {
        return idleTimeout;
    }

    int minRate() {
        return minRate;
    }

    /**
     * How long to wait for a client now: at most {@code once}, and in all {@code once} and the time that what it did is
     * worth at the lowest rate. In nanoseconds.
     */
    long patience(Duration once, long bytes, long waited) {
        long most = once.toNanos();
        long earned = (long) (bytes * 1e9 / minRate);
        return Math.clamp(most - waited + earned, 1, most);
    }

    boolean compresses() {
        return gzip;
    }

    boolean isDraining() {
        return draining;
    }

    /** The line of the head that says when it is; made once a second. */
    byte[] dateLine() {
        long second = System.currentTimeMillis() / 1000;
        if (second != dateSecond) {
            dateSecond = second;
            dateLine = ("Date: " + date(Instant.ofEpochSecond(second)) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        }
        return dateLine;
    }

    static String date(Instant instant) {
        return DATE.format(instant);
    }

    /** Error handlers hear of greenlets, so it becomes the error of one that is named after the request. */
    void report(Request request, Throwable error) {
        hub().spawn("answering " + request + " for " + request.remote(), () -> {
            throw HttpServer.<RuntimeException>sneak(error);
        });
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }

    void log(Request request, Response response) {
        AccessLog log = accessLog;
        if (log != null) {
            log.write(request, response);
        }
    }
}
