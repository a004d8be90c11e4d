package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.MariaDb;
import dev.loomlet.acceptance.peers.Spares;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

class MariaDbTest extends SqlClient {
    private @Nullable MariaDb peer;
    private @Nullable Connection watcher;
    private @Nullable Spares<Connection> connections;

    @Override
    protected Library library() {
        return Library.client("MariaDB Connector/J", org.mariadb.jdbc.Driver.class, "MariaDB");
    }

    @Override
    protected void open() throws Exception {
        peer = closeLater(new MariaDb());
        watcher = closeLater(DriverManager.getConnection(peer.url(false)));
        make(url(peer.url(false), false));
    }

    @Override
    protected void openTls() {
        make(url(Objects.requireNonNull(peer).url(true), true));
    }

    /** The driver's URL for what MariaDB's own takes. */
    String url(String url, boolean tls) {
        return url;
    }

    private void make(String url) {
        connections = closeLater(new Spares<>(() -> DriverManager.getConnection(url)));
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        return Objects.requireNonNull(connections).use(work::with);
    }

    @Override
    String slowQuery() {
        return "SELECT SLEEP(?)";
    }

    @Override
    protected int inside() throws SQLException {
        return count(Objects.requireNonNull(watcher),
                "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'");
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(connections).held();
    }
}
