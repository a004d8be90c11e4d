import static dev.loomlet.Loomlet.*;
import static dev.loomlet.inspect.AssertSwitches.assertSwitches;
import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.time.Duration.*;

import com.sun.net.httpserver.HttpServer;
import dev.loomlet.*;
import dev.loomlet.Selected.*;
import dev.loomlet.coroutine.*;
import dev.loomlet.inspect.*;
import dev.loomlet.net.*;
import dev.loomlet.pool.*;
import dev.loomlet.process.*;
import dev.loomlet.sync.*;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.Semaphore;
import java.net.*;
import java.net.http.*;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLSocket;

/** What the snippets take for granted. */
class World {
    record Page(String text) {
        static final Page NONE = new Page("");

        boolean contains(String word) {
            return text.contains(word);
        }
    }

    record Job(int number) {}

    record Row() {}

    record Image() {}

    record Part() {}

    record Tick() {}

    record Response(Object... parts) {}

    interface Database {
        List<Row> query(String sql);
    }

    interface Library {
        int blockingNativeCall();
    }

    interface Log {
        void warn(String message);
    }

    interface Market {
        Flow.Publisher<Tick> ticks();
    }

    interface Handler {
        void handle(Object request);
    }

    interface Spare {
        ByteBuffer take();

        void giveBack(ByteBuffer buffer);
    }

    static Hub hub;
    static HttpClient client;
    static HttpRequest request;
    static InetSocketAddress address;
    static StreamServer server;
    static String url, sql, wanted;
    static List<String> urls;
    static List<Greenlet<Page>> downloads;
    static List<Part> parts;
    static List<String> list;
    static Channel<Job> jobs;
    static Job job;
    static Event stop;
    static Database sqlite;
    static Library library;
    static Log log;
    static StringBuilder turns;
    static Market market;
    static Handler handler;
    static Spare spare;
    static Pool pool;
    static RLock lock;
    static Condition notEmpty;
    static Greenlet<Integer> greenlet;
    static Coroutine<String> worker;
    static StreamSocket socket;
    static Object rooms;
    static Queue<Row> queue;
    static ByteBuffer buffer, head, body;
    static Page page;
    static byte[] question, picture;
    static char[] password;
    static Path path, file;
    static int id, result;

    Page fetch(String url) {
        return Page.NONE;
    }

    Page render(Object response, Page page) {
        return page;
    }

    void index(Page page) {}

    void eat(String who) {}

    void play(String who) {}

    void play() {}

    void work() {}

    void work(Job job) {}

    void goHome() {}

    void lookAround() {}

    void warmUp() {}

    void log(String message) {}

    void say(Object what) {}

    void first(Part part) {}

    void second(Part part) {}

    void serve() {}

    void serve(SSLSocket socket) {}

    void loadConfiguration() {}

    void query() {}

    void trade(Tick tick) {}

    void chat(Socket socket, Object rooms) {}

    String ask() {
        return "";
    }

    String findUser(int id) {
        return "";
    }

    String fetchOrder(int id) {
        return "";
    }

    Image decode(Path file) {
        return new Image();
    }

    boolean isPrime(int n) {
        return n == 2;
    }
}
