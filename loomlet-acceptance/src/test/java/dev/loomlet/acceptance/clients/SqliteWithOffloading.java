package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.TimeoutExpired;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Programs;
import dev.loomlet.acceptance.peers.Spares;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.sqlite.Function;

/** SQLite runs in the calling thread, in native code; a rule keeps that off the hub. */
class SqliteWithOffloading extends SqlClient {
    private static final Duration LONG = Duration.ofSeconds(1);
    private static final String ENDLESS =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    private final AtomicInteger inside = new AtomicInteger();
    private @Nullable Spares<Connection> connections;

    @Override
    protected Library library() {
        return Library.client("SQLite-JDBC", org.sqlite.JDBC.class, "a file").underAgent().with(
                "`--offload 'org.sqlite.core.NativeDB#*'`, and `-Dloomlet.threadpool.size=` for more than 10 calls at a"
                        + " time; a call that is to end before it is over is ended by `Statement.cancel()`. Without the"
                        + " agent `hub.threadPool().call(() -> ...)`");
    }

    @Override
    protected void open() throws Exception {
        Path folder = Programs.folder("sqlite");
        closeLater(() -> Programs.delete(folder));
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
    <R> R connected(Work<R> work) throws Exception {
        return Objects.requireNonNull(connections).use(work::with);
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

    @Override
    protected int held() {
        return Objects.requireNonNull(connections).held();
    }

    @Override
    protected String endsInMidCall() {
        return "after the call";
    }

    /** Native code cannot be ended from outside: the kill comes when it returns, and is not forgotten. */
    @Override
    protected void killInMidCall() throws Exception {
        until("the end of earlier calls", () -> inside() == 0);
        long start = System.nanoTime();
        Greenlet<Void> victim = hub().spawn("victim", () -> slowCall(0, LONG));
        until("the middle of a call", () -> inside() > 0);
        assertThat(victim.kill(Duration.ZERO)).as("killed at once").isFalse();
        assertThat(inside()).isEqualTo(1);
        victim.join();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(LONG);
        assertThat(victim.exit()).as("how it ended: " + victim.exception()).isPresent();
        cancelEndsWhatIsKilled();
    }

    private void cancelEndsWhatIsKilled() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Statement[] statement = new Statement[1];
        Greenlet<Void> victim = hub().spawn("endless", () -> {
            connected(connection -> {
                statement[0] = connection.createStatement();
                begun.countDown();
                return statement[0].executeQuery(ENDLESS);
            });
        });
        begun.await();
        victim.kill(Duration.ZERO);
        until("the end of a query that is cancelled", () -> {
            try {
                statement[0].cancel(); // again and again, since it is for a query that has begun
            } catch (SQLException ended) {
                // and so has its connection
            }
            return victim.ready();
        });
        assertThat(victim.exit()).as("how it ended: " + victim.exception()).isPresent();
    }

    @Override
    protected void timeoutInMidCall() throws Exception {
        finish(hub().spawn("late", () -> {
            long start = System.nanoTime();
            assertThatThrownBy(() -> Loomlet.withTimeout(LATENCY, () -> {
                slowCall(0, LONG);
                return true;
            })).isInstanceOf(TimeoutExpired.class);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(LONG);
        }));
    }
}
