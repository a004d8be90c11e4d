package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A Mosquitto of this machine, in a process of its own. */
public final class Mosquitto implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final Programs.Server server;

    /** Starts it. */
    public Mosquitto() throws IOException {
        Path program = Programs.find("mosquitto", "mosquitto");
        folder = Programs.folder("mosquitto");
        Path settings = Files.writeString(folder.resolve("settings"),
                "listener " + port + " 127.0.0.1\nallow_anonymous true\n"
                        + (Programs.root() ? "user root\n" : ""));
        server = Programs.server(Map.of(), List.of(program.toString(), "-c", settings.toString()), folder, port);
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
