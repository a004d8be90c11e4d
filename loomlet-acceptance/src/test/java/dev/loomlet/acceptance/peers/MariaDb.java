package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A MariaDB of this machine, in a process of its own, with a new database. */
public final class MariaDb implements AutoCloseable {
    private final Path folder;
    private final int port = Programs.freePort();
    private final String version;
    private final Programs.Server server;

    /** Starts it. */
    public MariaDb() throws IOException {
        Certificate.install();
        Path daemon = Programs.find("mariadbd", "mariadb-server-core");
        Path install = Programs.find("mariadb-install-db", "mariadb-server-core");
        version = Programs.run(Map.of(), List.of(daemon.toString(), "--version")).replaceAll("(?s).*Ver ([0-9.]+).*",
                "$1");
        folder = Programs.folder("mariadb");
        Path data = folder.resolve("data");
        Path setUp = Files.writeString(folder.resolve("set-up.sql"), """
                CREATE DATABASE loomlet CHARACTER SET utf8mb4;
                CREATE USER loomlet@'%' IDENTIFIED BY 'secret';
                GRANT ALL ON *.* TO loomlet@'%';
                """);
        Programs.run(Map.of(), with(install.toString(), "--no-defaults", "--datadir=" + data,
                "--auth-root-authentication-method=normal", "--skip-test-db"));
        server = Programs.server(Map.of(), with(daemon.toString(), "--no-defaults", "--datadir=" + data,
                "--bind-address=127.0.0.1", "--port=" + port, "--socket=" + folder.resolve("socket"),
                "--pid-file=" + folder.resolve("pid"), "--skip-name-resolve", "--init-file=" + setUp,
                "--ssl-ca=" + Certificate.certificate(),
                "--ssl-cert=" + Certificate.certificate(), "--ssl-key=" + Certificate.key()), folder, port);
    }

    private static List<String> with(String... command) {
        List<String> all = new ArrayList<>(List.of(command));
        if (Programs.root()) {
            all.add("--user=root");
        }
        return all;
    }

    /** Where it is, for JDBC. */
    public String url(boolean tls) {
        return "jdbc:mariadb://127.0.0.1:" + port + "/loomlet?user=loomlet&password=secret"
                + (tls ? "&sslMode=verify-full" : "");
    }

    /** Its name and version. */
    public String name() {
        return "MariaDB " + version;
    }

    @Override
    public void close() throws IOException {
        server.close();
        Programs.delete(folder);
    }
}
