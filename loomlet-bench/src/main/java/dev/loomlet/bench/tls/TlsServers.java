package dev.loomlet.bench.tls;

import dev.loomlet.net.StreamServer;
import dev.loomlet.net.Tls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;

/**
 * Servers that send back over TLS what they get: {@code loomlet-bench/src/peers/tls/run} measures them beside their peers.
 *
 * <pre>
 * loomlet CERTIFICATE KEY     a greenlet for each connection      LISTENING port
 * threads CERTIFICATE KEY     a virtual thread, an SSLSocket      LISTENING port
 * </pre>
 */
public final class TlsServers {
    private static final int BACKLOG = 4096;

    private TlsServers() {}

    /** Runs the one named by the first argument. */
    public static void main(String[] arguments) throws Exception {
        Tls tls = Tls.ofPem(Path.of(arguments[1]), Path.of(arguments[2]));
        switch (arguments[0]) {
            case "loomlet" -> loomlet(tls);
            case "threads" -> threads(tls);
            default -> throw new IllegalArgumentException("no server named " + arguments[0]);
        }
    }

    private static void loomlet(Tls tls) throws IOException {
        try (var server = StreamServer.builder("127.0.0.1:0", TlsServers::echo).tls(tls).backlog(BACKLOG).build()
                .start()) {
            System.out.println("LISTENING " + server.port());
            server.serveForever();
        }
    }

    private static void threads(Tls tls) throws IOException {
        try (ServerSocket server = tls.context().getServerSocketFactory()
                .createServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())) {
            System.out.println("LISTENING " + server.getLocalPort());
            for (;;) {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                Thread.ofVirtual().start(() -> echo(socket));
            }
        }
    }

    private static void echo(Socket socket) {
        try (socket; InputStream in = socket.getInputStream(); OutputStream out = socket.getOutputStream()) {
            byte[] buffer = new byte[16 * 1024];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // the client is gone, as load generators do
        }
    }
}
