package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A PostgreSQL of this machine, in a process of its own, with a new cluster. */
public final class PostgreSql implements AutoCloseable {
    private static final String STARTING_UP = "57P03";

    private final Path folder;
    private final int port = Programs.freePort();
    private final String version;
    private final Programs.Server server;

    /** Starts it. */
    public PostgreSql() throws IOException {
        Certificate.install();
        Path postgres = Programs.find("postgres", "postgresql", "/usr/lib/postgresql/*/bin");
        Path initdb = Programs.find("initdb", "postgresql", "/usr/lib/postgresql/*/bin");
        version = Programs.run(Map.of(), List.of(postgres.toString(), "--version"))
                .replaceAll("\\s*\\(PostgreSQL\\)|\\(.*\\)",
                        "")
                .strip();
        folder = Programs.folder("postgres");
        Path data = folder.resolve("data");
        Path key = Files.copy(Certificate.key(), folder.resolve("key.pem"));
        Path certificate = Files.copy(Certificate.certificate(), folder.resolve("certificate.pem"));
        Files.setPosixFilePermissions(key, java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
        if (Programs.root()) {
            Programs.run(Map.of(), List.of("chown", "-R", "nobody", folder.toString()));
        }
        Programs.run(Map.of(), asNobody(initdb.toString(), "-D", data.toString(), "-U", "loomlet", "-A", "trust", "-E",
                "UTF8", "--locale=C", "--no-sync"));
        server = Programs.server(Map.of(), asNobody(postgres.toString(), "-D", data.toString(), "-p",
                Integer.toString(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c",
                "fsync=off", "-c", "client_connection_check_interval=100", "-c", "ssl=on", "-c",
                "ssl_key_file=" + key, "-c", "ssl_cert_file=" + certificate), folder, port);
        awaitReady();
    }

    /** It listens before it is ready. */
    private void awaitReady() throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            try (Connection _ = DriverManager.getConnection(url(false))) {
                return;
            } catch (SQLException e) {
                if (!STARTING_UP.equals(e.getSQLState()) || System.nanoTime() - end > 0) {
                    throw new IOException("PostgreSQL does not get ready:\n" + server.said(), e);
                }
            }
        }
    }

    /** It refuses to run as root. */
    private static List<String> asNobody(String... command) {
        List<String> all = new ArrayList<>();
        if (Programs.root()) {
            all.addAll(List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"));
        }
        all.addAll(List.of(command));
        return all;
    }

    /** Where it is, for JDBC. */
    public String url(boolean tls) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=loomlet" + (tls
                ? "&sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory" : "&sslmode=disable");
    }

    /** Its name and version. */
    public String name() {
        return version;
    }

    @Override
    public void close() throws IOException {
        server.process().children().forEach(each -> each.destroy()); // it waits for its clients otherwise
        server.close();
        Programs.delete(folder);
    }
}
