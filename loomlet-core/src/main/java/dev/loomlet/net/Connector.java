package dev.loomlet.net;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Waiter;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Connects to a name, by whichever of its addresses answers first, directly or through a proxy.
 *
 * {@snippet :
 * Connector connector = Connector.create().timeout(ofSeconds(5));
 * Socket socket = connector.connect("example.org", 443);
 * Socket hidden = connector.socks5("127.0.0.1:9050").connect("example.org", 443);
 * }
 *
 * <p><b>Happy Eyeballs</b> (RFC 8305): the addresses are tried in turn, IPv6 and IPv4 alternating, the next one as soon as
 * one has failed or {@link #attemptDelay} has passed, while those before it go on trying. The first connection wins; the
 * others are given up and closed. Unlike in the RFC all addresses are looked up together.
 *
 * <p><b>Kill and timeout</b> of the caller end all attempts and leave nothing behind.
 *
 * <p>The methods that set something return a changed copy. Any thread may connect; the attempts are greenlets of its hub (a
 * platform thread without one gets one), and on a virtual thread of no hub they follow one another.
 *
 * <p>More than gevent's {@code create_connection}, which tries one address after the other.
 */
public final class Connector {
    /** What {@link #attemptDelay} is unless set: what RFC 8305 recommends. */
    public static final Duration ATTEMPT_DELAY = Duration.ofMillis(250);

    private static final int MOST_OF_A_REPLY = 16 * 1024;
    private static final Duration SETTLED = Duration.ofSeconds(1);

    private final Resolver resolver;
    private final Duration attemptDelay;
    private final @Nullable Duration timeout;
    private final @Nullable Proxy proxy;

    /** Finds the addresses of a name. */
    @FunctionalInterface
    public interface Resolver {
        /**
         * Finds them.
         *
         * @return at least one, the preferred first
         * @throws UnknownHostException if there are none
         */
        List<InetAddress> resolve(String host) throws IOException;
    }

    private enum Protocol {
        SOCKS5, HTTP
    }

    private record Proxy(Protocol protocol, String host, int port, String user, String password) {
        @Override
        public String toString() {
            return protocol + " proxy " + host + ":" + port;
        }
    }

    private Connector(Resolver resolver, Duration attemptDelay, @Nullable Duration timeout, @Nullable Proxy proxy) {
        this.resolver = resolver;
        this.attemptDelay = attemptDelay;
        this.timeout = timeout;
        this.proxy = proxy;
    }

    /** One that asks the JVM for addresses, takes any time, and uses no proxy. */
    public static Connector create() {
        return new Connector(host -> List.of(InetAddress.getAllByName(host)), ATTEMPT_DELAY, null, null);
    }

    /** A copy that asks {@code resolver} for addresses. */
    public Connector resolver(Resolver resolver) {
        return new Connector(resolver, attemptDelay, timeout, proxy);
    }

    /** A copy that waits so long for one address before it tries the next one as well. */
    public Connector attemptDelay(Duration time) {
        return new Connector(resolver, time, timeout, proxy);
    }

    /** A copy that takes so long at most, for everything: look-up, connection, proxy. */
    public Connector timeout(Duration time) {
        return new Connector(resolver, attemptDelay, time, proxy);
    }

    /** A copy that goes through a SOCKS 5 proxy (RFC 1928). The proxy looks names up. */
    public Connector socks5(String hostAndPort) {
        return through(Protocol.SOCKS5, hostAndPort, "", "");
    }

    /** As {@link #socks5(String)}, with a user and a password (RFC 1929). */
    public Connector socks5(String hostAndPort, String user, String password) {
        return through(Protocol.SOCKS5, hostAndPort, user, password);
    }

    /** A copy that goes through an HTTP proxy ({@code CONNECT}, RFC 9110). The proxy looks names up. */
    public Connector httpProxy(String hostAndPort) {
        return through(Protocol.HTTP, hostAndPort, "", "");
    }

    /** As {@link #httpProxy(String)}, with a user and a password, which are sent as they are ("Basic"). */
    public Connector httpProxy(String hostAndPort, String user, String password) {
        return through(Protocol.HTTP, hostAndPort, user, password);
    }

    private Connector through(Protocol protocol, String hostAndPort, String user, String password) {
        int colon = hostAndPort.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("\"" + hostAndPort + "\" is no address of a proxy; write host:port");
        }
        String host = hostAndPort.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port;
        try {
            port = Integer.parseInt(hostAndPort.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("\"" + hostAndPort + "\" has no port", e);
        }
        ensurePort(port);
        return new Connector(resolver, attemptDelay, timeout, new Proxy(protocol, host, port, user, password));
    }

    /**
     * A connection.
     *
     * @throws UnknownHostException if the name has no address
     * @throws SocketTimeoutException if the time is over
     * @throws IOException if no address answers, or the proxy declines; the message says which, and every failed attempt is a
     *     suppressed exception
     */
    public Socket connect(String host, int port) throws IOException {
        ensurePort(port);
        if (host.isEmpty() || host.chars().anyMatch(each -> each <= ' ')) {
            throw new IllegalArgumentException("\"" + host + "\" is no name of a host");
        }
        if (timeout == null) {
            return connectNow(host, port);
        }
        Duration limit = timeout;
        Socket[] made = new Socket[1];
        if (!Loomlet.withTimeout(limit, () -> {
            made[0] = connectNow(host, port);
            return true;
        }, false)) {
            throw new SocketTimeoutException("no connection to " + host + ":" + port + " within " + limit);
        }
        return made[0];
    }

    private static void ensurePort(int port) {
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + " is not between 1 and 65535");
        }
    }

    private Socket connectNow(String host, int port) throws IOException {
        Proxy via = proxy;
        if (via == null) {
            return dial(host, port);
        }
        try {
            return tunnel(via, host, port);
        } catch (EOFException e) {
            throw declined(via, "closed the connection instead of connecting to " + host + ":" + port, e);
        } catch (SocketException e) {
            throw declined(via, "cannot be used to connect to " + host + ":" + port + ": " + e.getMessage(), e);
        }
    }

    private Socket tunnel(Proxy via, String host, int port) throws IOException {
        Socket socket = dial(via.host(), via.port());
        boolean done = false;
        try {
            switch (via.protocol()) {
                case SOCKS5 -> socks5(socket, via, host, port);
                case HTTP -> http(socket, via, host, port);
            }
            done = true;
            return socket;
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    // --- by the first address that answers

    private Socket dial(String host, int port) throws IOException {
        List<InetAddress> addresses = alternating(resolver.resolve(host));
        if (addresses.isEmpty()) {
            throw new UnknownHostException(host);
        }
        if (addresses.size() == 1) {
            return Sockets.connect(new InetSocketAddress(addresses.getFirst(), port));
        }
        Thread thread = Thread.currentThread();
        if (thread.isVirtual() && Hub.ifPresent().isEmpty()) {
            return oneByOne(host, addresses, port);
        }
        return new Race(host, addresses, port).run();
    }

    /** The families take turns, the first one's first; within each the order stays. */
    static List<InetAddress> alternating(List<InetAddress> addresses) {
        Deque<InetAddress> first = new ArrayDeque<>();
        Deque<InetAddress> second = new ArrayDeque<>();
        for (InetAddress each : addresses) {
            (each.getClass() == addresses.getFirst().getClass() ? first : second).add(each);
        }
        List<InetAddress> sorted = new ArrayList<>(addresses.size());
        while (!first.isEmpty() || !second.isEmpty()) {
            if (!first.isEmpty()) {
                sorted.add(first.remove());
            }
            if (!second.isEmpty()) {
                sorted.add(second.remove());
            }
        }
        return sorted;
    }

    private static Socket oneByOne(String host, List<InetAddress> addresses, int port) throws IOException {
        List<IOException> failures = new ArrayList<>();
        for (InetAddress each : addresses) {
            try {
                return Sockets.connect(new InetSocketAddress(each, port));
            } catch (IOException e) {
                failures.add(e);
            }
        }
        throw failed(host, port, failures);
    }

    private static IOException failed(String host, int port, List<IOException> failures) {
        ConnectException none = new ConnectException("no address of " + host + " answers at port " + port + ": "
                + failures.stream().map(each -> String.valueOf(each.getMessage())).toList());
        failures.forEach(none::addSuppressed);
        return none;
    }

    /** All of it runs on one hub's thread, so it needs no locks. */
    private final class Race {
        private final String host;
        private final List<InetAddress> addresses;
        private final int port;
        private final List<Greenlet<Void>> attempts = new ArrayList<>();
        private final List<IOException> failures = new ArrayList<>();
        private @Nullable Socket winner;
        private int running;
        private @Nullable Waiter news;
        private boolean over;

        Race(String host, List<InetAddress> addresses, int port) {
            this.host = host;
            this.addresses = addresses;
            this.port = port;
        }

        Socket run() throws IOException {
            Hub hub = Hub.current();
            boolean won = false;
            try {
                for (InetAddress each : addresses) {
                    int failed = failures.size();
                    running++;
                    attempts.add(
                            hub.spawn("connecting to " + host + " at " + each.getHostAddress(), () -> attempt(each)));
                    boolean last = attempts.size() == addresses.size();
                    long delay = last ? -1 : Nanos.of(attemptDelay);
                    long end = System.nanoTime() + delay;
                    while (winner == null && (last ? running > 0 : failures.size() == failed)
                            && await(delay < 0 ? -1 : Math.max(0, end - System.nanoTime()))) {
                        // something has happened; is it what we wait for?
                    }
                    if (winner != null) {
                        won = true;
                        return winner;
                    }
                }
                throw failed(host, port, failures);
            } finally {
                over = true;
                Loomlet.killAll(attempts, SETTLED);
                if (!won && winner != null) {
                    winner.close();
                }
            }
        }

        private void attempt(InetAddress address) throws IOException {
            try {
                Socket socket = Sockets.connect(new InetSocketAddress(address, port));
                if (winner == null && !over) {
                    winner = socket;
                } else {
                    socket.close(); // too late
                }
            } catch (IOException e) {
                failures.add(e);
            } finally {
                running--;
                Waiter waiter = news;
                if (waiter != null) {
                    waiter.resume(null);
                }
            }
        }

        /** False if the time is over. */
        private boolean await(long nanos) throws IOException {
            Waiter waiter = new Waiter("a connection to " + host + ":" + port);
            news = waiter;
            try {
                return waiter.await(nanos);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while connecting to " + host + ":" + port);
            } finally {
                news = null;
            }
        }
    }

    // --- proxies

    private static IOException declined(Proxy proxy, String why) {
        return declined(proxy, why, null);
    }

    private static IOException declined(Proxy proxy, String why, @Nullable IOException cause) {
        return new IOException(proxy + " " + why, cause);
    }

    private static void socks5(Socket socket, Proxy proxy, String host, int port) throws IOException {
        OutputStream out = socket.getOutputStream();
        DataInputStream in = new DataInputStream(socket.getInputStream());
        boolean known = !proxy.user().isEmpty();
        out.write(known ? new byte[] {5, 2, 0, 2} : new byte[] {5, 1, 0});
        if (in.readUnsignedByte() != 5) {
            throw declined(proxy, "does not speak SOCKS 5");
        }
        int method = in.readUnsignedByte();
        switch (method == 2 && !known ? 0xff : method) { // what was not offered is no choice
            case 0 -> {}
            case 2 -> {
                byte[] user = field(proxy.user());
                byte[] password = field(proxy.password());
                byte[] message = new byte[3 + user.length + password.length];
                message[0] = 1;
                message[1] = (byte) user.length;
                System.arraycopy(user, 0, message, 2, user.length);
                message[2 + user.length] = (byte) password.length;
                System.arraycopy(password, 0, message, 3 + user.length, password.length);
                out.write(message);
                in.readUnsignedByte();
                if (in.readUnsignedByte() != 0) {
                    throw declined(proxy, "does not accept user " + proxy.user());
                }
            }
            default -> throw declined(proxy,
                    known ? "accepts neither a password nor none" : "wants a user and a password");
        }
        byte[] address = host.indexOf(':') >= 0 ? InetAddress.getByName(host).getAddress() : field(host);
        boolean v6 = host.indexOf(':') >= 0 && InetAddress.getByName(host) instanceof Inet6Address;
        byte[] request = Arrays.copyOf(new byte[] {5, 1, 0, (byte) (v6 ? 4 : 3), (byte) address.length},
                (v6 ? 4 : 5) + address.length + 2);
        System.arraycopy(address, 0, request, v6 ? 4 : 5, address.length);
        request[request.length - 2] = (byte) (port >> 8);
        request[request.length - 1] = (byte) port;
        out.write(request);
        if (in.readUnsignedByte() != 5) {
            throw declined(proxy, "does not speak SOCKS 5");
        }
        int code = in.readUnsignedByte();
        if (code != 0) {
            String[] reasons = {"", "failed", "is not allowed to", "cannot reach the network", "cannot reach the host",
                "was refused", "gave up", "does not know the command", "does not know the kind of address"};
            throw declined(proxy, "cannot connect to " + host + ":" + port + ": "
                    + (code < reasons.length ? reasons[code] : "error " + code));
        }
        in.readUnsignedByte();
        int kind = in.readUnsignedByte();
        in.skipNBytes(switch (kind) {
            case 1 -> 4 + 2;
            case 3 -> in.readUnsignedByte() + 2;
            case 4 -> 16 + 2;
            default -> throw declined(proxy, "answers with an address of unknown kind " + kind);
        });
    }

    private static byte[] field(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 255) {
            throw new IllegalArgumentException("longer than 255 bytes: " + text);
        }
        return bytes;
    }

    private static void http(Socket socket, Proxy proxy, String host, int port) throws IOException {
        String target = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        String request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
                + (proxy.user().isEmpty() ? ""
                        : "Proxy-Authorization: Basic " + Base64.getEncoder().encodeToString(
                                (proxy.user() + ":" + proxy.password()).getBytes(StandardCharsets.UTF_8)) + "\r\n")
                + "\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
        // Byte by byte: what follows the head belongs to whoever talks through the proxy.
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.length() < 4 || !"\r\n\r\n".contentEquals(head.subSequence(head.length() - 4, head.length()))) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException();
            }
            if (head.length() == MOST_OF_A_REPLY) {
                throw declined(proxy, "answers with more than " + MOST_OF_A_REPLY + " bytes");
            }
            head.append((char) b);
        }
        String status = head.substring(0, head.indexOf("\r\n"));
        if (!status.matches("HTTP/1\\.[01] 2[0-9][0-9]( .*)?")) {
            throw declined(proxy, "cannot connect to " + target + ": " + status);
        }
    }
}
