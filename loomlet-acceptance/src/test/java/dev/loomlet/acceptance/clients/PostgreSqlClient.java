package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.peers.PostgreSql;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A client of PostgreSQL. */
abstract class PostgreSqlClient extends SqlClient {
    private @Nullable PostgreSql peer;
    private @Nullable Connection watcher;

    /** Makes the client for a URL. */
    abstract void make(String url) throws Exception;

    @Override
    protected final void open() throws Exception {
        peer = closeLater(new PostgreSql());
        watcher = closeLater(DriverManager.getConnection(peer.url(false)));
        make(peer.url(false));
    }

    @Override
    protected final void openTls() throws Exception {
        make(Objects.requireNonNull(peer).url(true));
    }

    @Override
    String slowQuery() {
        return "SELECT pg_sleep(?)";
    }

    @Override
    protected final int inside() throws SQLException {
        return count(Objects.requireNonNull(watcher), "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                + " AND query LIKE 'SELECT pg_sleep%' AND pid <> pg_backend_pid()");
    }
}
