package dev.loomlet.cli;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Many clients of one SQL server, all connected at the same time, each with rows of its own. Every statement is a transaction:
 * H2 has no more than 255 of those at a time.
 */
final class SqlClients {
    private static final int ROWS = 5;

    /** More than a server lets wait to be accepted would only be dropped, and try again later. */
    private static final Semaphore CONNECTING = new Semaphore(40);

    private SqlClients() {}

    /** What they have read, in the order of their numbers. */
    static List<String> drive(String url, String user, int clients) throws Exception {
        try (Connection first = connect(url, user); Statement statement = first.createStatement()) {
            statement.execute("create table things (owner int, n int, name varchar(40))");
        }
        CyclicBarrier connected = new CyclicBarrier(clients);
        List<Future<String>> running = new ArrayList<>();
        List<String> results = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                int number = i;
                running.add(threads.submit(() -> client(url, user, number, connected)));
            }
            for (Future<String> each : running) {
                results.add(each.get(200, TimeUnit.SECONDS));
            }
        }
        try (Connection last = connect(url, user); Statement statement = last.createStatement();
                ResultSet all = statement.executeQuery("select count(*), sum(n) from things")) {
            all.next();
            results.add(all.getInt(1) + " rows, sum " + all.getLong(2));
        }
        return results;
    }

    private static Connection connect(String url, String user) throws SQLException {
        return DriverManager.getConnection(url, user, user.equals("app") ? "password" : "");
    }

    private static String client(String url, String user, int number, CyclicBarrier connected) throws Exception {
        CONNECTING.acquire();
        try (Connection connection = connect(url, user)) {
            CONNECTING.release();
            connected.await(180, TimeUnit.SECONDS); // nobody begins before all are connected
            try (PreparedStatement insert = connection.prepareStatement("insert into things values (?, ?, ?)")) {
                for (int i = 0; i < ROWS; i++) {
                    insert.setInt(1, number);
                    insert.setInt(2, number * i);
                    insert.setString(3, "thing " + i + " of " + number);
                    insert.executeUpdate();
                }
            }
            StringBuilder read = new StringBuilder();
            try (PreparedStatement query =
                    connection.prepareStatement("select n, name from things where owner = ? order by n, name")) {
                query.setInt(1, number);
                try (ResultSet rows = query.executeQuery()) {
                    while (rows.next()) {
                        read.append(rows.getInt(1)).append(' ').append(rows.getString(2)).append('\n');
                    }
                }
            }
            try (Statement wrong = connection.createStatement()) {
                wrong.execute("select * from nowhere");
            } catch (SQLException e) {
                read.append(e.getSQLState());
            }
            return read.toString();
        }
    }
}
