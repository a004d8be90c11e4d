package dev.loomlet.net;

import dev.loomlet.internal.loop.Platform;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Makes sockets: {@link StreamSocket}s where the hub's poller can watch descriptors (Linux), the JDK's elsewhere. Either
 * way a wait at them parks the greenlet only.
 *
 * {@snippet :
 * try (Socket socket = Sockets.connect("127.0.0.1:8080", Duration.ofSeconds(3))) {
 *     socket.getOutputStream().write(request);
 * }
 * }
 *
 * <p>gevent's {@code gevent.socket}.
 */
public final class Sockets {
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
     * A connection. Killed meanwhile, it leaves nothing behind.
     *
     * @param address {@code host:port} or {@code [ipv6]:port}
     * @throws IOException if there is none to be had; the message names the address
     */
    public static Socket connect(String address) throws IOException {
        return connect(Addresses.parse(address), null);
    }

    /** As {@link #connect(String)}, with the longest time that it may take. */
    public static Socket connect(String address, Duration timeout) throws IOException {
        return connect(Addresses.parse(address), timeout);
    }

    /** As {@link #connect(String)}. */
    public static Socket connect(InetSocketAddress address) throws IOException {
        return connect(address, null);
    }

    private static Socket connect(InetSocketAddress address, @Nullable Duration timeout) throws IOException {
        Socket socket = open();
        boolean done = false;
        try {
            socket.connect(address, timeout == null ? 0
                    : Math.clamp(timeout.plusNanos(999_999).toMillis(), 1, Integer.MAX_VALUE));
            done = true;
            return socket;
        } catch (java.net.ConnectException e) {
            var told = new java.net.ConnectException(Addresses.format(address) + ": " + e.getMessage());
            told.initCause(e);
            throw told;
        } catch (java.net.SocketTimeoutException e) {
            var told = new java.net.SocketTimeoutException(
                    "no connection to " + Addresses.format(address) + " within " + timeout);
            told.initCause(e);
            throw told;
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
     * @param address {@code host:port}, {@code [ipv6]:port}, or {@code :port} for all addresses; port 0 picks a free one
     * @param backlog how many connections the kernel holds that have not been accepted yet
     */
    public static ServerSocket listen(String address, int backlog) throws IOException {
        ServerSocket socket = openServer();
        boolean done = false;
        try {
            socket.setReuseAddress(true);
            socket.bind(Addresses.parse(address), backlog);
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
