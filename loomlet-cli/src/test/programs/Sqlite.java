import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CountDownLatch;
import org.sqlite.Function;

/** Queries that go on in native code until another thread of the program has run. */
class Sqlite {
    private static volatile boolean over;

    static void main() throws Exception {
        CountDownLatch inside = new CountDownLatch(5);
        Thread[] threads = new Thread[5];
        int[] sums = new int[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int number = i;
            threads[i] = new Thread(() -> {
                try {
                    sums[number] = query(number, inside);
                } catch (SQLException e) {
                    e.printStackTrace();
                }
            });
            threads[i].start();
        }
        inside.await();
        over = true;
        int sum = 0;
        for (int i = 0; i < threads.length; i++) {
            threads[i].join();
            sum += sums[i];
        }
        System.out.println("sum " + sum);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement statement = connection.createStatement()) {
            statement.execute("select * from nothing");
        } catch (SQLException e) {
            System.out.println(e.getMessage());
        }
    }

    private static int query(int number, CountDownLatch inside) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            Function.create(connection, "later", new Function() {
                @Override
                protected void xFunc() throws SQLException {
                    int value = value_int(0);
                    inside.countDown();
                    while (!over) {
                        // native code would not give way either
                    }
                    result(value + 1);
                }
            });
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table numbers(n int)");
                for (int i = 0; i < 10; i++) {
                    statement.execute("insert into numbers values (" + (number * 10 + i) + ")");
                }
            }
            try (PreparedStatement query = connection.prepareStatement("select sum(later(n)) from numbers where n > ?")) {
                query.setInt(1, -1);
                try (ResultSet rows = query.executeQuery()) {
                    rows.next();
                    return rows.getInt(1);
                }
            }
        }
    }
}
