package dev.loomlet;

import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Waits of the unmodified JDK switch to other greenlets. In each test one greenlet waits, another counts its turns
 * meanwhile, and every step of user code notes the OS thread it runs on: it is one, this thread.
 */
class SwitchingTest extends OnHub {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();
    private static final int WAIT = 40;

    /** Runs the waiting part as a greenlet beside a counting one; {@code ending} as a third, after a while. */
    private void switches(Action waiting, Action ending) throws Exception {
        try (Witness witness = new Witness(Hub.current())) {
            Greenlet<Void> ender = spawn(() -> {
                witness.seen();
                int before = witness.ticks();
                until(() -> witness.ticks() >= before + 3);
                witness.seen();
                ending.run();
                witness.seen();
            });
            Greenlet<Void> g = spawn(() -> {
                witness.during(() -> {
                    waiting.run();
                    return 0;
                });
            });
            assertThat(g.join(LONG)).as("ended").isTrue();
            g.value();
            ender.join();
            ender.value();
            assertThat(witness.carriers()).containsExactly(Thread.currentThread());
        }
    }

    private void switches(Action waiting) throws Exception {
        switches(waiting, () -> {});
    }

    @Test
    void threadSleep() throws Exception {
        switches(() -> Thread.sleep(WAIT));
    }

    @Test
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under it
    void reentrantLock() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        CountDownLatch held = new CountDownLatch(1);
        Greenlet<Void> holder = spawn(() -> {
            lock.lock();
            try {
                held.countDown();
                Thread.sleep(WAIT);
            } finally {
                lock.unlock();
            }
        });
        switches(() -> {
            held.await();
            lock.lock();
            lock.unlock();
        });
        holder.value();
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // a spurious wake-up would fail it, and has not
    void condition() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        Condition condition = lock.newCondition();
        switches(() -> {
            lock.lock();
            try {
                condition.await();
                assertThat(condition.await(1, TimeUnit.MILLISECONDS)).isFalse();
            } finally {
                lock.unlock();
            }
        }, () -> {
            lock.lock();
            try {
                condition.signal();
            } finally {
                lock.unlock();
            }
        });
    }

    @Test
    void blockingQueue() throws Exception {
        LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
        switches(() -> assertThat(queue.take()).isEqualTo("x"), () -> queue.put("x"));
        switches(() -> assertThat(queue.poll(WAIT, TimeUnit.MILLISECONDS)).isNull());
    }

    @Test
    void countDownLatch() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        switches(latch::await, latch::countDown);
    }

    @Test
    void completableFuture() throws Exception {
        CompletableFuture<String> future = new CompletableFuture<>();
        switches(() -> assertThat(future.get()).isEqualTo("x"), () -> future.complete("x"));
        CompletableFuture<String> never = new CompletableFuture<>();
        switches(() -> assertThatThrownBy(() -> never.get(WAIT, TimeUnit.MILLISECONDS))
                .isInstanceOf(java.util.concurrent.TimeoutException.class));
    }

    @Test
    void contendedMonitor() throws Exception {
        Object monitor = new Object();
        CountDownLatch held = new CountDownLatch(1);
        Greenlet<Void> holder = spawn(() -> {
            synchronized (monitor) {
                held.countDown();
                Thread.sleep(WAIT);
            }
        });
        switches(() -> {
            held.await();
            synchronized (monitor) {
                note("entered");
            }
        });
        holder.value();
        assertThat(log).containsExactly("entered");
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // a timed wait for nothing
    void objectWait() throws Exception {
        Object monitor = new Object();
        boolean[] told = new boolean[1];
        switches(() -> {
            synchronized (monitor) {
                while (!told[0]) {
                    monitor.wait();
                }
            }
        }, () -> {
            synchronized (monitor) {
                told[0] = true;
                monitor.notifyAll();
            }
        });
        switches(() -> {
            synchronized (monitor) {
                monitor.wait(WAIT);
            }
        });
    }

    @Test
    void threadJoin() throws Exception {
        Thread platform = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(WAIT);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        switches(platform::join);
        switches(() -> Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(WAIT);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }).join());
    }

    @Test
    void processWaitFor() throws Exception {
        Process process = new ProcessBuilder("cat").start();
        switches(() -> assertThat(process.waitFor()).isZero(), () -> process.getOutputStream().close());
    }

    /** A pair of connected sockets, made without a greenlet. */
    private record Pair(ServerSocket server, Socket client, Socket socket) implements AutoCloseable {
        static Pair make() throws Exception {
            ServerSocket server = new ServerSocket(0, 5, HERE);
            Socket client = new Socket(HERE, server.getLocalPort());
            return new Pair(server, client, server.accept());
        }

        @Override
        public void close() throws java.io.IOException {
            socket.close();
            client.close();
            server.close();
        }
    }

    @Test
    void socketRead() throws Exception {
        try (Pair pair = Pair.make()) {
            switches(() -> assertThat(pair.socket.getInputStream().read()).isEqualTo(7),
                    () -> pair.client.getOutputStream().write(7));
            switches(() -> assertThat(pair.socket.getInputStream().read()).isEqualTo(-1), pair.client::close);
        }
    }

    @Test
    void socketReadWithATimeout() throws Exception {
        try (Pair pair = Pair.make()) {
            pair.socket.setSoTimeout(WAIT);
            switches(() -> assertThatThrownBy(() -> pair.socket.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class));
            pair.client.getOutputStream().write(3);
            assertThat(spawn(() -> pair.socket.getInputStream().read()).value()).isEqualTo(3);
        }
    }

    @Test
    void socketWrite() throws Exception {
        byte[] much = new byte[8 << 20];
        try (Pair pair = Pair.make()) {
            switches(() -> pair.socket.getOutputStream().write(much), () -> {
                InputStream in = pair.client.getInputStream();
                assertThat(in.readNBytes(much.length)).hasSize(much.length);
            });
        }
    }

    @Test
    void accept() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, HERE)) {
            switches(() -> server.accept().close(), () -> new Socket(HERE, server.getLocalPort()).close());
            server.setSoTimeout(WAIT);
            switches(() -> assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class));
        }
    }

    @Test
    void connectThatIsNotAnswered() throws Exception {
        try (ServerSocket full = new ServerSocket(0, 1, HERE)) {
            List<Socket> filling = new ArrayList<>();
            try {
                switches(() -> assertThatThrownBy(() -> {
                    for (int i = 0; i < 20; i++) { // until the backlog is full
                        Socket socket = new Socket();
                        filling.add(socket);
                        socket.connect(new InetSocketAddress(HERE, full.getLocalPort()), 400);
                    }
                }).isInstanceOf(SocketTimeoutException.class));
            } finally {
                for (Socket each : filling) {
                    each.close();
                }
            }
        }
    }

    @Test
    void closingASocketFromAnotherGreenletEndsItsWaits() throws Exception {
        try (Pair pair = Pair.make(); ServerSocket server = new ServerSocket(0, 5, HERE)) {
            switches(() -> assertThatThrownBy(() -> pair.socket.getInputStream().read())
                    .isInstanceOf(SocketException.class), pair.socket::close);
            switches(() -> assertThatThrownBy(server::accept).isInstanceOf(SocketException.class), server::close);
        }
    }

    @Test
    void datagramSocket() throws Exception {
        try (DatagramSocket a = new DatagramSocket(0, HERE); DatagramSocket b = new DatagramSocket(0, HERE)) {
            switches(() -> a.receive(new DatagramPacket(new byte[10], 10)),
                    () -> b.send(new DatagramPacket(new byte[3], 3, HERE, a.getLocalPort())));
            a.setSoTimeout(WAIT);
            switches(() -> assertThatThrownBy(() -> a.receive(new DatagramPacket(new byte[10], 10)))
                    .isInstanceOf(SocketTimeoutException.class));
        }
    }

    @Test
    void socketChannel() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(HERE, 0))) {
            switches(() -> {
                try (SocketChannel channel = server.accept()) {
                    ByteBuffer buffer = ByteBuffer.allocate(10);
                    assertThat(channel.read(buffer)).isEqualTo(2);
                }
            }, () -> {
                try (SocketChannel channel = SocketChannel.open(server.getLocalAddress())) {
                    channel.write(ByteBuffer.wrap(new byte[2]));
                }
            });
            switches(() -> assertThatThrownBy(server::accept).isInstanceOf(AsynchronousCloseException.class),
                    server::close);
        }
    }

    @Test
    void datagramChannel() throws Exception {
        try (DatagramChannel a = DatagramChannel.open().bind(new InetSocketAddress(HERE, 0));
                DatagramChannel b = DatagramChannel.open()) {
            switches(() -> assertThat(a.receive(ByteBuffer.allocate(9))).isNotNull(),
                    () -> b.send(ByteBuffer.wrap(new byte[1]), a.getLocalAddress()));
        }
    }

    @Test
    void pipe() throws Exception {
        Pipe pipe = Pipe.open();
        try (var source = pipe.source(); var sink = pipe.sink()) {
            switches(() -> assertThat(source.read(ByteBuffer.allocate(9))).isEqualTo(1),
                    () -> sink.write(ByteBuffer.wrap(new byte[1])));
        }
    }

    @Test
    void selector() throws Exception {
        Pipe pipe = Pipe.open();
        try (Selector selector = Selector.open(); var source = pipe.source(); var sink = pipe.sink()) {
            source.configureBlocking(false);
            source.register(selector, SelectionKey.OP_READ);
            switches(() -> assertThat(selector.select()).isEqualTo(1), () -> sink.write(ByteBuffer.wrap(new byte[1])));
            source.read(ByteBuffer.allocate(9));
            selector.selectedKeys().clear();
            switches(() -> assertThat(selector.select(WAIT)).isZero());
            switches(() -> selector.select(), selector::wakeup);
        }
    }

    /** A key and its certificate, made by the JDK's own tool; whoever has the context trusts it. */
    private static SSLContext secrets(Path folder) throws Exception {
        Path file = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "here", "-dname", "CN=localhost", "-validity", "2",
                "-storepass",
                "loomlet", "-keystore", file.toString()).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
        KeyStore keys = KeyStore.getInstance(file.toFile(), "loomlet".toCharArray());
        KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(keys, "loomlet".toCharArray());
        TrustManagerFactory trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusted.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    /** In the handshake both sides wait for one another several times. */
    @Test
    void tlsSocketsOnBothSides(@TempDir Path folder) throws Exception {
        SSLContext context = secrets(folder);
        byte[] much = new byte[1 << 20];
        try (ServerSocket server = context.getServerSocketFactory().createServerSocket(0, 5, HERE)) {
            switches(() -> {
                try (Socket socket = context.getSocketFactory().createSocket(HERE, server.getLocalPort())) {
                    socket.getOutputStream().write(41);
                    assertThat(socket.getInputStream().read()).isEqualTo(42);
                    socket.getOutputStream().write(much);
                    assertThat(socket.getInputStream().read()).isEqualTo(-1);
                }
            }, () -> {
                try (SSLSocket socket = (SSLSocket) server.accept()) {
                    socket.getOutputStream().write(socket.getInputStream().read() + 1);
                    assertThat(socket.getSession().getProtocol()).startsWith("TLS");
                    assertThat(socket.getInputStream().readNBytes(much.length)).hasSize(much.length);
                }
            });
        }
    }

    @Test
    void tlsReadWithATimeout(@TempDir Path folder) throws Exception {
        SSLContext context = secrets(folder);
        try (ServerSocket server = context.getServerSocketFactory().createServerSocket(0, 5, HERE);
                Socket socket = context.getSocketFactory().createSocket(HERE, server.getLocalPort())) {
            socket.setSoTimeout(WAIT); // nobody accepts, so nobody answers the first message
            switches(() -> assertThatThrownBy(() -> socket.getInputStream().read())
                    .isInstanceOf(SocketTimeoutException.class));
        }
    }

    /** A server whose handler answers after a while, in a greenlet. */
    private static HttpServer http() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(HERE, 0), 0);
        Hub hub = Hub.current();
        server.setExecutor(task -> hub.spawn(task::run));
        server.createContext("/", exchange -> {
            Loomlet.sleep(millis(WAIT));
            exchange.sendResponseHeaders(200, 5);
            try (var out = exchange.getResponseBody()) {
                out.write("hello".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            }
        });
        server.start();
        return server;
    }

    /** When its handlers have gone, which need the hub for that. */
    private static void stop(HttpServer server) {
        Hub hub = Hub.current();
        until(() -> hub.liveGreenlets() == 0);
        server.stop(0);
    }

    /** A server of its own: beside that of the JDK, this client leaves its socket to the collector. */
    @Test
    void httpUrlConnection() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, HERE)) {
            spawn(() -> {
                try (Socket socket = server.accept()) {
                    socket.getInputStream().read(new byte[1_000]);
                    Thread.sleep(WAIT);
                    socket.getOutputStream().write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
                            .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                }
            });
            URI uri = URI.create("http://127.0.0.1:" + server.getLocalPort() + "/");
            switches(() -> {
                HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
                try (InputStream in = connection.getInputStream()) {
                    assertThat(new String(in.readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII))
                            .isEqualTo("hello");
                }
            });
        }
    }

    @Test
    void httpClient() throws Exception {
        HttpServer server = http();
        Hub hub = Hub.current();
        try (HttpClient client = HttpClient.newBuilder().executor(task -> hub.spawn(task::run)).build()) {
            HttpRequest request = HttpRequest
                    .newBuilder(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/")).build();
            switches(() -> assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).body())
                    .isEqualTo("hello"));
            stop(server);
            Greenlet<Void> closing = spawn(client::close); // waits for its threads, which need the hub
            closing.join();
        }
    }

    @Test
    void manyClientsAtOnceOnOneThread() throws Exception {
        AtomicInteger served = new AtomicInteger();
        try (Witness witness = new Witness(Hub.current()); ServerSocket server = new ServerSocket(0, 200, HERE)) {
            Greenlet<Void> acceptor = spawn(() -> {
                for (;;) {
                    Socket socket = server.accept();
                    spawn(() -> {
                        try (socket) {
                            witness.seen();
                            int b;
                            while ((b = socket.getInputStream().read()) >= 0) {
                                socket.getOutputStream().write(b);
                            }
                        }
                    });
                }
            });
            List<Greenlet<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                clients.add(spawn(() -> {
                    try (Socket socket = new Socket(HERE, server.getLocalPort())) {
                        for (int k = 0; k < 20; k++) {
                            socket.getOutputStream().write(k);
                            assertThat(socket.getInputStream().read()).isEqualTo(k);
                            witness.seen();
                        }
                    }
                    served.incrementAndGet();
                }));
            }
            Loomlet.joinAll(clients);
            acceptor.kill();
            assertThat(served).hasValue(100);
            assertThat(witness.carriers()).containsExactly(Thread.currentThread());
        }
    }

    private static int echoed(int rounds) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, HERE)) {
            Thread other = Thread.startVirtualThread(() -> {
                try (Socket socket = server.accept()) {
                    int b;
                    while ((b = socket.getInputStream().read()) >= 0) {
                        socket.getOutputStream().write(b);
                    }
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            int right = 0;
            try (Socket socket = new Socket(HERE, server.getLocalPort())) {
                for (int i = 0; i < rounds; i++) {
                    socket.getOutputStream().write(i & 0x7f);
                    right += socket.getInputStream().read() == (i & 0x7f) ? 1 : 0;
                }
            }
            other.join();
            return right;
        }
    }

    @Test
    void twoHubsAndStockVirtualThreadsUseSocketsBesideOneAnother() throws Exception {
        try (Hub a = Hub.start("a"); Hub b = Hub.start("b")) {
            List<Greenlet<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                all.add(a.spawn(() -> echoed(100)));
                all.add(b.spawn(() -> echoed(100)));
                all.add(spawn(() -> echoed(100)));
            }
            AtomicInteger stock = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                threads.add(Thread.startVirtualThread(() -> {
                    try {
                        stock.addAndGet(echoed(100));
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }));
            }
            for (Greenlet<Integer> each : all) {
                assertThat(each.value()).isEqualTo(100);
            }
            for (Thread each : threads) {
                each.join();
            }
            assertThat(stock).hasValue(500);
        }
    }
}
