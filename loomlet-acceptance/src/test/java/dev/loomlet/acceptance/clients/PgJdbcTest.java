package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Spares;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

class PgJdbcTest extends PostgreSqlClient {
    private @Nullable Spares<Connection> connections;

    @Override
    protected Library library() {
        return Library.client("pgjdbc", org.postgresql.Driver.class, "PostgreSQL");
    }

    @Override
    void make(String url) {
        connections = closeLater(new Spares<>(() -> DriverManager.getConnection(url)));
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        return Objects.requireNonNull(connections).use(work::with);
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(connections).held();
    }
}
