package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.TimeoutExpired;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FastSocketTest {
    private Hub hub;

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> {
            // the tests look at the greenlets
        });
        assumeTrue(Sockets.fast(), "descriptors can be watched here");
    }

    @AfterEach
    void closeHub() {
        hub.close();
    }

    private interface Talk {
        void with(Socket a, Socket b) throws Exception;
    }

    /** In a greenlet, with two ends of a connection. */
    private static void talk(Talk talk) throws Exception {
        Loomlet.run(() -> {
            try (Sockets.Pair pair = Sockets.pair()) {
                talk.with(pair.first(), pair.second());
            }
        });
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String read(Socket socket, int length) throws IOException {
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
    }

    private static byte[] pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8));
        }
        return bytes;
    }

    /** Lets the greenlet run until it waits. */
    private static <T> Greenlet<T> waiting(Greenlet<T> greenlet) {
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        assertThat(greenlet.ready()).isFalse();
        return greenlet;
    }

    private static String read1024(Socket socket) throws IOException {
        byte[] bytes = new byte[1024];
        int n = socket.getInputStream().read(bytes);
        return n < 0 ? "end" : new String(bytes, 0, n, StandardCharsets.US_ASCII);
    }

    @Test
    void readNowNeverWaitsAndAwaitReadableTakesNoByte() throws Exception {
        talk((a, b) -> {
            StreamSocket reader = (StreamSocket) b;
            ByteBuffer buffer = ByteBuffer.allocate(10);
            assertThat(reader.readNow(buffer)).isZero();
            assertThat(reader.awaitReadable(Duration.ofMillis(5))).isFalse();
            Greenlet<Boolean> waiter = waiting(Loomlet.spawn(() -> reader.awaitReadable(Duration.ofMinutes(1))));
            a.getOutputStream().write(bytes("abc"));
            assertThat(waiter.get()).isTrue();
            assertThat(reader.readNow(buffer)).isEqualTo(3);
            assertThat(buffer.position()).isEqualTo(3);
            ByteBuffer direct = ByteBuffer.allocateDirect(10);
            assertThat(reader.readNow(direct)).isZero();
            Greenlet<Boolean> killed = waiting(Loomlet.spawn(() -> reader.awaitReadable(Duration.ofMinutes(1))));
            killed.kill();
            a.getOutputStream().write(bytes("de"));
            assertThat(reader.awaitReadable(Duration.ofMinutes(1))).isTrue();
            assertThat(reader.readNow(direct)).isEqualTo(2);
            a.shutdownOutput();
            assertThat(reader.awaitReadable(Duration.ofMinutes(1))).isTrue();
            assertThat(reader.readNow(buffer)).isEqualTo(-1);
            assertThat(reader.readNow(buffer)).isEqualTo(-1);
        });
    }

    @Test
    void writeNowWritesWhatThereIsRoomFor() throws Exception {
        talk((a, b) -> {
            StreamSocket writer = (StreamSocket) a;
            byte[] pattern = pattern(20_000_000);
            ByteBuffer all = ByteBuffer.wrap(pattern);
            int n;
            while ((n = writer.writeNow(all)) > 0) {
                assertThat(all.position()).isGreaterThanOrEqualTo(n);
            }
            assertThat(all.hasRemaining()).as("left when there is no more room").isTrue();
            int written = all.position();
            assertThat(b.getInputStream().readNBytes(written)).isEqualTo(java.util.Arrays.copyOf(pattern, written));
            ByteBuffer xyz = ByteBuffer.wrap(bytes("xyz")).asReadOnlyBuffer();
            while (writer.writeNow(xyz) == 0) { // there is room once the kernel has had the acknowledgement
                Loomlet.sleep(Duration.ofMillis(1));
            }
            assertThat(xyz.hasRemaining()).isFalse();
            assertThat(read(b, 3)).isEqualTo("xyz");
        });
    }

    @Test
    void carriesBytesBothWaysWhileOthersRun() throws Exception {
        int[] ticks = {0};
        talk((a, b) -> {
            Greenlet<Void> ticker = Loomlet.spawn(() -> {
                for (;;) {
                    ticks[0]++;
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            });
            Greenlet<Void> echo = Loomlet.spawn(() -> {
                b.getInputStream().transferTo(b.getOutputStream());
                b.shutdownOutput();
            });
            for (int i = 0; i < 100; i++) {
                a.getOutputStream().write(bytes("hello " + i % 10));
                assertThat(read(a, 7)).isEqualTo("hello " + i % 10);
            }
            int before = ticks[0];
            assertThat(Loomlet.spawn(() -> a.getInputStream().read()).join(Duration.ofMillis(50))).isFalse();
            assertThat(ticks[0]).isGreaterThan(before + 5);
            a.shutdownOutput();
            echo.join();
            ticker.kill();
        });
    }

    @Test
    void carriesMuchMoreThanTheKernelHoldsToASlowReader() throws Exception {
        byte[] sent = pattern(5_000_000);
        talk((a, b) -> {
            Greenlet<Void> writer = Loomlet.spawn(() -> {
                a.getOutputStream().write(sent);
                a.shutdownOutput();
            });
            byte[] got = new byte[sent.length];
            int at = 0;
            Random random = new Random(1);
            for (int n; (n = b.getInputStream().read(got, at, Math.min(got.length - at,
                    1 + random.nextInt(200_000)))) > 0;) {
                at += n;
                if (random.nextInt(4) == 0) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            }
            assertThat(at).isEqualTo(sent.length);
            assertThat(got).isEqualTo(sent);
            assertThat(b.getInputStream().read()).isEqualTo(-1);
            assertThat(writer.successful()).isTrue();
        });
    }

    @Test
    void aReadThatTimesOutCostsNothing() throws Exception {
        talk((a, b) -> {
            b.setSoTimeout(30);
            assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> b.getInputStream().read())
                    .withMessage("Read timed out");
            a.getOutputStream().write(bytes("late"));
            assertThat(read(b, 4)).isEqualTo("late");
        });
    }

    @Test
    void aKillAtAReadCostsNeitherTheConnectionNorAByte() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> b.getInputStream().read()));
            a.getOutputStream().write(bytes("x")); // may reach it in the same turn as the kill
            reader.kill();
            String left = reader.isCancelled() ? "xyz" : "yz";
            a.getOutputStream().write(bytes("yz"));
            assertThat(read(b, left.length())).isEqualTo(left);
            b.getOutputStream().write(bytes("ok"));
            assertThat(read(a, 2)).isEqualTo("ok");
        });
    }

    /** As the agent puts it under a program's own sockets. */
    private static final class PlainSocket extends Socket {
        PlainSocket() throws SocketException {
            super(new FastSocketImpl(false, false));
        }
    }

    @Test
    void aSocketOfAProgramThatKnowsOfNoKillIsClosedByOneInMidCall() throws Exception {
        Loomlet.run(() -> {
            try (ServerSocket server = Sockets.listen("127.0.0.1:0", 10); Socket reads = new PlainSocket();
                    Socket writes = new PlainSocket(); Socket late = new PlainSocket()) {
                reads.connect(server.getLocalSocketAddress());
                writes.connect(server.getLocalSocketAddress());
                late.connect(server.getLocalSocketAddress());
                AtomicReference<Exception> told = new AtomicReference<>();
                Greenlet<Void> reader = waiting(Loomlet.spawn(() -> {
                    try {
                        assertThat(reads.getInputStream().read()).isEqualTo('x');
                    } catch (SocketException e) {
                        told.set(e); // as a library that wants to know whether its connection is still good
                        throw e;
                    }
                }));
                reader.kill();
                assertThat(reader.exit()).isPresent();
                assertThat(told.get()).hasMessage("Closed by interrupt");
                assertThat(reads.isClosed()).isTrue();
                Greenlet<Void> dueBefore = Loomlet.spawn(() -> {
                    Greenlet<?> me = Loomlet.current().orElseThrow();
                    Loomlet.spawn(() -> me.kill(Duration.ZERO));
                    Loomlet.withTimeout(Duration.ofMillis(50), () -> {
                        for (;;) {
                            writes.getOutputStream().write(new byte[100_000]);
                        }
                    });
                });
                dueBefore.join();
                assertThat(dueBefore.exit()).isPresent();
                assertThat(writes.isClosed()).isTrue();
                assertThatExceptionOfType(TimeoutExpired.class).isThrownBy(
                        () -> Loomlet.withTimeout(Duration.ofMillis(50), () -> late.getInputStream().read()));
                assertThat(late.isClosed()).isTrue();
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            }
        });
    }

    @Test
    void killsAtRandomMomentsLoseNoByte() throws Exception {
        long seed = System.nanoTime();
        System.out.println("killsAtRandomMomentsLoseNoByte: seed " + seed);
        Random random = new Random(seed);
        byte[] sent = pattern(400_000);
        talk((a, b) -> {
            Greenlet<Void> writer = Loomlet.spawn(() -> {
                for (int at = 0; at < sent.length;) {
                    int n = Math.min(sent.length - at, 1 + random.nextInt(3_000));
                    a.getOutputStream().write(sent, at, n);
                    at += n;
                    Loomlet.yieldNow();
                }
                a.shutdownOutput();
            });
            byte[] got = new byte[sent.length + 1];
            int[] at = {0};
            int kills = 0;
            boolean[] end = {false};
            while (!end[0]) {
                Greenlet<Void> reader = Loomlet.spawn(() -> {
                    for (;;) {
                        int n = b.getInputStream().read(got, at[0], Math.min(1_000, got.length - at[0]));
                        if (n < 0) {
                            end[0] = true;
                            return;
                        }
                        at[0] += n;
                    }
                });
                for (int i = random.nextInt(6); i >= 0; i--) {
                    Loomlet.yieldNow();
                }
                reader.kill();
                kills += reader.isCancelled() ? 1 : 0;
            }
            assertThat(at[0]).isEqualTo(sent.length);
            assertThat(java.util.Arrays.copyOf(got, at[0])).isEqualTo(sent);
            assertThat(kills).as("kills that met a reader").isGreaterThan(10);
            writer.join();
        });
    }

    @Test
    void aKillAtAWriteTellsHowMuchWasWrittenAndTheRestCanFollow() throws Exception {
        byte[] sent = pattern(8_000_000);
        talk((a, b) -> {
            ByteBuffer buffer = ByteBuffer.wrap(sent);
            Greenlet<Void> writer = Loomlet.spawn(() -> ((StreamSocket) a).write(buffer));
            while (buffer.position() == 0) {
                Loomlet.yieldNow();
            }
            Loomlet.sleep(Duration.ofMillis(20)); // nobody reads: it waits for room by now, or will soon
            writer.kill();
            assertThat(writer.isCancelled()).isTrue();
            assertThat(buffer.hasRemaining()).isTrue();
            Greenlet<Void> rest = Loomlet.spawn(() -> {
                ((StreamSocket) a).write(buffer);
                a.shutdownOutput();
            });
            assertThat(b.getInputStream().readAllBytes()).isEqualTo(sent);
            rest.join();
        });
    }

    @Test
    void closingItEndsAWaitInAnotherGreenletAtOnce() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> a.getInputStream().read()));
            a.close();
            reader.join(Duration.ofSeconds(10));
            assertThat(reader.exception().orElseThrow()).isInstanceOf(SocketException.class)
                    .hasMessage("Socket closed");
            assertThat(b.getInputStream().read()).isEqualTo(-1);
        });
    }

    @Test
    void closingItInAnotherThreadEndsAWait() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> a.getInputStream().read()));
            Thread thread = new Thread(() -> {
                try {
                    a.close();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            thread.start();
            reader.join(Duration.ofSeconds(10));
            assertThat(reader.exception().orElseThrow()).hasMessage("Socket closed");
            assertThat(b.getInputStream().read()).isEqualTo(-1);
            thread.join();
        });
    }

    @Test
    void closingItEndsAnAcceptAndAConnect() throws Exception {
        Loomlet.run(() -> {
            ServerSocket server = Sockets.listen("127.0.0.1:0", 1);
            Greenlet<Socket> acceptor = waiting(Loomlet.spawn(server::accept));
            server.close();
            acceptor.join(Duration.ofSeconds(10));
            assertThat(acceptor.exception().orElseThrow()).hasMessage("Socket closed");
        });
    }

    /** The kernel waits in close(2) then, even for a descriptor that never blocks. */
    @Test
    void closingOneThatLingersKeepsItsGreenletWaitingAndNobodyElse() throws Exception {
        talk((a, b) -> {
            StreamSocket writer = (StreamSocket) a;
            ByteBuffer all = ByteBuffer.allocate(20_000_000);
            while (writer.writeNow(all) > 0) {
                // until there is no more room
            }
            writer.setSoLinger(true, 10);
            Greenlet<Void> closer = waiting(Loomlet.spawn(writer::close));
            assertThat(writer.isClosed()).isTrue();
            assertThat(b.getInputStream().readAllBytes()).hasSize(all.position());
            closer.get();
        });
        talk((a, b) -> {
            StreamSocket writer = (StreamSocket) a;
            while (writer.writeNow(ByteBuffer.allocate(1_000_000)) > 0) {
                // until there is no more room
            }
            writer.setOption(StandardSocketOptions.SO_LINGER, 10);
            waiting(Loomlet.spawn(writer::close)).kill();
            assertThat(b.getInputStream().readAllBytes()).isNotEmpty();
        });
    }

    @Test
    void anInterruptClosesItAsInTheJdk() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> {
                try {
                    return a.getInputStream().read();
                } finally {
                    assertThat(Thread.interrupted()).isTrue();
                }
            }));
            reader.thread().interrupt();
            reader.join(Duration.ofSeconds(10));
            assertThat(reader.exception().orElseThrow()).isInstanceOf(SocketException.class)
                    .hasMessage("Closed by interrupt");
            assertThat(a.isClosed()).isTrue();
        });
    }

    @Test
    void aSecondReaderGetsAnErrorThatNamesBoth() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> first = waiting(Loomlet.spawn("first", () -> a.getInputStream().read()));
            Greenlet<Integer> second = Loomlet.spawn("second", () -> a.getInputStream().read());
            second.join();
            assertThat(second.exception().orElseThrow()).isInstanceOf(ConcurrentUseException.class)
                    .hasMessageContaining("greenlet first").hasMessageContaining("greenlet second")
                    .hasMessageContaining("reading from 127.0.0.1:" + a.getPort());
            a.getOutputStream().write('!'); // a writer at the same time is fine
            assertThat(b.getInputStream().read()).isEqualTo('!');
            b.getOutputStream().write(7);
            assertThat(first.value()).isEqualTo(7);
        });
    }

    @Test
    void readersTakeTurnsWhereAskedTo() throws Exception {
        talk((a, b) -> {
            ((StreamSocket) a).takeTurns();
            List<Greenlet<Integer>> readers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                readers.add(waiting(Loomlet.spawn(() -> a.getInputStream().read())));
            }
            readers.get(1).kill(); // one that waits for its turn
            assertThat(readers.get(1).isCancelled()).isTrue();
            for (int i : new int[] {1, 2, 3}) {
                b.getOutputStream().write(i);
            }
            assertThat(List.of(readers.get(0).value(), readers.get(2).value(), readers.get(3).value()))
                    .containsExactly(1, 2, 3);
            Greenlet<Integer> last = waiting(Loomlet.spawn(() -> a.getInputStream().read()));
            Greenlet<Integer> queued = waiting(Loomlet.spawn(() -> a.getInputStream().read()));
            a.close();
            assertThat(Loomlet.joinAll(List.of(last, queued), Duration.ofSeconds(10))).hasSize(2)
                    .allSatisfy(each -> assertThat(each.exception().orElseThrow()).hasMessage("Socket closed"));
        });
    }

    @Test
    void theEndThatComesTogetherWithDataIsSeenAfterIt() throws Exception {
        talk((a, b) -> {
            for (int wait = 0; wait < 2; wait++) { // the reader waits before both come, or comes after
                try (Sockets.Pair pair = Sockets.pair()) {
                    Greenlet<String> reader = Loomlet.spawn(() -> read1024(pair.second()) + read1024(pair.second()));
                    if (wait == 1) {
                        waiting(reader);
                    }
                    pair.first().getOutputStream().write(bytes("last words "));
                    pair.first().close();
                    assertThat(reader.join(Duration.ofSeconds(10))).isTrue();
                    assertThat(reader.value()).isEqualTo("last words end");
                }
            }
        });
    }

    @Test
    void halfOfItCanBeShut() throws Exception {
        talk((a, b) -> {
            a.shutdownOutput();
            assertThat(b.getInputStream().read()).isEqualTo(-1);
            b.getOutputStream().write(bytes("yes"));
            assertThat(read(a, 3)).isEqualTo("yes");
            assertThatExceptionOfType(SocketException.class).isThrownBy(a::getOutputStream);
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> a.getInputStream().read()));
            a.shutdownInput();
            assertThat(reader.join(Duration.ofSeconds(10))).isTrue();
            assertThat(reader.value()).isEqualTo(-1);
        });
    }

    @Test
    void urgentDataHidesNothingThatFollows() throws Exception {
        talk((a, b) -> {
            b.setOOBInline(true);
            Greenlet<String> reader = waiting(Loomlet.spawn(() -> {
                StringBuilder text = new StringBuilder();
                while (text.length() < 7) {
                    text.append(read1024(b));
                }
                return text.toString();
            }));
            a.getOutputStream().write(bytes("abc"));
            a.sendUrgentData('d');
            a.getOutputStream().write(bytes("efg"));
            assertThat(reader.join(Duration.ofSeconds(10))).isTrue();
            assertThat(reader.value()).isEqualTo("abcdefg");
        });
    }

    @Test
    void aResetIsToldToEveryRead() throws Exception {
        talk((a, b) -> {
            Greenlet<Integer> reader = waiting(Loomlet.spawn(() -> b.getInputStream().read()));
            a.setSoLinger(true, 0);
            a.close();
            reader.join(Duration.ofSeconds(10));
            assertThat(reader.exception().orElseThrow()).hasMessage("Connection reset");
            assertThatIOException().isThrownBy(() -> b.getInputStream().read()).withMessage("Connection reset");
        });
    }

    @Test
    void buffersOfAllKindsAreReadAndWritten() throws Exception {
        talk((a, b) -> {
            StreamSocket from = (StreamSocket) a;
            StreamSocket to = (StreamSocket) b;
            ByteBuffer direct = ByteBuffer.allocateDirect(3).put(bytes("def")).flip();
            from.write(ByteBuffer.wrap(bytes("abc")), direct, ByteBuffer.wrap(bytes("ghi")).asReadOnlyBuffer());
            assertThat(direct.hasRemaining()).isFalse();
            from.write(ByteBuffer.wrap(bytes("jkl")).asReadOnlyBuffer());
            from.write(ByteBuffer.allocateDirect(3).put(bytes("mno")).flip());
            ByteBuffer all = ByteBuffer.allocateDirect(15);
            while (all.position() < 7) {
                to.read(all);
            }
            ByteBuffer heap = ByteBuffer.allocate(20).position(4).slice();
            while (all.position() + heap.position() < 15) {
                to.read(heap);
            }
            byte[] text = new byte[15];
            int n = all.flip().remaining();
            all.get(text, 0, n);
            heap.flip().get(text, n, 15 - n);
            assertThat(new String(text, StandardCharsets.US_ASCII)).isEqualTo("abcdefghijklmno");
            a.shutdownOutput();
            assertThat(to.read(ByteBuffer.allocateDirect(1))).isEqualTo(-1);
        });
    }

    @Test
    void allOptionsOfTheJdkCanBeSetAndRead() throws Exception {
        talk((a, b) -> {
            try (Socket jdk = new Socket(); ServerSocket jdkServer = new ServerSocket();
                    ServerSocket server = Sockets.openServer()) {
                assertThat(a.supportedOptions()).isEqualTo(jdk.supportedOptions());
                assertThat(server.supportedOptions()).isEqualTo(jdkServer.supportedOptions());
                for (SocketOption<?> each : a.supportedOptions()) {
                    assertThat((Object) a.getOption(each)).as(each.name()).isNotNull();
                }
                server.setOption(StandardSocketOptions.SO_REUSEPORT, true);
                assertThat(server.getOption(StandardSocketOptions.SO_REUSEPORT)).isTrue();
            }
            a.setTcpNoDelay(true);
            a.setKeepAlive(true);
            a.setSoLinger(true, 3);
            a.setTrafficClass(8);
            a.setReceiveBufferSize(20_000);
            a.setSendBufferSize(20_000);
            a.setSoTimeout(5);
            a.setOOBInline(true);
            assertThat(a.getTcpNoDelay()).isTrue();
            assertThat(a.getKeepAlive()).isTrue();
            assertThat(a.getSoLinger()).isEqualTo(3);
            assertThat(a.getTrafficClass()).isEqualTo(8);
            assertThat(a.getReceiveBufferSize()).isGreaterThanOrEqualTo(20_000);
            assertThat(a.getSendBufferSize()).isGreaterThanOrEqualTo(20_000);
            assertThat(a.getSoTimeout()).isEqualTo(5);
            assertThat(a.getOOBInline()).isTrue();
            a.setSoLinger(false, 0);
            assertThat(a.getSoLinger()).isEqualTo(-1);
        });
    }

    @Test
    void itKnowsItsAddressesAndWhatIsThere() throws Exception {
        talk((a, b) -> {
            assertThat(a.getLocalPort()).isEqualTo(b.getPort());
            assertThat(b.getLocalPort()).isEqualTo(a.getPort());
            assertThat(a.getLocalSocketAddress()).isEqualTo(b.getRemoteSocketAddress());
            assertThat(a.getInetAddress()).isEqualTo(InetAddress.getLoopbackAddress());
            assertThat(b.getLocalAddress()).isEqualTo(InetAddress.getLoopbackAddress());
            a.getOutputStream().write(bytes("four"));
            assertThat(b.getInputStream().read()).isEqualTo('f');
            assertThat(b.getInputStream().available()).isEqualTo(3);
        });
    }

    @Test
    void ipv6WorksWhereThereIsIt() throws Exception {
        Loomlet.run(() -> {
            ServerSocket server;
            try {
                server = Sockets.listen("[::1]:0", 5);
            } catch (SocketException e) {
                assumeTrue(false, "no IPv6 on the loopback interface: " + e);
                return;
            }
            try (server; Socket a = Sockets.connect("[::1]:" + server.getLocalPort()); Socket b = server.accept()) {
                a.getOutputStream().write(6);
                assertThat(b.getInputStream().read()).isEqualTo(6);
            }
        });
    }

    @Test
    void nobodyListeningIsSaidWithTheAddress() throws Exception {
        Loomlet.run(() -> {
            int port;
            try (ServerSocket server = Sockets.listen("127.0.0.1:0", 1)) {
                port = server.getLocalPort();
            }
            assertThatExceptionOfType(ConnectException.class)
                    .isThrownBy(() -> Sockets.connect("127.0.0.1:" + port))
                    .withMessage("127.0.0.1:" + port + ": Connection refused");
        });
    }

    @Test
    void connectingAndAcceptingTimeOut() throws Exception {
        Loomlet.run(() -> {
            try (ServerSocket server = Sockets.listen("127.0.0.1:0", 1)) {
                server.setSoTimeout(30);
                assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(server::accept)
                        .withMessage("Accept timed out");
                List<Socket> full = new ArrayList<>();
                try {
                    assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> {
                        for (int i = 0; i < 10; i++) { // the backlog holds a few
                            full.add(Sockets.connect("127.0.0.1:" + server.getLocalPort(), Duration.ofMillis(100)));
                        }
                    }).withMessageContaining("no connection to 127.0.0.1:" + server.getLocalPort());
                    Greenlet<Socket> connecting = waiting(Loomlet.spawn(
                            () -> Sockets.connect("127.0.0.1:" + server.getLocalPort())));
                    connecting.kill(); // leaves no descriptor, which LeakCheck sees
                    assertThat(connecting.isCancelled()).isTrue();
                } finally {
                    for (Socket each : full) {
                        each.close();
                    }
                }
            }
        });
    }

    private static <T> Future<T> in(boolean virtual, java.util.concurrent.Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        if (virtual) {
            Thread starter = new Thread(() -> Thread.startVirtualThread(future)); // so that it is none of the hub's
            starter.start();
        } else {
            new Thread(future).start();
        }
        return future;
    }

    @Test
    void threadsOfNoHubUseItToo() throws Exception {
        for (boolean virtual : new boolean[] {false, true}) {
            talk((a, b) -> {
                CompletableFuture<Void> begun = new CompletableFuture<>();
                Future<String> other = in(virtual, () -> {
                    begun.complete(null);
                    String text = read(b, 5);
                    b.getOutputStream().write(pattern(3_000_000));
                    return text;
                });
                begun.get();
                a.getOutputStream().write(bytes("hello"));
                assertThat(a.getInputStream().readNBytes(3_000_000)).isEqualTo(pattern(3_000_000));
                assertThat(other.get()).isEqualTo("hello");
            });
        }
    }

    @Test
    void closingItEndsTheWaitOfAThreadOfNoHub() throws Exception {
        for (boolean virtual : new boolean[] {false, true}) {
            talk((a, b) -> {
                CompletableFuture<Thread> thread = new CompletableFuture<>();
                Future<Integer> other = in(virtual, () -> {
                    thread.complete(Thread.currentThread());
                    return b.getInputStream().read();
                });
                Thread reader = thread.get();
                while (virtual && reader.getState() != Thread.State.WAITING) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
                Loomlet.sleep(Duration.ofMillis(virtual ? 0 : 50)); // a thread in poll(2) looks like a running one
                b.close();
                assertThatExceptionOfType(ExecutionException.class).isThrownBy(other::get)
                        .withCauseInstanceOf(SocketException.class).withMessageContaining("Socket closed");
                assertThat(a.getInputStream().read()).isEqualTo(-1);
            });
        }
    }

    @Test
    void aReadThatTimesOutInAThreadOfNoHub() throws Exception {
        talk((a, b) -> {
            b.setSoTimeout(30);
            Future<Integer> other = in(false, () -> b.getInputStream().read());
            assertThatExceptionOfType(ExecutionException.class).isThrownBy(other::get)
                    .withCauseInstanceOf(SocketTimeoutException.class);
            a.getOutputStream().write(3);
            assertThat(b.getInputStream().read()).isEqualTo(3);
        });
    }

    @Test
    void greenletsOfTwoHubsShareIt() throws Exception {
        try (Hub other = Hub.start("other")) {
            talk((a, b) -> {
                for (int i = 0; i < 20; i++) {
                    Greenlet<Integer> there = other.spawn(() -> b.getInputStream().read());
                    Loomlet.sleep(Duration.ofMillis(i % 3));
                    a.getOutputStream().write(i);
                    assertThat(there.value()).isEqualTo(i);
                    Greenlet<Integer> here = Loomlet.spawn(() -> b.getInputStream().read());
                    Loomlet.yieldNow();
                    a.getOutputStream().write(i + 100);
                    assertThat(here.value()).isEqualTo(i + 100);
                }
            });
        }
    }

    @Test
    void theHubsOwnThreadRunsTheHubWhileItReads() throws Exception {
        try (Sockets.Pair pair = Sockets.pair()) {
            Greenlet<Void> writer = hub.spawn(() -> {
                Loomlet.sleep(Duration.ofMillis(10));
                pair.first().getOutputStream().write(9);
            });
            assertThat(pair.second().getInputStream().read()).isEqualTo(9);
            writer.join();
        }
    }

    @Test
    void oneThatNeverWaitsLetsOthersRun() throws Exception {
        talk((a, b) -> {
            a.getOutputStream().write(pattern(20_000));
            int[] turns = {0};
            Greenlet<Void> other = Loomlet.spawn(() -> {
                for (;;) {
                    turns[0]++;
                    Loomlet.yieldNow();
                }
            });
            Loomlet.sleep(Duration.ofMillis(20));
            int before = turns[0];
            InputStream in = b.getInputStream();
            for (int i = 0; i < 10_000; i++) {
                assertThat(in.read()).isNotNegative();
            }
            assertThat(turns[0] - before).isGreaterThan(50);
            other.kill();
        });
    }

    @Test
    void oneThatTheProgramHasLostIsClosedAsGarbage() throws Exception {
        Loomlet.run(() -> {
            try (ServerSocket server = Sockets.listen("127.0.0.1:0", 5)) {
                Greenlet<Void> lost = Loomlet.spawn(() -> {
                    Socket forgotten = Sockets.connect("127.0.0.1:" + server.getLocalPort());
                    forgotten.setSoTimeout(5);
                    assertThatIOException().isThrownBy(() -> forgotten.getInputStream().read()); // registers it
                });
                try (Socket end = server.accept()) {
                    lost.join();
                    end.setSoTimeout(10);
                    for (int i = 0; i < 1_000; i++) {
                        System.gc();
                        try {
                            assertThat(end.getInputStream().read()).isEqualTo(-1);
                            return;
                        } catch (SocketTimeoutException e) {
                            // not yet
                        }
                    }
                    throw new AssertionError("still open");
                }
            }
        });
    }

    @Test
    void manyConnectionsComeAndGoWithoutLeavingAnything() throws Exception {
        try (var server = StreamServer.listen("127.0.0.1:0", StreamServerTest::upper)) {
            Loomlet.run(() -> {
                for (int round = 0; round < 20; round++) {
                    List<Greenlet<String>> clients = new ArrayList<>();
                    for (int i = 0; i < 50; i++) {
                        clients.add(Loomlet.spawn(() -> {
                            try (Socket socket = Sockets.connect(server.address())) {
                                OutputStream out = socket.getOutputStream();
                                out.write(bytes("hi"));
                                return read(socket, 2);
                            }
                        }));
                    }
                    for (Greenlet<String> each : clients) {
                        assertThat(each.value()).isEqualTo("HI");
                    }
                }
            });
        }
    }
}
