package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A Redis of this machine, in a process of its own. */
public final class Redis implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final int tlsPort = Programs.freePort();
    private final String version;
    private final Programs.Server server;

    /** Starts it. */
    public Redis() throws IOException {
        Certificate.install();
        Path program = Programs.find("redis-server", "redis-server");
        version = Programs.run(Map.of(), List.of(program.toString(), "--version")).replaceAll("(?s).*v=([0-9.]+).*",
                "$1");
        folder = Programs.folder("redis");
        server = Programs.server(Map.of(), List.of(program.toString(), "--port", Integer.toString(port), "--tls-port",
                Integer.toString(tlsPort), "--bind", "127.0.0.1", "--tls-auth-clients", "no", "--tls-cert-file",
                Certificate.certificate().toString(), "--tls-key-file", Certificate.key().toString(),
                "--tls-ca-cert-file", Certificate.certificate().toString(), "--save", "", "--hz", "100", "--dir",
                folder.toString()), folder, port);
    }

    /** Its port on 127.0.0.1. */
    public int port(boolean tls) {
        return tls ? tlsPort : port;
    }

    /** Its name and version. */
    public String name() {
        return "Redis " + version;
    }

    @Override
    public void close() throws IOException {
        server.close();
        Programs.delete(folder);
    }
}
