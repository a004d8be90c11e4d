import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * What ./loomlet runs once after it has built itself, so that the JVM remembers the classes that most programs need:
 * those of the compiler, of threads, locks and sockets, and Loomlet's own. It prints to where nobody looks.
 */
public class WarmUp {
    private static int served;

    public static void main(String[] args) throws Exception {
        CountDownLatch done = new CountDownLatch(3);
        List<Thread> threads = new ArrayList<>();
        for (String name : List.of("egon", "lily", "otto")) {
            Thread thread = new Thread(() -> eat(name, done), name);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        done.await();
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            List<Future<Integer>> squares = IntStream.range(0, 4).mapToObj(i -> pool.submit(() -> i * i)).toList();
            for (Future<Integer> square : squares) {
                System.out.printf("%d%n", square.get());
            }
        }
        talk();
    }

    private static void eat(String name, CountDownLatch done) {
        try {
            for (int i = 1; i <= 2; i++) {
                System.out.println(name + " eats " + i + " on " + Thread.currentThread());
                Thread.sleep(Duration.ofMillis(1));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            done.countDown();
        }
    }

    private static void talk() throws IOException, InterruptedException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread waiter = new Thread(() -> serve(server));
            waiter.start();
            try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort());
                    PrintWriter out = new PrintWriter(socket.getOutputStream(), true);
                    BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream()))) {
                out.println("a table for two");
                System.out.println(in.readLine());
            }
            waiter.join();
        }
    }

    private static void serve(ServerSocket server) {
        try (Socket socket = server.accept();
                BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
                PrintWriter out = new PrintWriter(socket.getOutputStream(), true)) {
            synchronized (WarmUp.class) {
                served++;
            }
            out.println(in.readLine().toUpperCase() + " " + served);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
