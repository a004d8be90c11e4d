package dev.loomlet.net;

import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Platform;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes sockets: {@link StreamSocket}s where the hub's poller can watch descriptors (Linux), the JDK's elsewhere. Either
 * way a wait at them parks the greenlet only.
 *
 * {@snippet :
 * try (Socket socket = Sockets.connect("127.0.0.1:8080", Duration.ofSeconds(3))) {
 *     socket.getOutputStream().write(question);
 * }
 * }
 *
 * <p>gevent's {@code gevent.socket}.
 */
public final class Sockets {
    private static final int FIRST_INHERITED = 3;

    private Sockets() {}

    /** Whether sockets are {@link StreamSocket}s here. */
    public static boolean fast() {
        return Platform.ownSockets();
    }

    /** A socket that is not connected. */
    public static Socket open() throws IOException {
        return fast() ? new StreamSocket() : new Socket();
    }

    /**
     * A connection. Killed meanwhile, it leaves nothing behind. {@link Connector} can do more: try all addresses of a name,
     * go through a proxy.
     *
     * @param address {@code host:port}, {@code [ipv6]:port} or {@code unix:/path}
     * @throws IOException if there is none to be had; the message names the address
     */
    public static Socket connect(String address) throws IOException {
        return connect(Addresses.parseAny(address));
    }

    /** As {@link #connect(String)}, with the longest time that it may take. */
    public static Socket connect(String address, Duration timeout) throws IOException {
        return connectAny(Addresses.parseAny(address), timeout);
    }

    /** As {@link #connect(String)}: an {@link InetSocketAddress} or a {@link UnixDomainSocketAddress}. */
    public static Socket connect(SocketAddress address) throws IOException {
        return connectAny(address, null);
    }

    /** As {@link #connect(SocketAddress)}, with the longest time that it may take. */
    public static Socket connect(SocketAddress address, Duration timeout) throws IOException {
        return connectAny(address, timeout);
    }

    static int millis(Duration timeout) {
        long nanos = Nanos.of(timeout);
        return nanos < 0 ? Integer.MAX_VALUE : Math.clamp(Math.ceilDiv(nanos, 1_000_000), 1, Integer.MAX_VALUE);
    }

    private static Socket connectAny(SocketAddress address, @Nullable Duration timeout) throws IOException {
        if (address instanceof InetSocketAddress inet) {
            return connectInet(inet, timeout);
        }
        if (!(address instanceof UnixDomainSocketAddress unix)) {
            throw new IllegalArgumentException("no socket can be connected to " + address);
        }
        needFast("Unix domain sockets");
        try {
            return FastServerSocket.connect(unix, timeout);
        } catch (java.net.SocketTimeoutException e) {
            throw timedOut(address, timeout, e);
        } catch (SocketException e) {
            throw failed(address, e);
        }
    }

    /** The same with the address. */
    private static SocketException failed(SocketAddress address, SocketException e) {
        String what = Addresses.format(address) + ": " + e.getMessage();
        SocketException told = switch (e) {
            case ConnectException _ -> new ConnectException(what);
            case NoRouteToHostException _ -> new NoRouteToHostException(what);
            default -> new SocketException(what);
        };
        told.initCause(e);
        return told;
    }

    private static void needFast(String what) throws SocketException {
        if (!fast()) {
            throw new SocketException(what + " need a poller that watches descriptors, and this hub's is \""
                    + Platform.backend() + "\"");
        }
    }

    private static java.net.SocketTimeoutException timedOut(SocketAddress address, @Nullable Duration timeout,
            java.net.SocketTimeoutException e) {
        var told = new java.net.SocketTimeoutException(
                "no connection to " + Addresses.format(address) + " within " + timeout);
        told.initCause(e);
        return told;
    }

    private static Socket connectInet(InetSocketAddress address, @Nullable Duration timeout) throws IOException {
        Socket socket = open();
        boolean done = false;
        try {
            socket.connect(address, timeout == null ? 0 : millis(timeout));
            done = true;
            return socket;
        } catch (SocketException e) {
            throw failed(address, e);
        } catch (java.net.SocketTimeoutException e) {
            throw timedOut(address, timeout, e);
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    /** A listening socket that is not bound. */
    public static ServerSocket openServer() throws IOException {
        return fast() ? new FastServerSocket() : new ServerSocket();
    }

    /**
     * A listening socket. Most programs want a {@link StreamServer}.
     *
     * @param address {@code host:port}, {@code [ipv6]:port}, or {@code :port} for all addresses, where port 0 picks a free
     *     one; or {@code unix:/path}, of a file that must not exist and stays when the socket is closed
     * @param backlog how many connections the kernel holds that have not been accepted yet
     * @throws BindException if that cannot be; the message names the address
     */
    public static ServerSocket listen(String address, int backlog) throws IOException {
        SocketAddress at = Addresses.parseAny(address);
        try {
            return listen(at, backlog, false);
        } catch (SocketException e) {
            BindException told = new BindException("cannot listen at " + Addresses.format(at) + ": " + e.getMessage());
            told.initCause(e);
            throw told;
        }
    }

    /**
     * The listening sockets that a supervisor has opened for this process, systemd's way: {@code LISTEN_FDS} of them, from
     * descriptor 3 on, if {@code LISTEN_PID} is this process. Call it once: each call takes the descriptors over.
     *
     * @throws IOException if one of them is no listening socket
     */
    public static List<ServerSocket> inherited() throws IOException {
        String count = System.getenv("LISTEN_FDS");
        if (count == null || !Long.toString(ProcessHandle.current().pid()).equals(System.getenv("LISTEN_PID"))) {
            return List.of();
        }
        List<ServerSocket> sockets = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(count); i++) {
            sockets.add(inherited(FIRST_INHERITED + i));
        }
        return List.copyOf(sockets);
    }

    /**
     * The listening socket behind a descriptor of this process. It is the caller's from now on, and is closed with it.
     *
     * @throws IOException if that is no listening socket
     */
    public static ServerSocket inherited(int descriptor) throws IOException {
        needFast("inherited descriptors");
        return FastServerSocket.listening(descriptor);
    }

    /**
     * A second socket on the same listening socket of the system: both take connections out of one backlog, and each is
     * closed for itself. So servers on several hubs serve one port:
     *
     * {@snippet :
     * ServerSocket listener = Sockets.listen(":8080", 1024);
     * ServerSocket second = Sockets.share(listener);
     * }
     */
    public static ServerSocket share(ServerSocket listener) throws IOException {
        if (!(listener instanceof FastServerSocket fast)) {
            throw new SocketException(
                    "only sockets from Sockets.listen on a poller that watches descriptors can be shared");
        }
        return fast.share();
    }

    static ServerSocket listen(SocketAddress address, int backlog, boolean reusePort) throws IOException {
        if (address instanceof UnixDomainSocketAddress unix) {
            needFast("Unix domain sockets");
            return FastServerSocket.listening(unix, backlog);
        }
        ServerSocket socket = openServer();
        boolean done = false;
        try {
            socket.setReuseAddress(true);
            if (reusePort) {
                socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            }
            socket.bind(address, backlog);
            done = true;
            return socket;
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }

    /** Two ends of one connection, over the loopback interface. */
    public record Pair(Socket first, Socket second) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try (first) {
                second.close();
            }
        }
    }

    /** Two sockets that are connected with each other. */
    public static Pair pair() throws IOException {
        try (ServerSocket server = openServer()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            Socket first = open();
            try {
                first.connect(server.getLocalSocketAddress());
                for (;;) {
                    Socket second = server.accept();
                    if (second.getRemoteSocketAddress().equals(first.getLocalSocketAddress())) {
                        return new Pair(first, second);
                    }
                    second.close(); // somebody else was quicker
                }
            } catch (Throwable t) {
                first.close();
                throw t;
            }
        }
    }
}
