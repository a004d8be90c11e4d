package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import java.sql.Connection;
import java.util.Objects;
import org.apache.commons.dbcp2.BasicDataSource;
import org.jspecify.annotations.Nullable;

/** Its pool is that of commons-pool2. */
class Dbcp2Test extends PostgreSqlClient {
    private @Nullable BasicDataSource pool;

    @Override
    protected Library library() {
        return Library.client("Apache Commons DBCP", BasicDataSource.class, "PostgreSQL, through pgjdbc")
                .with("`setMaxWait(...)`, as for Jedis");
    }

    @Override
    void make(String url) {
        BasicDataSource made = closeLater(new BasicDataSource());
        made.setUrl(url);
        made.setMaxTotal(CALLS);
        made.setMaxIdle(CALLS);
        made.setMaxWait(PATIENCE);
        pool = made;
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        try (Connection connection = Objects.requireNonNull(pool).getConnection()) {
            return work.with(connection);
        }
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(pool).getNumActive();
    }
}
