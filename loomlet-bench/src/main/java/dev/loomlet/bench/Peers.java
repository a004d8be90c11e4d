package dev.loomlet.bench;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.http.HttpServer;
import dev.loomlet.net.StreamServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Loomlet's side of the peer benchmarks: one part a workload, each printing what the driver of the peers reads.
 *
 * <pre>
 * switch    two greenlets hand a turn to and fro        RESULT ns=... switches=...
 * spawn     1,000,000 greenlets in batches of 10,000    RESULT ns=... alloc_B=... hwm_kb=...
 * sleep N   N greenlets sleep one second, twice         RESULT wall=... cold=... hwm_kb=... rss_B=...
 * echo      server, upper-cases what it gets            LISTENING port
 * http      server, answers HTTP requests with a word     LISTENING port
 * </pre>
 */
public final class Peers {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private Peers() {}

    /** Runs the part named by the first argument. */
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "switch" -> Measure.pass(Peers::handOff);
            case "spawn" -> spawning();
            case "sleep" -> sleeping(Integer.parseInt(arguments[1]));
            case "echo" -> echo();
            case "http" -> hello();
            default -> throw new IllegalArgumentException("no part named " + arguments[0]);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    // --- W1: as the peers' programs do it, with the turn in a shared variable and a park that may be for nothing

    private static volatile int turn;

    private static long handOff(long rounds) {
        Greenlet<?>[] pair = new Greenlet<?>[2];
        turn = 0;
        for (int i = 0; i < 2; i++) {
            int me = i;
            pair[i] = spawn(() -> {
                Thread other = pair[1 - me].thread();
                for (long n = 0; n < rounds; n++) {
                    while (turn != me) {
                        LockSupport.park();
                    }
                    turn = 1 - me;
                    LockSupport.unpark(other);
                }
            });
        }
        joinAll(pair);
        return 2 * rounds;
    }

    // --- W2

    private static long count;

    private static void batches(int total, int size) {
        List<Greenlet<?>> batch = new ArrayList<>(size);
        for (int done = 0; done < total; done += size) {
            batch.clear();
            for (int i = 0; i < size; i++) {
                batch.add(spawn((Action) () -> count++));
            }
            for (Greenlet<?> each : batch) {
                each.join();
            }
        }
    }

    private static void spawning() throws IOException {
        int total = 1_000_000;
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        batches(total, 10_000);
        count = 0;
        long allocated = threads.getTotalThreadAllocatedBytes();
        long start = System.nanoTime();
        batches(total, 10_000);
        long time = System.nanoTime() - start;
        if (count != total) {
            throw new AssertionError("lost " + (total - count));
        }
        System.out.printf("RESULT ns=%.1f alloc_B=%.0f hwm_kb=%d n=%d%n", (double) time / total,
                (threads.getTotalThreadAllocatedBytes() - allocated) / (double) total, Measure.kilobytes("VmHWM:"),
                total);
    }

    // --- W3

    private static double sleepers(int n, Duration time) {
        long start = System.nanoTime();
        List<Greenlet<?>> all = new ArrayList<>(n);
        for (int i = 0; i < n; i++) {
            all.add(spawn(() -> sleep(time)));
        }
        for (Greenlet<?> each : all) {
            each.join();
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static void sleeping(int n) throws IOException {
        long before = Measure.kilobytes("VmRSS:");
        for (int i = 0; i < 500; i++) { // warm-up: until compiled, a parked greenlet keeps frames that are up to twice as large
            sleepers(1000, Duration.ofMillis(1));
        }
        System.gc(); // and the warm-up's garbage is not the sleepers'
        double cold = sleepers(n, SECOND);
        double warm = sleepers(n, SECOND);
        long peak = Measure.kilobytes("VmHWM:");
        System.out.printf("RESULT wall=%.4f cold=%.4f hwm_kb=%d rss_B=%.0f%n", warm, cold, peak,
                (peak - before) * 1024.0 / n);
    }

    // --- W4, W6

    private static void echo() throws IOException {
        try (var server = StreamServer.builder("127.0.0.1:0", Peers::upper).backlog(4096).build().start()) {
            System.out.println("LISTENING " + server.port());
            server.serveForever();
        }
    }

    // --- W5

    private static void hello() throws IOException {
        byte[] body = "Hello World".getBytes(StandardCharsets.US_ASCII);
        try (var server = HttpServer.builder("127.0.0.1:0", (_, response) -> response.type("text/plain").send(body))
                .backlog(4096).build().start()) {
            System.out.println("LISTENING " + server.port());
            server.serveForever();
        }
    }

    private static void upper(Socket socket) {
        try (socket; InputStream in = socket.getInputStream(); OutputStream out = socket.getOutputStream()) {
            byte[] buffer = new byte[1024];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                for (int i = 0; i < n; i++) {
                    if (buffer[i] >= 'a' && buffer[i] <= 'z') {
                        buffer[i] = (byte) (buffer[i] - 32);
                    }
                }
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // the client is gone, as load generators do
        }
    }
}
