package dev.loomlet.cli;

import dev.loomlet.net.StreamServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code loomlet serve upper}: sends back what it gets, in capitals.
 *
 * <p>Its first line of output is {@code LISTENING <port>}. Ctrl-C (SIGINT) and SIGTERM stop it: it closes its port and its
 * connections, and the process ends with the exit code that shells expect after such a signal, 130 or 143.
 */
@Command(
        name = "upper",
        mixinStandardHelpOptions = true,
        description = "Sends back what it gets, in capitals (the ASCII letters): one greenlet for each connection.",
        footer = {"", "Try: nc 127.0.0.1 PORT", "Ctrl-C stops it; the exit code is then 130."})
final class ServeUpperCommand implements Callable<Integer> {
    private static final int CANNOT_LISTEN = 1;
    private static final Duration GRACE = Duration.ofMillis(200);

    @Option(names = "--host", paramLabel = "ADDRESS", defaultValue = "127.0.0.1",
            description = "Where to listen (default: ${DEFAULT-VALUE}).") private String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "N", required = true,
            description = "The port; 0 picks a free one.") private int port;

    @Option(names = "--backlog", paramLabel = "N", defaultValue = "4096",
            description = "How many connections may wait to be accepted (default: ${DEFAULT-VALUE}).") private int backlog =
                    4096;

    @Option(names = "--limit", paramLabel = "N",
            description = "How many connections are served at a time; the others wait.") private int limit =
                    Integer.MAX_VALUE;

    @Spec private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        CommandSpec command = java.util.Objects.requireNonNull(spec);
        PrintWriter out = command.commandLine().getOut();
        PrintWriter err = command.commandLine().getErr();
        try {
            String address = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
            StreamServer server = StreamServer.builder(address, ServeUpperCommand::upper)
                    .backlog(backlog).limit(limit).build();
            server.start();
            Thread atExit = new Thread(() -> server.stop(GRACE), "loomlet-stop");
            Runtime.getRuntime().addShutdownHook(atExit);
            out.println("LISTENING " + server.port());
            out.flush();
            server.serveForever();
            return 0;
        } catch (IllegalArgumentException | IOException e) {
            err.println("loomlet: " + e.getMessage());
            err.flush();
            return e instanceof IllegalArgumentException ? Main.USAGE_ERROR : CANNOT_LISTEN;
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
