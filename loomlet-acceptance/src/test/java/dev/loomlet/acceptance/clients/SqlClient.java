package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.peers.Certificate;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** A driver of JDBC. */
abstract class SqlClient extends ClientOnHub {
    static {
        Certificate.install(); // before anybody asks for the JDK's default context
    }

    private static final String TEXT = "Łódź 東京 \uD83E\uDDF5 ".repeat(3000);

    /** What is done with a connection. */
    @FunctionalInterface
    interface Work<R> {
        R with(Connection connection) throws Exception;
    }

    /** Has something done with a connection. */
    abstract <R> R connected(Work<R> work) throws Exception;

    /** A query with one parameter, the milliseconds that it takes. */
    abstract String slowQuery();

    /** The parameter of {@link #slowQuery} for a time. */
    Number parameter(Duration latency) {
        return latency.toMillis() / 1000.0;
    }

    @Override
    protected final void slowCall(int number, Duration latency) throws Exception {
        int rows = connected(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(slowQuery())) {
                statement.setObject(1, parameter(latency));
                try (ResultSet result = statement.executeQuery()) {
                    int n = 0;
                    while (result.next()) {
                        n++;
                    }
                    return n;
                }
            }
        });
        assertThat(rows).isEqualTo(1);
    }

    @Override
    protected final void rightResults() throws Exception {
        connected(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("DROP TABLE IF EXISTS greenlets");
                statement.executeUpdate("CREATE TABLE greenlets (id INT PRIMARY KEY, name " + textType() + ")");
            }
            insert(connection);
            select(connection);
            rollBack(connection);
            try (Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.executeQuery("SELECT nonsense FROM nowhere"))
                        .isInstanceOf(SQLException.class);
            }
            return true;
        });
    }

    /** The type of a column with long text. */
    String textType() {
        return "TEXT";
    }

    private static void insert(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO greenlets VALUES (?, ?)")) {
            for (int i = 0; i < 100; i++) {
                insert.setInt(1, i);
                insert.setString(2, i == 99 ? TEXT : "greenlet " + i);
                insert.addBatch();
            }
            assertThat(insert.executeBatch()).hasSize(100);
        }
    }

    private static void select(Connection connection) throws SQLException {
        try (PreparedStatement select = connection
                .prepareStatement("SELECT id, name FROM greenlets WHERE id >= ? ORDER BY id")) {
            select.setInt(1, 50);
            try (ResultSet rows = select.executeQuery()) {
                for (int i = 50; i < 100; i++) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getInt(1)).isEqualTo(i);
                    assertThat(rows.getString(2)).isEqualTo(i == 99 ? TEXT : "greenlet " + i);
                }
                assertThat(rows.next()).isFalse();
            }
        }
    }

    private static void rollBack(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("DELETE FROM greenlets")).isEqualTo(100);
            connection.rollback();
            try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM greenlets")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getInt(1)).isEqualTo(100);
            }
        } finally {
            connection.setAutoCommit(true);
        }
    }

    /** A number that a query gives. */
    static int count(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            assertThat(rows.next()).isTrue();
            return rows.getInt(1);
        }
    }
}
