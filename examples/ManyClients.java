import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A thread-per-connection server and 500 clients, written with plain {@code Thread} and {@code Socket}: not a word of
 * Loomlet. Under {@code ./loomlet run} its thousand threads are greenlets, and it says on how many OS threads they ran.
 */
class ManyClients {
    static final int CLIENTS = 500;
    static final int ROUNDS = 3;

    static final AtomicInteger conversations = new AtomicInteger();
    static final Set<Long> osThreads = ConcurrentHashMap.newKeySet();

    static void talk(Socket conn) {
        try (conn) {
            var buffer = new byte[1024];
            for (int n = conn.getInputStream().read(buffer); n > 0; n = conn.getInputStream().read(buffer)) {
                conn.getOutputStream().write(new String(buffer, 0, n).toUpperCase().getBytes());
                osThreads.add(osThread());
            }
        } catch (IOException e) {
            System.out.println(e);
        }
    }

    static void client(int port) {
        try (var c = new Socket("127.0.0.1", port)) {
            var name = Thread.currentThread().getName();
            var buffer = new byte[1024];
            for (int count = 0; count < ROUNDS; count++) {
                var question = name + " say hello " + count;
                c.getOutputStream().write(question.getBytes());
                int n = c.getInputStream().read(buffer);
                var answer = new String(buffer, 0, n);
                if (!answer.equals(question.toUpperCase())) {
                    throw new IllegalStateException("asked " + question + ", got " + answer);
                }
                if (name.endsWith("7") && count == 0) {
                    System.out.println(answer);
                }
                osThreads.add(osThread());
            }
            conversations.incrementAndGet();
        } catch (IOException e) {
            System.out.println(e);
        }
    }

    /** The number of the OS thread that runs the caller, as Linux knows it. */
    static long osThread() throws IOException {
        return Long.parseLong(java.nio.file.Path.of("/proc/thread-self").toRealPath().getFileName().toString());
    }

    public static void main(String[] args) throws Exception {
        try (var server = new ServerSocket(0, CLIENTS, InetAddress.getLoopbackAddress())) {
            var acceptor = new Thread(() -> {
                try {
                    for (int i = 0; i < CLIENTS; i++) {
                        var conn = server.accept();
                        new Thread(() -> talk(conn)).start();
                    }
                } catch (IOException e) {
                    System.out.println(e);
                }
            }, "acceptor");
            acceptor.start();

            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                var t = new Thread(() -> client(server.getLocalPort()), "Thread-" + i);
                t.start();
                clients.add(t);
            }
            for (Thread t : clients) {
                t.join();
            }
            acceptor.join();
        }
        System.out.println(conversations + " conversations on " + osThreads.size() + " OS thread(s)");
    }
}
