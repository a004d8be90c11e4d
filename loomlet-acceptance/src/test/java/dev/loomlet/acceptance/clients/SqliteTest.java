package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Programs;
import dev.loomlet.acceptance.peers.Spares;
import dev.loomlet.pool.ThreadPool;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;

/** SQLite runs in the calling thread, in native code: the program has its pool of real threads do it. */
class SqliteTest extends SqlClient {
    private final AtomicInteger inside = new AtomicInteger();
    private @Nullable Spares<Connection> connections;
    private @Nullable ThreadPool realThreads;

    @Override
    protected Library library() {
        return Library.client("SQLite-JDBC", org.sqlite.JDBC.class, "a file").with(
                "`hub.threadPool().call(() -> ...)`: it blocks its thread in native code; with the agent"
                        + " `--offload 'org.sqlite.core.NativeDB#*'` does it");
    }

    @Override
    protected void open() throws Exception {
        Path folder = Programs.folder("sqlite");
        closeLater(() -> Programs.delete(folder));
        realThreads = closeLater(new ThreadPool(CALLS, hub()).interruptAbandoned(true));
        connections = closeLater(new Spares<>(() -> {
            Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("base"));
            Function.create(connection, "nap", new Function() {
                @Override
                protected void xFunc() throws SQLException {
                    inside.incrementAndGet();
                    try {
                        Thread.sleep(value_int(0));
                        result(1);
                    } catch (InterruptedException e) {
                        throw new SQLException(e);
                    } finally {
                        inside.decrementAndGet();
                    }
                }
            });
            return connection;
        }));
    }

    @Override
    protected boolean hasTls() {
        return false;
    }

    @Override
    protected void openTls() {
        throw new UnsupportedOperationException();
    }

    @Override
    <R> R connected(Work<R> work) throws Exception {
        return Objects.requireNonNull(realThreads).call(() -> Objects.requireNonNull(connections).use(work::with));
    }

    @Override
    String slowQuery() {
        return "SELECT nap(?)";
    }

    @Override
    Number parameter(Duration latency) {
        return (int) latency.toMillis();
    }

    @Override
    protected int inside() {
        return inside.get();
    }
}
