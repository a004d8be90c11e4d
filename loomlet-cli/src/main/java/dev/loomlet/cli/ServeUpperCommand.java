package dev.loomlet.cli;

import dev.loomlet.net.StreamServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;

/**
 * {@code loomlet serve upper}: sends back what it gets, in capitals.
 *
 * <p>Its first line of output is {@code LISTENING <port>}. Ctrl-C (SIGINT) and SIGTERM stop it: it closes its port and its
 * connections, and the process ends with the exit code that shells expect after such a signal, 130 or 143.
 */
final class ServeUpperCommand extends Command {
    private static final int CANNOT_LISTEN = 1;
    private static final Duration GRACE = Duration.ofMillis(200);

    ServeUpperCommand() {
        super("upper", "--port N [OPTIONS]",
                "sends back what it gets, in capitals (the ASCII letters): one greenlet for each connection");
    }

    @Override
    List<Option> options() {
        return List.of(ServeOptions.PORT, ServeOptions.HOST, ServeOptions.BACKLOG, ServeOptions.LIMIT);
    }

    @Override
    List<String> details() {
        return List.of("", "Try: nc 127.0.0.1 PORT", "Ctrl-C stops it; the exit code is then 130.");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        invocation.refuseArguments();
        ServeOptions options = ServeOptions.of(invocation);
        Terminal terminal = options.terminal();
        try {
            StreamServer server = StreamServer.builder(options.address(), ServeUpperCommand::upper)
                    .backlog(options.backlog()).limit(options.limit()).build();
            server.start();
            Thread atExit = new Thread(() -> server.stop(GRACE), "loomlet-stop");
            Runtime.getRuntime().addShutdownHook(atExit);
            terminal.out().println("LISTENING " + server.port());
            terminal.out().flush();
            server.serveForever();
            return 0;
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            terminal.err().println("loomlet: " + e.getMessage());
            return CANNOT_LISTEN;
        }
    }

    /** The tutorial's server, its handler. */
    static void upper(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream();
        byte[] bytes = new byte[1024];
        try {
            for (int n; (n = in.read(bytes)) > 0;) {
                for (int i = 0; i < n; i++) {
                    byte b = bytes[i];
                    if (b >= 'a' && b <= 'z') {
                        bytes[i] = (byte) (b - ('a' - 'A'));
                    }
                }
                out.write(bytes, 0, n);
            }
        } catch (SocketException e) {
            // the client has gone without a word; that is its right
        }
    }
}
