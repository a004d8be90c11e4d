package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A NATS server of this machine, in a process of its own. */
public final class Nats implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final boolean tls;
    private final String version;
    private final Programs.Server server;

    /** Starts it; one speaks TLS with all its clients or with none. */
    public Nats(boolean tls) throws IOException {
        Certificate.install();
        this.tls = tls;
        Path program = Programs.find("nats-server", "nats-server");
        version =
                Programs.run(Map.of(), List.of(program.toString(), "--version")).replaceAll("(?s).*v([0-9.]+).*", "$1");
        folder = Programs.folder("nats");
        List<String> command = new ArrayList<>(
                List.of(program.toString(), "--addr", "127.0.0.1", "--port", Integer.toString(port)));
        if (tls) {
            command.addAll(List.of("--tls", "--tlscert", Certificate.certificate().toString(), "--tlskey",
                    Certificate.key().toString()));
        }
        server = Programs.server(Map.of(), command, folder, port);
    }

    /** Where it is. */
    public String url() {
        return (tls ? "tls" : "nats") + "://127.0.0.1:" + port;
    }

    /** Its name and version. */
    public String name() {
        return "NATS " + version;
    }

    @Override
    public void close() throws IOException {
        server.close();
        Programs.delete(folder);
    }
}
