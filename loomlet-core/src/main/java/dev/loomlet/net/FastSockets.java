package dev.loomlet.net;

import dev.loomlet.internal.jdk.SocketNatives;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/**
 * Puts Loomlet's sockets under every {@link Socket} and {@link ServerSocket} that the program, its libraries and the JDK
 * make from now on: TLS, HTTP clients, JDBC drivers and all. {@code ./loomlet run --sockets fast} does it.
 *
 * <p>They behave as the JDK's do, SOCKS proxies ({@code socksProxyHost}, {@link java.net.ProxySelector}) included; a
 * second reader waits its turn. Threads of no hub use them as well. Those made before, those made with a
 * {@link java.net.Proxy} of their own, and {@link java.nio.channels channels} stay the JDK's. A program that sets a socket
 * factory of its own ({@link Socket#setSocketImplFactory}) finds it taken: it needs {@code --sockets jdk}.
 */
public final class FastSockets {
    private static @Nullable String result;

    private FastSockets() {}

    /**
     * Does it, once for the life of the process.
     *
     * @return an empty string if it was done, now or before; else why it could not be, for people
     */
    @SuppressWarnings("deprecation") // there is no other way to give the JDK's own classes a socket
    public static synchronized String install() {
        if (result == null) {
            result = tryToInstall();
        }
        return result;
    }

    @SuppressWarnings("deprecation")
    private static String tryToInstall() {
        if (!Sockets.fast()) {
            return "the hub's poller cannot watch descriptors here";
        }
        try {
            Socket.setSocketImplFactory(() -> SocketNatives.proxied(new FastSocketImpl(false, false)));
            ServerSocket.setSocketFactory(() -> new FastSocketImpl(true, false));
            return "";
        } catch (IOException e) {
            return "the program has a socket factory of its own";
        }
    }
}
