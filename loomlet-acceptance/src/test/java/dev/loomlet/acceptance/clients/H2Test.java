package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Spares;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.h2.tools.Server;
import org.jspecify.annotations.Nullable;

/** H2 as a client and a server, over TCP. */
public class H2Test extends SqlClient {
    private static final AtomicInteger INSIDE = new AtomicInteger();
    private @Nullable Spares<Connection> connections;

    @Override
    protected Library library() {
        return Library.client("H2 over TCP", org.h2.Driver.class, "H2's server");
    }

    @Override
    protected void open() throws Exception {
        make("tcp", start("-tcp"));
    }

    @Override
    protected void openTls() throws Exception {
        make("ssl", start("-tcp", "-tcpSSL"));
    }

    private Server start(String... arguments) throws SQLException {
        var all = new java.util.ArrayList<String>(java.util.List.of(arguments));
        all.addAll(java.util.List.of("-tcpPort", "0", "-ifNotExists"));
        Server server = Server.createTcpServer(all.toArray(String[]::new)).start();
        closeLater(server::stop);
        return server;
    }

    private void make(String protocol, Server server) throws SQLException {
        String url = "jdbc:h2:" + protocol + "://localhost:" + server.getPort() + "/mem:" + protocol;
        Connection keeper = closeLater(DriverManager.getConnection(url)); // the database is gone with the last of them
        try (Statement statement = keeper.createStatement()) {
            statement.execute("CREATE ALIAS NAP FOR \"" + H2Test.class.getName() + ".nap\"");
        }
        connections = closeLater(new Spares<>(() -> DriverManager.getConnection(url)));
    }

    /** Called by the database, on its own threads. */
    public static int nap(int millis) throws InterruptedException {
        INSIDE.incrementAndGet();
        try {
            Thread.sleep(millis);
            return millis;
        } finally {
            INSIDE.decrementAndGet();
        }
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        return Objects.requireNonNull(connections).use(work::with);
    }

    @Override
    String slowQuery() {
        return "SELECT NAP(?)";
    }

    @Override
    Number parameter(Duration latency) {
        return (int) latency.toMillis();
    }

    @Override
    String textType() {
        return "VARCHAR";
    }

    @Override
    protected int inside() {
        return INSIDE.get();
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(connections).held();
    }
}
