import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A thread for each of 200 connections, and one for each client. */
class Server {
    static final Set<String> OS_THREADS = ConcurrentHashMap.newKeySet();

    static void here() throws IOException {
        OS_THREADS.add(Path.of("/proc/thread-self").toRealPath().getFileName().toString());
    }

    static void serve(Socket socket) {
        try (socket; var in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
                var out = new PrintWriter(socket.getOutputStream(), true)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                here();
                out.println(line.toUpperCase());
            }
        } catch (IOException e) {
            System.out.println(e);
        }
    }

    public static void main(String[] args) throws Exception {
        AtomicInteger good = new AtomicInteger();
        try (ServerSocket server = new ServerSocket(0, 200)) {
            Thread acceptor = new Thread(() -> {
                try {
                    for (int i = 0; i < 200; i++) {
                        Socket socket = server.accept();
                        new Thread(() -> serve(socket)).start();
                    }
                } catch (IOException e) {
                    System.out.println(e);
                }
            });
            acceptor.start();
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                int n = i;
                Thread client = new Thread(() -> {
                    try (Socket socket = new Socket("127.0.0.1", server.getLocalPort());
                            var in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
                            var out = new PrintWriter(socket.getOutputStream(), true)) {
                        for (int round = 0; round < 5; round++) {
                            out.println("hello " + n + " " + round);
                            if (in.readLine().equals("HELLO " + n + " " + round)) {
                                good.incrementAndGet();
                            }
                            Thread.sleep(1);
                        }
                        here();
                    } catch (IOException | InterruptedException e) {
                        System.out.println(e);
                    }
                });
                client.start();
                clients.add(client);
            }
            for (Thread each : clients) {
                each.join();
            }
            acceptor.join();
        }
        System.out.println(good + " answers");
        System.err.println(OS_THREADS.size() + " OS threads");
    }
}
