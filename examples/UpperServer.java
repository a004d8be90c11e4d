import static dev.loomlet.Loomlet.spawn;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Answers what it is told in capitals, to many clients at once, on one thread. Talk to it with UpperClient.java. */
class UpperServer {
    static void server(String ip, int port) throws IOException {
        try (var s = new ServerSocket()) {
            s.setReuseAddress(true);
            s.bind(new java.net.InetSocketAddress(InetAddress.getByName(ip), port), 500);
            System.out.println("LISTENING " + s.getLocalPort());
            while (true) {
                var conn = s.accept();
                spawn(() -> talk(conn));
            }
        }
    }

    static void talk(Socket conn) {
        try (conn) {
            var in = conn.getInputStream();
            var buffer = new byte[1024];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                var msg = new String(buffer, 0, n);
                System.out.println("client " + conn.getRemoteSocketAddress() + " msg: " + msg.strip());
                conn.getOutputStream().write(msg.toUpperCase().getBytes());
            }
        } catch (IOException e) {
            System.out.println(e);
        }
    }

    /** The port is the argument, 8080 without one; 0 picks one. */
    public static void main(String[] args) throws IOException {
        server("127.0.0.1", args.length > 0 ? Integer.parseInt(args[0]) : 8080);
    }
}
