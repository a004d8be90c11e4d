package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UdpTest {
    private static final String HERE = "127.0.0.1:0";
    private static final Duration LONG = Duration.ofSeconds(20);

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

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String receive(UdpSocket socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        socket.receive(buffer, LONG);
        return StandardCharsets.US_ASCII.decode(buffer.flip()).toString();
    }

    private static void upper(DatagramServer.Datagram datagram) throws IOException {
        datagram.reply(bytes(new String(datagram.bytes(), StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT)));
    }

    @Test
    void aServerAnswersEachDatagramInAGreenletOfItsOwn() throws Exception {
        try (DatagramServer server = DatagramServer.listen(HERE, datagram -> {
            if (datagram.bytes()[0] == 's') {
                Loomlet.sleep(Duration.ofMillis(20));
            }
            upper(datagram);
        })) {
            Loomlet.run(() -> {
                try (UdpSocket client = UdpSocket.bind(HERE)) {
                    client.send(ByteBuffer.wrap(bytes("slow")), server.address());
                    client.send(ByteBuffer.wrap(bytes("quick")), server.address());
                    assertThat(receive(client)).isEqualTo("QUICK");
                    assertThat(receive(client)).isEqualTo("SLOW");
                }
            });
        }
    }

    @Test
    void theJdksSocketsTalkToItFromAThread() throws Exception {
        try (DatagramServer server = DatagramServer.listen(HERE, UdpTest::upper)) {
            FutureTask<String> asking = new FutureTask<>(() -> {
                try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
                    socket.setSoTimeout(20_000);
                    socket.send(new DatagramPacket(bytes("jdk"), 3, server.address()));
                    DatagramPacket answer = new DatagramPacket(new byte[10], 10);
                    socket.receive(answer);
                    return new String(answer.getData(), 0, answer.getLength(), StandardCharsets.US_ASCII);
                }
            });
            Thread thread = new Thread(asking);
            thread.start();
            Loomlet.run(() -> {
                while (!asking.isDone()) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            });
            assertThat(asking.get()).isEqualTo("JDK");
            thread.join();
        }
    }

    @Test
    void manyDatagramsAtOnceAreAllReceived() throws Exception {
        BitSet got = new BitSet();
        try (UdpSocket socket = UdpSocket.bind(HERE).option(StandardSocketOptions.SO_RCVBUF, 1 << 20);
                DatagramServer server = DatagramServer.listen(socket, 1000,
                        datagram -> got
                                .set(Integer.parseInt(new String(datagram.bytes(), StandardCharsets.US_ASCII))))) {
            Loomlet.run(() -> {
                try (UdpSocket client = UdpSocket.open()) {
                    for (int i = 0; i < 150; i++) { // fewer than the smallest buffer of a kernel holds
                        client.send(ByteBuffer.wrap(bytes("" + i)), server.address());
                    }
                    long end = System.nanoTime() + LONG.toNanos();
                    while (got.cardinality() < 150 && System.nanoTime() < end) {
                        Loomlet.sleep(Duration.ofMillis(1));
                    }
                }
            });
            assertThat(got.cardinality()).isEqualTo(150);
        }
    }

    @Test
    void noMoreHandlersRunThanTheLimitAllows() throws Exception {
        int[] most = {0};
        int[] done = {0};
        DatagramServer[] server = new DatagramServer[1];
        server[0] = DatagramServer.listen(UdpSocket.bind(HERE), 3, datagram -> {
            most[0] = Math.max(most[0], server[0].running());
            Loomlet.sleep(Duration.ofMillis(2));
            done[0]++;
        });
        try (DatagramServer open = server[0]) {
            Loomlet.run(() -> {
                try (UdpSocket client = UdpSocket.open()) {
                    for (int i = 0; i < 20; i++) {
                        client.send(ByteBuffer.wrap(new byte[1]), open.address());
                    }
                    while (done[0] < 20) {
                        Loomlet.sleep(Duration.ofMillis(1));
                    }
                }
            });
            assertThat(most[0]).isEqualTo(3);
        }
    }

    @Test
    void stopLetsHandlersAnswerInTheirGraceAndKillsTheRest() throws Exception {
        List<String> ends = new ArrayList<>();
        DatagramServer server = DatagramServer.listen(HERE, datagram -> {
            try {
                Loomlet.sleep(Duration.ofMillis(datagram.bytes()[0] == 'q' ? 10 : 60_000));
                datagram.reply(bytes("done"));
                ends.add("done");
            } catch (dev.loomlet.GreenletExit e) {
                ends.add("killed");
                throw e;
            }
        });
        Loomlet.run(() -> {
            try (UdpSocket client = UdpSocket.bind(HERE)) {
                client.send(ByteBuffer.wrap(bytes("quick")), server.address());
                client.send(ByteBuffer.wrap(bytes("forever")), server.address());
                while (server.running() < 2) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
                server.stop(Duration.ofMillis(300));
                assertThat(receive(client)).isEqualTo("done");
            }
        });
        assertThat(ends).containsExactly("done", "killed");
        assertThat(server.toString()).contains("closed");
    }

    @Test
    void anErrorOfAHandlerIsReportedAndEndsThatHandlerOnly() throws Exception {
        try (DatagramServer server = DatagramServer.listen(HERE, datagram -> {
            if (datagram.bytes().length == 0) {
                throw new IllegalStateException("empty");
            }
            upper(datagram);
        })) {
            Loomlet.run(() -> {
                try (UdpSocket client = UdpSocket.bind(HERE)) {
                    client.send(ByteBuffer.allocate(0), server.address());
                    client.send(ByteBuffer.wrap(bytes("on")), server.address());
                    assertThat(receive(client)).isEqualTo("ON");
                }
            });
        }
        assertThat(errors).singleElement().satisfies(each -> assertThat(each).hasMessage("empty"));
        errors.clear();
    }

    @Test
    void aWaitTimesOutIsKilledAndClosedAndTheSocketGoesOn() throws Exception {
        Loomlet.run(() -> {
            UdpSocket socket = UdpSocket.bind(HERE);
            ByteBuffer buffer = ByteBuffer.allocate(10);
            assertThatExceptionOfType(SocketTimeoutException.class)
                    .isThrownBy(() -> socket.receive(buffer, Duration.ofMillis(5)));
            Greenlet<?> killed = Loomlet.spawn(() -> {
                socket.receive(buffer);
            });
            Loomlet.yieldNow();
            killed.kill();
            socket.send(ByteBuffer.wrap(bytes("me")), socket.address());
            assertThat(receive(socket)).isEqualTo("me");
            Greenlet<?> closed = Loomlet.spawn(() -> {
                socket.receive(buffer);
            });
            Greenlet<?> second = Loomlet.spawn(() -> {
                socket.receive(buffer);
            });
            Loomlet.yieldNow();
            Loomlet.yieldNow();
            socket.close();
            Loomlet.joinAll(closed, second);
            for (Greenlet<?> each : List.of(closed, second)) {
                assertThat(each.exception().orElseThrow()).isInstanceOf(SocketException.class);
            }
            assertThatIOException()
                    .isThrownBy(() -> socket.send(buffer, new InetSocketAddress(InetAddress.getLoopbackAddress(), 9)));
        });
        errors.clear(); // of the two who waited
    }

    @Test
    void threadsOfNoHubUseItToo() throws Exception {
        try (UdpSocket socket = UdpSocket.bind(HERE)) {
            for (Thread.Builder each : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
                FutureTask<String> task = new FutureTask<>(() -> receive(socket));
                Thread thread = each.start(task);
                while (thread.getState() == Thread.State.NEW) {
                    Thread.onSpinWait();
                }
                FutureTask<Void> send = new FutureTask<>(() -> {
                    socket.send(ByteBuffer.wrap(bytes("hi")), socket.address());
                    return null;
                });
                Thread.ofPlatform().start(send).join();
                send.get();
                assertThat(task.get()).isEqualTo("hi");
                thread.join();
            }
        }
    }

    @Test
    void datagramsToAGroupReachItsMembers() throws Exception {
        InetAddress group = InetAddress.getByName("239.1.2.3");
        NetworkInterface loopback = NetworkInterface.getByInetAddress(InetAddress.getLoopbackAddress());
        assumeTrue(loopback != null);
        Loomlet.run(() -> {
            try (UdpSocket member = UdpSocket.multicast(StandardProtocolFamily.INET, 0);
                    UdpSocket sender = UdpSocket.multicast(UdpSocket.familyOf(group), 0)) {
                try {
                    member.join(group, loopback);
                } catch (IOException e) {
                    assumeTrue(false, "multicast works here: " + e);
                }
                sender.option(StandardSocketOptions.IP_MULTICAST_IF, loopback);
                sender.option(StandardSocketOptions.IP_MULTICAST_LOOP, true);
                try {
                    sender.send(ByteBuffer.wrap(bytes("all")),
                            new InetSocketAddress(group, member.address().getPort()));
                } catch (IOException e) {
                    assumeTrue(false, "multicast works here: " + e);
                }
                assertThat(receive(member)).isEqualTo("all");
            }
        });
    }

    @Test
    void aTimeLimitMayBeAnyDuration() throws Exception {
        Loomlet.run(() -> {
            try (UdpSocket socket = UdpSocket.bind(HERE)) {
                ByteBuffer buffer = ByteBuffer.allocate(10);
                for (Duration none : List.of(Duration.ZERO, Duration.ofSeconds(Long.MIN_VALUE))) {
                    assertThatExceptionOfType(SocketTimeoutException.class)
                            .isThrownBy(() -> socket.receive(buffer, none));
                }
                Greenlet<Void> sender = Loomlet.spawn(() -> socket.send(ByteBuffer.allocate(3), socket.address()));
                socket.receive(buffer, Duration.ofSeconds(Long.MAX_VALUE));
                assertThat(buffer.position()).isEqualTo(3);
                sender.join();
            }
        });
    }

    @Test
    void aNameThatWasNotResolvedIsSaid() throws Exception {
        InetSocketAddress name = InetSocketAddress.createUnresolved("no.such.host.invalid", 9);
        assertThatIOException().isThrownBy(() -> UdpSocket.bind(name)).withMessageContaining("no.such.host.invalid");
        try (UdpSocket socket = UdpSocket.bind(HERE)) {
            assertThatExceptionOfType(UnknownHostException.class)
                    .isThrownBy(() -> socket.send(ByteBuffer.allocate(1), name)).withMessage("no.such.host.invalid");
        }
    }

    @Test
    void allCallsOfAClosedOneSayThatItIsClosed() throws Exception {
        UdpSocket socket = UdpSocket.bind(HERE);
        socket.close();
        InetAddress group = InetAddress.getByName("239.1.2.3");
        NetworkInterface loopback = NetworkInterface.getByInetAddress(InetAddress.getLoopbackAddress());
        for (ThrowingCallable each : List.<ThrowingCallable>of(() -> socket.receive(ByteBuffer.allocate(1)),
                () -> socket.send(ByteBuffer.allocate(1), new InetSocketAddress(group, 9)),
                () -> socket.option(StandardSocketOptions.SO_RCVBUF),
                () -> socket.option(StandardSocketOptions.SO_RCVBUF, 9000), () -> socket.join(group, loopback))) {
            assertThatExceptionOfType(SocketException.class).isThrownBy(each).withMessage("Socket closed");
        }
    }

    @Test
    void anAddressInUseIsNamed() throws Exception {
        try (UdpSocket socket = UdpSocket.bind(HERE)) {
            String address = "127.0.0.1:" + socket.address().getPort();
            assertThatIOException().isThrownBy(() -> DatagramServer.listen(address, UdpTest::upper))
                    .withMessageContaining(address);
        }
    }
}
