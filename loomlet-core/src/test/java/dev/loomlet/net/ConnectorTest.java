package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections to names, by several addresses and through proxies. All addresses are of the loopback interface. */
@Timeout(60)
class ConnectorTest {
    private Hub hub;
    private final List<Throwable> errors = new ArrayList<>();

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> errors.add(error));
    }

    @AfterEach
    void closeHub() {
        hub.close();
        assertThat(errors).as("errors that no test asked for").isEmpty();
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Connector knowing(String... addresses) {
        List<InetAddress> list = java.util.Arrays.stream(addresses).map(ConnectorTest::address).toList();
        return Connector.create().resolver(host -> list);
    }

    private static StreamServer upper(String host) throws IOException {
        return StreamServer.listen(host + ":0", StreamServerTest::upper);
    }

    private static String ask(Socket socket, String question) throws IOException {
        socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readNBytes(question.length()), StandardCharsets.US_ASCII);
    }

    /** A listening socket whose backlog is full: whoever connects waits. */
    private static final class Deaf implements AutoCloseable {
        final ServerSocket socket;
        final List<Socket> waiting = new ArrayList<>();

        Deaf(String host, int port) throws IOException {
            socket = Sockets.openServer();
            socket.bind(new java.net.InetSocketAddress(host, port), 1);
            try {
                for (int i = 0; i < 20; i++) {
                    waiting.add(Sockets.connect(socket.getLocalSocketAddress(), Duration.ofMillis(50)));
                }
            } catch (SocketTimeoutException e) {
                return;
            }
            close();
            assumeTrue(false, "a full backlog makes clients wait here");
        }

        @Override
        public void close() throws IOException {
            socket.close();
            for (Socket each : waiting) {
                each.close();
            }
        }
    }

    @Test
    void familiesTakeTurns() {
        assertThat(Connector.alternating(List.of(address("::1"), address("::2"), address("1.1.1.1"), address("::3"),
                address("2.2.2.2")))).containsExactly(address("::1"), address("1.1.1.1"), address("::2"),
                        address("2.2.2.2"), address("::3"));
    }

    @Test
    void anAddressThatRefusesIsPassedOverAtOnce() throws Exception {
        try (StreamServer server = upper("127.0.0.1")) {
            Loomlet.run(() -> {
                long start = System.nanoTime();
                try (Socket socket = knowing("127.0.0.2", "127.0.0.3", "127.0.0.1").attemptDelay(Duration.ofSeconds(30))
                        .connect("name", server.port())) {
                    assertThat(ask(socket, "x")).isEqualTo("X");
                }
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
            });
        }
    }

    @Test
    void anAddressThatDoesNotAnswerDelaysTheNextByNoMoreThanTheDelay() throws Exception {
        try (StreamServer server = upper("127.0.0.1")) {
            Loomlet.run(() -> {
                try (Deaf deaf = new Deaf("127.0.0.2", server.port());
                        Socket socket = knowing("127.0.0.2", "127.0.0.1").attemptDelay(Duration.ofMillis(20))
                                .timeout(Duration.ofSeconds(20)).connect("name", server.port())) {
                    assertThat(deaf.socket.isClosed()).isFalse();
                    assertThat(socket.getInetAddress()).isEqualTo(address("127.0.0.1"));
                    assertThat(ask(socket, "x")).isEqualTo("X");
                }
            });
        }
    }

    @Test
    void timesMayBeAsLongAsADurationCanBe() throws Exception {
        Duration forEver = Duration.ofSeconds(Long.MAX_VALUE);
        try (StreamServer server = upper("127.0.0.1")) {
            Loomlet.run(() -> {
                try (Socket socket = knowing("127.0.0.2", "127.0.0.1").attemptDelay(forEver).timeout(forEver)
                        .connect("name", server.port())) {
                    assertThat(ask(socket, "x")).isEqualTo("X");
                }
                try (Socket socket = Sockets.connect(server.address(), forEver)) {
                    assertThat(ask(socket, "y")).isEqualTo("Y");
                }
            });
        }
    }

    @Test
    void theTimeLimitIsForAllOfIt() throws Exception {
        Loomlet.run(() -> {
            try (Deaf deaf = new Deaf("127.0.0.2", 0)) {
                int port = deaf.socket.getLocalPort();
                assertThatExceptionOfType(SocketTimeoutException.class)
                        .isThrownBy(() -> knowing("127.0.0.2", "127.0.0.2")
                                .attemptDelay(Duration.ofMillis(1)).timeout(Duration.ofMillis(60))
                                .connect("name", port))
                        .withMessageContaining("name:" + port);
                Greenlet<Socket> killed = Loomlet.spawn(
                        () -> knowing("127.0.0.2", "127.0.0.2").attemptDelay(Duration.ZERO).connect("name", port));
                Loomlet.yieldNow();
                Loomlet.yieldNow();
                killed.kill();
                assertThat(killed.isCancelled()).isTrue();
            }
        });
    }

    @Test
    void ifNoneAnswersEveryFailureIsTold() throws Exception {
        StreamServer closed = upper("127.0.0.1");
        int port = closed.port();
        closed.close();
        Loomlet.run(() -> {
            assertThatIOException().isThrownBy(() -> knowing("127.0.0.1", "127.0.0.2").connect("name", port))
                    .withMessageContaining("name").withMessageContaining("127.0.0.1:" + port)
                    .withMessageContaining("127.0.0.2:" + port)
                    .satisfies(each -> assertThat(each.getSuppressed()).hasSize(2));
            assertThatIOException().isThrownBy(() -> knowing("127.0.0.1").connect("name", port));
            assertThatExceptionOfType(UnknownHostException.class).isThrownBy(() -> knowing().connect("name", port));
            assertThatIllegalArgumentException().isThrownBy(() -> knowing("127.0.0.1").connect("name", 0));
        });
    }

    @Test
    void threadsOfNoHubConnectToo() throws Exception {
        StreamServer server = upper("127.0.0.1");
        try (server) {
            for (Thread.Builder each : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
                FutureTask<String> task = new FutureTask<>(() -> {
                    try (Socket socket = knowing("127.0.0.2", "127.0.0.1").connect("name", server.port())) {
                        return ask(socket, "x");
                    } finally {
                        Hub.ifPresent().ifPresent(Hub::close);
                    }
                });
                Thread thread = each.start(task);
                Loomlet.run(() -> {
                    while (!task.isDone()) {
                        Loomlet.sleep(Duration.ofMillis(1));
                    }
                });
                assertThat(task.get()).isEqualTo("X");
                thread.join();
            }
        }
    }

    // --- proxies

    private static void relay(Socket one, Socket other) throws IOException {
        Greenlet<Void> back = Loomlet.spawn(() -> {
            try {
                other.getInputStream().transferTo(one.getOutputStream());
            } catch (IOException e) {
                // the client has gone
            }
        });
        one.getInputStream().transferTo(other.getOutputStream());
        other.shutdownOutput();
        back.join();
    }

    /** A SOCKS 5 proxy; with a password unless that is empty. */
    private static void socks(Socket socket, String password, List<String> asked) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        in.readByte();
        byte[] methods = in.readNBytes(in.readUnsignedByte());
        if (password.isEmpty()) {
            out.write(new byte[] {5, 0});
        } else if (methods.length < 2) {
            out.write(new byte[] {5, -1});
            return;
        } else {
            out.write(new byte[] {5, 2});
            in.readByte();
            String user = new String(in.readNBytes(in.readUnsignedByte()), StandardCharsets.UTF_8);
            String given = new String(in.readNBytes(in.readUnsignedByte()), StandardCharsets.UTF_8);
            boolean right = given.equals(password);
            out.write(new byte[] {1, (byte) (right ? 0 : 1)});
            if (!right) {
                return;
            }
            asked.add(user);
        }
        in.skipNBytes(3);
        String host = switch (in.readUnsignedByte()) {
            case 3 -> new String(in.readNBytes(in.readUnsignedByte()), StandardCharsets.UTF_8);
            case 4 -> InetAddress.getByAddress(in.readNBytes(16)).getHostAddress();
            default -> throw new AssertionError("an address");
        };
        int port = in.readUnsignedShort();
        asked.add(host);
        if (host.equals("forbidden")) {
            out.write(new byte[] {5, 2, 0, 1, 0, 0, 0, 0, 0, 0});
            return;
        }
        try (Socket target = Sockets.connect("127.0.0.1:" + port)) {
            out.write(new byte[] {5, 0, 0, 3, 2, 'h', 'i', 0, 0});
            relay(socket, target);
        }
    }

    @Test
    void goesThroughASocksProxyWhichLooksTheNameUp() throws Exception {
        List<String> asked = new ArrayList<>();
        try (StreamServer target = upper("127.0.0.1");
                StreamServer open = StreamServer.listen("127.0.0.1:0", socket -> socks(socket, "", asked));
                StreamServer closed = StreamServer.listen("127.0.0.1:0", socket -> socks(socket, "secret", asked))) {
            Connector plain = Connector.create().timeout(Duration.ofSeconds(20));
            Loomlet.run(() -> {
                try (Socket socket = plain.socks5("127.0.0.1:" + open.port()).connect("name.invalid", target.port())) {
                    assertThat(ask(socket, "x")).isEqualTo("X");
                }
                try (Socket socket = plain.socks5("127.0.0.1:" + closed.port(), "me", "secret").connect("::1",
                        target.port())) {
                    assertThat(ask(socket, "y")).isEqualTo("Y");
                }
                assertThat(asked).containsExactly("name.invalid", "me", "0:0:0:0:0:0:0:1");
                assertThatIOException().isThrownBy(() -> plain.socks5("127.0.0.1:" + closed.port(), "me", "wrong")
                        .connect("name", 1)).withMessageContaining("does not accept user me");
                assertThatIOException().isThrownBy(() -> plain.socks5("127.0.0.1:" + closed.port()).connect("name", 1))
                        .withMessageContaining("wants a user");
                assertThatIOException()
                        .isThrownBy(() -> plain.socks5("127.0.0.1:" + open.port()).connect("forbidden", 1))
                        .withMessageContaining("cannot connect to forbidden:1: is not allowed to");
            });
        }
    }

    /** What becomes of a connection through a proxy that says this, piece by piece, each when it was said something. */
    private static String through(boolean socks, byte[]... answers) throws IOException {
        try (StreamServer proxy = StreamServer.listen("127.0.0.1:0", socket -> {
            try {
                for (byte[] each : answers) {
                    socket.getInputStream().read(new byte[600]);
                    socket.getOutputStream().write(each);
                }
                socket.shutdownOutput();
                socket.getInputStream().readAllBytes(); // unread, it would become a reset
            } catch (SocketException e) {
                // the client has heard enough
            }
        })) {
            String address = "127.0.0.1:" + proxy.port();
            Connector connector = Connector.create().timeout(Duration.ofSeconds(20));
            try {
                (socks ? connector.socks5(address) : connector.httpProxy(address)).connect("name", 80).close();
                return "connected";
            } catch (IOException e) {
                return String.valueOf(e.getMessage()).replace(address, "it");
            }
        }
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void whatIsWrongWithAProxyIsSaidWithItsName() throws Exception {
        Loomlet.run(() -> {
            String closed = "SOCKS5 proxy it closed the connection instead of connecting to name:80";
            String none = "SOCKS5 proxy it does not speak SOCKS 5";
            assertThat(through(true)).isEqualTo(closed);
            assertThat(through(true, bytes(5, 0))).isEqualTo(closed);
            assertThat(through(true, bytes(5, 0), bytes(5, 0, 0))).isEqualTo(closed);
            assertThat(through(true, bytes(0, 91, 0, 0, 0, 0, 0, 0))).as("SOCKS 4").isEqualTo(none);
            assertThat(through(true, bytes(5, 0), bytes(4, 0, 0, 1, 0, 0, 0, 0, 0, 0))).isEqualTo(none);
            assertThat(through(true, bytes(5, 2), bytes(1, 0))).as("a method that was not offered")
                    .isEqualTo("SOCKS5 proxy it wants a user and a password");
            assertThat(through(false))
                    .isEqualTo("HTTP proxy it closed the connection instead of connecting to name:80");
            StreamServer gone = upper("127.0.0.1");
            String address = "127.0.0.1:" + gone.port();
            gone.close();
            assertThatIOException().isThrownBy(() -> Connector.create().socks5(address).connect("name", 80))
                    .withMessage("SOCKS5 proxy " + address + " cannot be used to connect to name:80: " + address
                            + ": Connection refused");
        });
    }

    private static void httpProxy(Socket socket, List<String> asked) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            int b = socket.getInputStream().read();
            if (b < 0) {
                return;
            }
            head.append((char) b);
        }
        asked.add(head.toString());
        OutputStream out = socket.getOutputStream();
        if (head.toString().contains("forbidden")) {
            out.write("HTTP/1.1 403 Forbidden\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return;
        }
        if (head.toString().contains("endless")) {
            byte[] much = new byte[100_000];
            out.write(much);
            return;
        }
        int port = Integer.parseInt(head.substring(head.indexOf(":") + 1, head.indexOf(" HTTP")));
        try (Socket target = Sockets.connect("127.0.0.1:" + port)) {
            out.write("HTTP/1.1 200 OK\r\nX: y\r\n\r\nfirst".getBytes(StandardCharsets.US_ASCII));
            relay(socket, target);
        }
    }

    @Test
    void goesThroughAnHttpProxyAndLosesNoByteThatFollowsItsAnswer() throws Exception {
        List<String> asked = new ArrayList<>();
        try (StreamServer target = upper("127.0.0.1");
                StreamServer proxy = StreamServer.listen("127.0.0.1:0", socket -> {
                    try {
                        httpProxy(socket, asked);
                    } catch (java.net.SocketException e) {
                        // "endless" is cut off
                    }
                })) {
            Connector connector = Connector.create().timeout(Duration.ofSeconds(20))
                    .httpProxy("127.0.0.1:" + proxy.port(), "me", "secret");
            Loomlet.run(() -> {
                try (Socket socket = connector.connect("name.invalid", target.port())) {
                    assertThat(new String(socket.getInputStream().readNBytes(5), StandardCharsets.US_ASCII))
                            .isEqualTo("first");
                    assertThat(ask(socket, "x")).isEqualTo("X");
                }
                assertThat(asked.getFirst()).isEqualTo("CONNECT name.invalid:" + target.port() + " HTTP/1.1\r\nHost: "
                        + "name.invalid:" + target.port() + "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");
                assertThatIOException().isThrownBy(() -> connector.connect("forbidden", 1))
                        .withMessageContaining("cannot connect to forbidden:1: HTTP/1.1 403 Forbidden");
                assertThatIOException().isThrownBy(() -> connector.connect("endless", 1))
                        .withMessageContaining("more than 16384");
                assertThatIllegalArgumentException().isThrownBy(() -> connector.connect("a\r\nb", 1));
            });
        }
    }

    @Test
    void addressesOfProxiesAreChecked() {
        assertThatIllegalArgumentException().isThrownBy(() -> Connector.create().socks5("nowhere"));
        assertThatIllegalArgumentException().isThrownBy(() -> Connector.create().httpProxy("host:port"));
        assertThatIllegalArgumentException().isThrownBy(() -> Connector.create().socks5("host:0"));
        assertThatIllegalArgumentException().isThrownBy(() -> Connector.create().socks5("host:65536"));
    }
}
