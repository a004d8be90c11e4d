package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.SocketNatives;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What needs a process of its own: a limit of descriptors, and a factory that is set once for ever. */
@Timeout(90)
class ForkedTest {
    private static final int LIMIT = 110;

    private static Process fork(String shell, Class<?> main) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder("sh", "-c", shell + "exec \"$@\"", "sh", java,
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                "-Dloomlet.backend=" + System.getProperty("loomlet.backend", "epoll"),
                "-cp", System.getProperty("java.class.path"), main.getName()).redirectErrorStream(true).start();
    }

    /** A server that prints what its hub is told of. */
    static final class Server {
        public static void main(String[] arguments) throws Exception {
            Hub.current().onError((greenlet, error) -> {
                System.out.println("ERROR " + error.getMessage());
                System.out.flush();
            });
            var server = StreamServer.builder("127.0.0.1:0", StreamServerTest::upper).backlog(4096).build().start();
            System.out.println("LISTENING " + server.port());
            System.out.flush();
            server.serveForever();
        }
    }

    /** What a supervisor does: it opens the listening socket, and becomes the server by {@code exec}. */
    static final class Supervisor {
        private static final Linker LINKER = Linker.nativeLinker();

        @SuppressWarnings("restricted")
        private static MethodHandle function(String name, MemoryLayout... parameters) {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
        }

        public static void main(String[] command) throws Throwable {
            MethodHandle dup2 = function("dup2", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
            MethodHandle execv = function("execv", ValueLayout.ADDRESS, ValueLayout.ADDRESS);
            List<String> words = new ArrayList<>(List.of("/usr/bin/env", "LISTEN_FDS=2",
                    "LISTEN_PID=" + ProcessHandle.current().pid()));
            words.addAll(List.of(command));
            Arena arena = Arena.global();
            MemorySegment argv = arena.allocate(ValueLayout.ADDRESS, words.size() + 1);
            for (int i = 0; i < words.size(); i++) {
                argv.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(words.get(i)));
            }
            for (int fd = 3; fd <= 4; fd++) { // the JDK's own, which are not needed any more
                var channel =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                int _ = (int) dup2.invokeExact(SocketNatives.value(SocketNatives.descriptor(channel)), fd);
            }
            int error = (int) execv.invokeExact(argv.get(ValueLayout.ADDRESS, 0), argv);
            System.out.println("execv: " + error);
        }
    }

    /** A server that is given its listening sockets. */
    static final class Activated {
        public static void main(String[] arguments) throws Exception {
            List<StreamServer> servers = new ArrayList<>();
            for (ServerSocket each : Sockets.inherited()) {
                servers.add(StreamServer.builder(each, StreamServerTest::upper).build().start());
            }
            servers.forEach(each -> System.out.println("LISTENING " + each.port()));
            System.out.flush();
            servers.getFirst().serveForever();
        }
    }

    @Test
    void aServerTakesTheSocketsThatItsSupervisorHasOpened() throws Exception {
        assumeTrue(Sockets.fast());
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = new ArrayList<>();
        for (Class<?> main : List.of(Supervisor.class, Activated.class)) {
            command.addAll(List.of(java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--add-opens",
                    "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED", "-cp",
                    System.getProperty("java.class.path"), main.getName()));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            for (int i = 0; i < 2; i++) {
                String line = out.readLine();
                assertThat(line).startsWith("LISTENING ");
                int port = Integer.parseInt(line.substring("LISTENING ".length()));
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    assertThat(ask(client, 'x')).isEqualTo('X');
                }
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static char ask(Socket socket, char question) throws IOException {
        socket.getOutputStream().write(question);
        return (char) socket.getInputStream().read();
    }

    /** What its hub is told of first; a slow machine may have the stall detector say something before. */
    private static String firstError(BufferedReader out) throws IOException {
        StringBuilder before = new StringBuilder();
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("ERROR")) {
                return line;
            }
            assertThat(line).as("the watchdog must outlive it").doesNotContain("Exception in thread");
            before.append(line).append('\n');
        }
        return "the server ended: " + before;
    }

    @Test
    void aServerThatRunsOutOfDescriptorsServesOnAndAcceptsWhenThereAreSomeAgain() throws Exception {
        Process process = fork("ulimit -n " + LIMIT + "; ", Server.class);
        List<Socket> clients = new ArrayList<>();
        try (BufferedReader out = process.inputReader()) {
            int port = Integer.parseInt(out.readLine().substring("LISTENING ".length()));
            try (Socket warmUp = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(ask(warmUp, 'x')).isEqualTo('X'); // a class in a folder is loaded with a descriptor, too
                assertThat(ask(warmUp, 'y')).isEqualTo('Y');
            }
            for (int i = 0; i < LIMIT + 20; i++) {
                clients.add(new Socket(InetAddress.getLoopbackAddress(), port));
            }
            Socket first = clients.getFirst();
            Socket last = clients.getLast();
            assertThat(firstError(out)).isEqualTo("ERROR Too many open files");
            assertThat(ask(first, 'a')).isEqualTo('A');
            last.getOutputStream().write('z');
            last.setSoTimeout(2_000);
            long start = System.nanoTime();
            org.assertj.core.api.Assertions.assertThatExceptionOfType(java.net.SocketTimeoutException.class)
                    .isThrownBy(() -> last.getInputStream().read());
            assertThat(ask(first, 'b')).isEqualTo('B');
            for (Socket each : clients.subList(1, clients.size() - 1)) { // how many it has of its own is its affair
                each.close();
            }
            last.setSoTimeout(20_000);
            assertThat((char) last.getInputStream().read()).isEqualTo('Z'); // at the latest a second later
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            process.toHandle().destroy(); // leaves what it has said to be read
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            // 0.01 s, 0.02 s, 0.04 s ... 1 s, 1 s: it did not try in vain again and again
            assertThat(out.lines().filter(line -> line.startsWith("ERROR")).count())
                    .isLessThanOrEqualTo(8 + took.toSeconds());
        } finally {
            process.destroyForcibly().waitFor();
            for (Socket each : clients) {
                each.close();
            }
        }
    }

    /** A program that knows nothing of Loomlet's sockets but uses them. */
    static final class Plain {
        public static void main(String[] arguments) throws Exception {
            System.out.println("installed: " + FastSockets.install() + FastSockets.install());
            Loomlet.run(Plain::talk);
            Hub.current().close();
        }

        private static void talk() throws Exception {
            try (ServerSocket server = new ServerSocket()) {
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                Greenlet<Void> serving = Loomlet.spawn(() -> {
                    for (;;) {
                        Socket socket = server.accept();
                        Loomlet.spawn(() -> answer(socket));
                    }
                });
                int port = server.getLocalPort();
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    Greenlet<Integer> reader = Loomlet.spawn(() -> client.getInputStream().read());
                    Loomlet.sleep(Duration.ofMillis(20));
                    reader.kill();
                    System.out.println("killed at its read: " + reader.isCancelled() + ", closed: "
                            + client.isClosed());
                }
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    Greenlet<Integer> reader = Loomlet.spawn(() -> client.getInputStream().read());
                    Greenlet<Integer> second = Loomlet.spawn(() -> client.getInputStream().read());
                    Loomlet.sleep(Duration.ofMillis(20));
                    second.kill();
                    System.out.println("killed before its read: " + second.isCancelled() + ", closed: "
                            + client.isClosed());
                    client.getOutputStream().write("GET /\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    System.out.println("the other gets: " + (char) (int) reader.value());
                    System.out.println(new String(client.getInputStream().readAllBytes(),
                            StandardCharsets.US_ASCII).lines().reduce((a, b) -> b).orElseThrow());
                }
                var http = (HttpURLConnection) URI.create("http://127.0.0.1:" + port + "/").toURL().openConnection();
                System.out.println("http: " + new String(http.getInputStream().readAllBytes(),
                        StandardCharsets.US_ASCII));
                Thread thread = new Thread(() -> {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        socket.getOutputStream().write("GET /\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                        System.out.println("thread: " + (char) socket.getInputStream().read());
                    } catch (IOException e) {
                        System.out.println(e);
                    }
                });
                thread.start();
                while (thread.isAlive()) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
                serving.kill();
                System.out.println("closed by a kill: " + server.isClosed());
            }
        }

        private static void answer(Socket socket) throws IOException {
            try (socket) {
                StringBuilder request = new StringBuilder();
                while (!request.toString().endsWith("\r\n\r\n")) {
                    int b = socket.getInputStream().read();
                    if (b < 0) {
                        return;
                    }
                    request.append((char) b);
                }
                socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
                        .getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    @Test
    void socketsOfAPlainProgramAreFastOnceInstalled() throws Exception {
        assumeTrue(Sockets.fast());
        Process process = fork("", Plain.class);
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.lines()).containsExactly("installed: ", "killed at its read: true, closed: true",
                    "killed before its read: true, closed: false", "the other gets: H", "hello", "http: hello",
                    "thread: H", "closed by a kill: false");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
