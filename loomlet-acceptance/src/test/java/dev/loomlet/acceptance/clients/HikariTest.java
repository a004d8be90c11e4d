package dev.loomlet.acceptance.clients;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.loomlet.acceptance.Library;
import java.sql.Connection;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

class HikariTest extends PostgreSqlClient {
    private @Nullable HikariDataSource pool;

    @Override
    protected Library library() {
        return Library.client("HikariCP", HikariDataSource.class, "PostgreSQL, through pgjdbc");
    }

    @Override
    void make(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(CALLS);
        pool = closeLater(new HikariDataSource(config));
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        try (Connection connection = Objects.requireNonNull(pool).getConnection()) {
            return work.with(connection);
        }
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(pool).getHikariPoolMXBean().getActiveConnections();
    }
}
