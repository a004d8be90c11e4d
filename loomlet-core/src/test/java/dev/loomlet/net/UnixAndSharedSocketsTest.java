package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Unix domain sockets, listening sockets that are shared, and buffers instead of streams. */
@Timeout(60)
class UnixAndSharedSocketsTest {
    @TempDir Path folder;
    private Hub hub;

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        assumeTrue(Sockets.fast(), "descriptors can be watched here");
    }

    @AfterEach
    void closeHub() {
        hub.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String ask(Socket socket, String question) throws IOException {
        socket.getOutputStream().write(bytes(question));
        return new String(socket.getInputStream().readNBytes(question.length()), StandardCharsets.US_ASCII);
    }

    // --- Unix domain sockets

    @Test
    void aServerOnAUnixSocketIsUsedLikeAnyOther() throws Exception {
        Path file = folder.resolve("s");
        try (StreamServer server = StreamServer.listen("unix:" + file, StreamServerTest::upper)) {
            assertThat(server.localAddress()).isEqualTo(UnixDomainSocketAddress.of(file));
            assertThat(server.toString()).contains("unix:" + file);
            assertThatIllegalStateException().isThrownBy(server::address).withMessageContaining("has no port");
            Loomlet.run(() -> {
                List<Greenlet<String>> clients = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    int n = i;
                    clients.add(Loomlet.spawn(() -> {
                        try (Socket socket = Sockets.connect("unix:" + file, Duration.ofSeconds(20))) {
                            assertThat(socket.getRemoteSocketAddress()).isEqualTo(UnixDomainSocketAddress.of(file));
                            assertThat(socket.isConnected()).isTrue();
                            assertThat(socket.getInetAddress()).isNull();
                            assertThat(socket.toString()).contains(file.toString());
                            socket.setTcpNoDelay(true);
                            socket.setReceiveBufferSize(100_000);
                            return ask(socket, "hello " + n);
                        }
                    }));
                }
                for (int i = 0; i < 20; i++) {
                    assertThat(clients.get(i).value()).isEqualTo("HELLO " + i);
                }
            });
        }
        assertThat(Files.exists(file)).as("as everywhere, the file stays").isTrue();
    }

    @Test
    void theJdksChannelsTalkToIt() throws Exception {
        Path file = folder.resolve("s");
        try (StreamServer server = StreamServer.listen(UnixDomainSocketAddress.of(file), StreamServerTest::upper)) {
            Loomlet.run(() -> {
                try (SocketChannel channel = SocketChannel.open(server.localAddress())) {
                    channel.write(ByteBuffer.wrap(bytes("jdk")));
                    ByteBuffer answer = ByteBuffer.allocate(3);
                    while (answer.hasRemaining()) {
                        channel.read(answer);
                    }
                    assertThat(answer.array()).isEqualTo(bytes("JDK"));
                }
            });
        }
    }

    @Test
    void aUnixSocketTimesOutIsKilledHalfClosedAndClosedLikeAnyOther() throws Exception {
        String address = "unix:" + folder.resolve("s");
        Loomlet.run(() -> {
            try (ServerSocket listener = Sockets.listen(address, 1); Socket a = Sockets.connect(address)) {
                Socket b = listener.accept();
                a.setSoTimeout(5);
                assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> a.getInputStream().read())
                        .withMessage("Read timed out");
                a.setSoTimeout(0);
                Greenlet<Integer> reader = Loomlet.spawn(() -> a.getInputStream().read());
                Loomlet.yieldNow();
                reader.kill();
                b.getOutputStream().write('x');
                assertThat(a.getInputStream().read()).isEqualTo('x');
                b.shutdownOutput();
                assertThat(a.getInputStream().read()).isEqualTo(-1);
                Greenlet<Integer> other = Loomlet.spawn(() -> b.getInputStream().read());
                Loomlet.yieldNow();
                b.close();
                other.join();
                assertThat(other.exception().orElseThrow()).hasMessage("Socket closed");
            }
        });
    }

    @Test
    void aFullBacklogIsWaitedForAndAMissingServerIsNamed() throws Exception {
        String address = "unix:" + folder.resolve("s");
        Loomlet.run(() -> {
            assertThatIOException().isThrownBy(() -> Sockets.connect(address)).withMessageContaining(address);
            try (ServerSocket listener = Sockets.listen(address, 1)) {
                List<Socket> waiting = new ArrayList<>();
                assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> {
                    for (int i = 0; i < 10; i++) {
                        waiting.add(Sockets.connect(address, Duration.ofMillis(50)));
                    }
                }).withMessageContaining(address);
                Greenlet<Socket> patient = Loomlet.spawn(() -> Sockets.connect(address));
                for (int i = 0; i < waiting.size(); i++) {
                    listener.accept().close();
                }
                try (Socket socket = patient.value(); Socket accepted = listener.accept()) {
                    socket.getOutputStream().write(1);
                    assertThat(accepted.getInputStream().read()).isEqualTo(1);
                }
                for (Socket each : waiting) {
                    each.close();
                }
                assertThatIOException().isThrownBy(() -> Sockets.listen(address, 1)); // the file is there
            }
        });
    }

    // --- shared and handed over

    @Test
    void serversOnTwoHubsShareAListeningSocket() throws Exception {
        Set<String> hubs = new ConcurrentSkipListSet<>();
        ConnectionHandler handler = socket -> {
            hubs.add(Hub.current().name());
            StreamServerTest.upper(socket);
        };
        Hub second = Hub.start("second");
        try {
            ServerSocket listener = Sockets.listen("127.0.0.1:0", 100);
            ServerSocket shared = Sockets.share(listener);
            assertThat(shared.getLocalSocketAddress()).isEqualTo(listener.getLocalSocketAddress());
            StreamServer one = StreamServer.builder(listener, handler).build().start();
            StreamServer two = second.spawn(() -> StreamServer.builder(shared, handler).build().start()).value();
            Loomlet.run(() -> {
                long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
                while (hubs.size() < 2 && System.nanoTime() < end) {
                    List<Greenlet<Void>> clients = new ArrayList<>();
                    for (int i = 0; i < 10; i++) {
                        clients.add(Loomlet.spawn(() -> {
                            try (Socket socket = Sockets.connect(one.address())) {
                                assertThat(ask(socket, "x")).isEqualTo("X");
                            }
                        }));
                    }
                    for (Greenlet<Void> each : clients) {
                        each.value();
                    }
                }
                assertThat(hubs).hasSize(2);
                one.close();
                try (Socket socket = Sockets.connect(two.address())) {
                    assertThat(ask(socket, "still")).isEqualTo("STILL");
                }
            });
            two.close();
            assertThatIOException().isThrownBy(() -> Sockets.connect(two.address()));
        } finally {
            second.close();
        }
    }

    @Test
    void serversWithReusePortListenAtOnePort() throws Exception {
        Set<String> served = new TreeSet<>();
        try (StreamServer one = StreamServer.builder("127.0.0.1:0", socket -> served.add("one")).reusePort(true).build()
                .start();
                StreamServer two =
                        StreamServer.builder(one.address(), socket -> served.add("two")).reusePort(true).build()
                                .start()) {
            assertThat(two.port()).isEqualTo(one.port());
            Loomlet.run(() -> {
                for (int i = 0; i < 200 && served.size() < 2; i++) {
                    try (Socket socket = Sockets.connect(one.address())) {
                        assertThat(socket.getInputStream().read()).isEqualTo(-1);
                    }
                }
            });
            assertThat(served).containsExactly("one", "two");
        }
    }

    @Test
    void onlyAListeningSocketIsTakenOver() throws Exception {
        assertThatIOException().isThrownBy(() -> Sockets.inherited(1_000_000)).withMessageContaining("1000000");
        assertThat(Sockets.inherited()).as("nobody has given us any").isEmpty();
        try (ServerSocket jdk = new ServerSocket(0)) {
            assertThatExceptionOfType(SocketException.class).isThrownBy(() -> Sockets.share(jdk));
        }
    }

    @Test
    void anAcceptAtAReadySocketTimesOut() throws Exception {
        Loomlet.run(() -> {
            try (ServerSocket listener = Sockets.listen("unix:" + folder.resolve("s"), 1)) {
                listener.setSoTimeout(5);
                assertThat(listener.getSoTimeout()).isEqualTo(5);
                assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(listener::accept);
                assertThat(listener.getLocalPort()).isEqualTo(-1);
            }
        });
    }

    /** What a socket says of itself: each option that it has, and the value. */
    private static String optionsOf(Set<SocketOption<?>> supported, Reading reading) throws IOException {
        StringBuilder all = new StringBuilder();
        for (SocketOption<?> each : supported) {
            all.append(each.name()).append('=').append(reading.of(each)).append(' ');
        }
        return all.toString();
    }

    private interface Reading {
        Object of(SocketOption<?> option) throws IOException;
    }

    @Test
    void everyOptionThatASocketSaysItHasCanBeRead() throws Exception {
        String address = "unix:" + folder.resolve("s");
        Loomlet.run(() -> {
            try (ServerSocket listener = Sockets.listen(address, 1);
                    Socket client = Sockets.connect(address);
                    Socket accepted = listener.accept()) {
                assertThat(optionsOf(listener.supportedOptions(), listener::getOption)).contains("SO_RCVBUF=");
                for (Socket each : List.of(client, accepted)) {
                    assertThat(optionsOf(each.supportedOptions(), each::getOption)).contains("SO_SNDBUF=")
                            .contains("SO_PEERCRED=UnixDomainPrincipal[user=" + System.getProperty("user.name"));
                }
                assertThatExceptionOfType(UnsupportedOperationException.class)
                        .isThrownBy(() -> client.setOption(StandardSocketOptions.TCP_NODELAY, true));
            }
        });
    }

    @Test
    void aListeningSocketThatCameReadyHasOptionsLikeAnyOther() throws Exception {
        Loomlet.run(() -> {
            try (ServerSocket first = Sockets.listen("127.0.0.1:0", 1);
                    ServerSocket shared = Sockets.share(first);
                    ServerSocket unix = Sockets.listen("unix:" + folder.resolve("s"), 1)) {
                for (ServerSocket each : List.of(first, shared, unix)) {
                    each.setReceiveBufferSize(20_000);
                    assertThat(each.getReceiveBufferSize()).isGreaterThanOrEqualTo(20_000);
                    assertThat(optionsOf(each.supportedOptions(), each::getOption)).contains("SO_RCVBUF=");
                    each.setReuseAddress(true);
                    assertThat(each.getReuseAddress()).isTrue();
                    assertThatIllegalArgumentException().isThrownBy(() -> each.setSoTimeout(-1));
                    each.setSoTimeout(5);
                    assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(each::accept);
                    String name = each.toString();
                    each.close();
                    assertThat(each.toString()).isEqualTo(name);
                    assertThatExceptionOfType(SocketException.class).isThrownBy(() -> each.setSoTimeout(5))
                            .withMessage("Socket is closed");
                    assertThatExceptionOfType(SocketException.class).isThrownBy(each::getReuseAddress)
                            .withMessage("Socket is closed");
                }
            }
        });
    }

    @Test
    void anAddressThatCannotBeListenedAtOrConnectedToIsNamed() throws Exception {
        Loomlet.run(() -> {
            for (String each : List.of("unix:" + folder.resolve("no/such/folder"),
                    "unix:" + folder.resolve("x".repeat(200)))) {
                assertThatExceptionOfType(BindException.class).isThrownBy(() -> Sockets.listen(each, 1))
                        .withMessageStartingWith("cannot listen at " + each + ": ");
                assertThatExceptionOfType(SocketException.class).isThrownBy(() -> Sockets.connect(each))
                        .withMessageStartingWith(each + ": ");
            }
            String unix = "unix:" + folder.resolve("s");
            String inet;
            try (ServerSocket one = Sockets.listen("127.0.0.1:0", 1); ServerSocket two = Sockets.listen(unix, 1)) {
                inet = "127.0.0.1:" + one.getLocalPort();
                assertThat(two.isBound()).isTrue();
                for (String each : List.of(inet, unix)) {
                    assertThatExceptionOfType(BindException.class).isThrownBy(() -> Sockets.listen(each, 1))
                            .withMessage("cannot listen at " + each + ": Address already in use");
                }
            }
            for (String each : List.of(inet, unix)) { // the file is still there
                assertThatExceptionOfType(ConnectException.class).isThrownBy(() -> Sockets.connect(each))
                        .withMessage(each + ": Connection refused");
            }
        });
    }

    // --- buffers

    @Test
    void buffersAreScatteredAndGatheredOverAnySocket() throws Exception {
        Loomlet.run(() -> {
            try (Sockets.Pair pair = Sockets.pair();
                    ServerSocket jdkServer = new ServerSocket(0);
                    Socket jdk = new Socket(InetAddress.getLoopbackAddress(), jdkServer.getLocalPort());
                    Socket accepted = jdkServer.accept()) {
                for (Connection[] each : new Connection[][] {
                    {Connection.of(pair.first()), Connection.of(pair.second())},
                    {Connection.of(jdk), Connection.of(accepted)}}) {
                    ByteBuffer direct = ByteBuffer.allocateDirect(3).put(bytes("def")).flip();
                    assertThat(each[0].write(ByteBuffer.wrap(bytes("abc")), direct,
                            ByteBuffer.wrap(bytes("g")).asReadOnlyBuffer()))
                            .isEqualTo(7);
                    assertThat(direct.hasRemaining()).isFalse();
                    each[0].socket().shutdownOutput();
                    ByteBuffer one = ByteBuffer.allocate(2);
                    ByteBuffer two = ByteBuffer.allocateDirect(10);
                    long n = 0;
                    for (long got; (got = each[1].read(new ByteBuffer[] {one, two})) > 0;) {
                        n += got;
                    }
                    assertThat(n).isEqualTo(7);
                    assertThat(new String(one.array(), StandardCharsets.US_ASCII)).isEqualTo("ab");
                    assertThat(StandardCharsets.US_ASCII.decode(two.flip()).toString()).isEqualTo("cdefg");
                    assertThat(each[1].read(ByteBuffer.allocate(1))).isEqualTo(-1);
                    each[1].close();
                    assertThat(each[1].isOpen()).isFalse();
                }
            }
        });
    }

    @Test
    void gatheringOneBufferLongerThanTheKernelTakesWritesAllOfIt() throws Exception {
        Loomlet.run(() -> {
            try (Sockets.Pair pair = Sockets.pair()) {
                pair.first().setOption(StandardSocketOptions.SO_SNDBUF, 10_000);
                ByteBuffer much = ByteBuffer.allocate(3_000_000);
                much.put(2_999_999, (byte) 7);
                Greenlet<Integer> writer = Loomlet.spawn(() -> Connection.of(pair.first()).write(much));
                byte[] got = pair.second().getInputStream().readNBytes(3_000_000);
                assertThat(writer.value()).isEqualTo(3_000_000);
                assertThat(got[2_999_999]).isEqualTo((byte) 7);
            }
        });
    }
}
