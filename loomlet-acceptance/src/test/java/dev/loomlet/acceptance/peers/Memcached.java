package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A memcached of this machine, in a process of its own. */
public final class Memcached implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final Programs.Server server;

    /** Starts it. */
    public Memcached() throws IOException {
        Path program = Programs.find("memcached", "memcached");
        folder = Programs.folder("memcached");
        List<String> command = new ArrayList<>(List.of(program.toString(), "-l", "127.0.0.1", "-p",
                Integer.toString(port), "-U", "0", "-t", "1"));
        if (Programs.root()) {
            command.addAll(List.of("-u", "nobody"));
        }
        server = Programs.server(Map.of(), command, folder, port);
    }

    /** Its port on 127.0.0.1. */
    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        server.close();
        Programs.delete(folder);
    }
}
