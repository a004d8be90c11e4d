package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Servers from Maven Central that have a thread for each connection, unchanged: run on threads by {@code java} and on
 * greenlets by {@code loomlet run}, driven by the same {@value #CLIENTS} clients, those of their
 * own drivers, they answer the same.
 */
@Timeout(240)
class WholeProgramsTest {
    private static final int CLIENTS = 500;

    @TempDir static Path folder;

    private static Programs programs;

    @BeforeAll
    static void compile() throws IOException {
        programs = new Programs(folder);
    }

    /** A program and how to reach it. {@code PORT} stands for the port. */
    record Server(String name, String jars, String user, String url, List<String> command) {
        boolean isDirectory() {
            return url.startsWith("ldap:");
        }

        /** What the clients have read. */
        List<String> drive(int port) throws Exception {
            return isDirectory()
                    ? LdapClients.drive(port, CLIENTS)
                    : SqlClients.drive(url.replace("PORT", Integer.toString(port)), user, CLIENTS);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Server> servers() {
        return Stream.of(
                new Server("H2", "h2-", "sa",
                        "jdbc:h2:tcp://127.0.0.1:PORT/mem:test;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=60000",
                        List.of("org.h2.tools.Server", "-tcp", "-tcpPort", "PORT", "-ifNotExists")),
                new Server("HSQLDB", "hsqldb-", "SA", "jdbc:hsqldb:hsql://127.0.0.1:PORT/test",
                        List.of("org.hsqldb.server.Server", "--database.0", "mem:test", "--dbname.0", "test",
                                "--address", "127.0.0.1", "--port", "PORT", "--silent", "true")),
                new Server("Derby", "derby", "app", "jdbc:derby://127.0.0.1:PORT/memory:test;create=true",
                        List.of("org.apache.derby.drda.NetworkServerControl", "start", "-h", "127.0.0.1", "-p",
                                "PORT", "-noSecurityManager")),
                new Server("UnboundID", "unboundid-ldapsdk-", LdapClients.USER, "ldap://127.0.0.1:PORT",
                        List.of("com.unboundid.ldap.listener.InMemoryDirectoryServerTool", "--port", "PORT",
                                "--baseDN", LdapClients.BASE, "--additionalBindDN", LdapClients.USER,
                                "--additionalBindPassword", LdapClients.PASSWORD)));
    }

    @ParameterizedTest
    @MethodSource("servers")
    void fiveHundredClientsGetTheSameFromGreenletsAsFromThreads(Server server) throws Exception {
        Path report = Files.createTempFile(folder, server.name(), ".txt");
        List<String> onThreads = answers(server, List.of(), report);
        List<String> onGreenlets =
                answers(server, List.of("-jar", programs.jar().toString(), "run", "--report"), report);
        assertThat(onGreenlets).isEqualTo(onThreads).hasSize(CLIENTS + 1);
        assertThat(onThreads.getLast()).startsWith(server.isDirectory() ? CLIENTS + " entries" : CLIENTS * 5 + " rows");
        assertThat(Files.readString(report)).containsPattern("OS threads for user code +1: main");
    }

    private static List<String> answers(Server server, List<String> launcher, Path report) throws Exception {
        int port = freePort();
        List<String> command = new ArrayList<>(launcher);
        command.add("-cp");
        command.add(jars(server.jars()));
        server.command().forEach(each -> command.add(each.replace("PORT", Integer.toString(port))));
        Path home = Files.createTempDirectory(folder, server.name());
        Path out = Files.createTempFile(folder, server.name(), ".out");
        Process process = programs.command(command).directory(home.toFile()).redirectOutput(out.toFile())
                .redirectError(report.toFile()).start();
        try {
            awaitPort(port, process, out);
            return server.drive(port);
        } finally {
            process.destroy();
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
    }

    /** Until somebody listens there, which a program tells nobody else; or it has ended. The test's timeout bounds it. */
    private static void awaitPort(int port, Process process, Path out) throws Exception {
        for (;;) {
            try (Socket tried = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(tried.isConnected()).isTrue();
                return;
            } catch (IOException e) {
                boolean ended = process.waitFor(20, TimeUnit.MILLISECONDS);
                assertThat(ended).as("%s", Files.readString(out)).isFalse();
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String jars(String prefix) {
        List<String> found = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(each -> Path.of(each).getFileName().toString().startsWith(prefix)).toList();
        assertThat(found).as("jars that begin with %s", prefix).isNotEmpty();
        return String.join(File.pathSeparator, found);
    }
}
