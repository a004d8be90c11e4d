package dev.loomlet.attack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.net.Sockets;
import dev.loomlet.net.StreamServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A server on a hub of its own, attacked from the hub of the test, while a client asks it something again and again. What is
 * promised: the client gets every answer, each within {@link #BOUND}, and in the end all descriptors and greenlets are gone.
 *
 * <p>{@code -Dattack.seconds=600} is how long the soak takes (20 unless given), {@code -Dattack.seed} repeats the random ones.
 */
@Timeout(900)
class ServerUnderAttack {
    /** Two hubs, their clients and the collector share the machine; an answer usually takes well below a millisecond. */
    private static final Duration BOUND = Duration.ofSeconds(1);

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int SECONDS = Integer.getInteger("attack.seconds", 20);
    private static final long SEED = Long.getLong("attack.seed", System.nanoTime());

    private Hub serving;
    private StreamServer server;
    private int descriptors;

    /** Before all: a server that was not started cannot be stopped either. */
    @BeforeAll
    static void onlyWhereDescriptorsCanBeWatched() {
        assumeTrue(Sockets.fast());
    }

    @BeforeEach
    void startServer() throws Exception {
        Hub.current();
        serving = Hub.start("server");
        serving.onError((greenlet, error) -> {
            // handlers fail when their clients reset; what counts is what the others see
        });
        server = serving.spawn(() -> StreamServer.builder("127.0.0.1:0", ServerUnderAttack::echo).backlog(4096).build()
                .start()).value();
        Loomlet.run(() -> ask(1)); // all that is loaded and opened once
        descriptors = descriptors();
    }

    @AfterEach
    void stopServer() {
        try {
            server.stop(Duration.ofSeconds(5));
            assertThat(server.connections()).isZero();
        } finally {
            serving.close();
            Hub.current().close();
        }
    }

    private static void echo(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream();
        byte[] bytes = new byte[1024];
        for (int n; (n = in.read(bytes)) > 0;) {
            out.write(bytes, 0, n);
        }
    }

    private static int descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return (int) open.count();
        }
    }

    private Socket connect() throws IOException {
        return Sockets.connect(server.address(), LONG);
    }

    /** Asks so many questions on one connection; the longest time that an answer took. */
    private Duration ask(int questions) throws IOException {
        long longest = 0;
        try (Socket socket = connect()) {
            for (int i = 0; i < questions; i++) {
                longest = Math.max(longest, ask(socket, i));
            }
        }
        return Duration.ofNanos(longest);
    }

    private static long ask(Socket socket, int n) throws IOException {
        byte[] question = ("question " + n).getBytes(StandardCharsets.US_ASCII);
        long start = System.nanoTime();
        socket.getOutputStream().write(question);
        assertThat(socket.getInputStream().readNBytes(question.length)).isEqualTo(question);
        return System.nanoTime() - start;
    }

    private interface Attack {
        void run() throws Exception;
    }

    /** While the attack lasts: a client that stays, and one that comes again each time. */
    private void beside(Attack attack) throws Exception {
        Loomlet.run(() -> {
            boolean[] over = {false};
            int[] answers = {0};
            long[] longest = {0};
            Greenlet<Void> stays = Loomlet.spawn(() -> {
                try (Socket socket = connect()) {
                    while (!over[0]) {
                        longest[0] = Math.max(longest[0], ask(socket, answers[0]++));
                        Loomlet.sleep(Duration.ofMillis(1));
                    }
                }
            });
            Greenlet<Void> comesAgain = Loomlet.spawn(() -> {
                while (!over[0]) {
                    longest[0] = Math.max(longest[0], ask(1).toNanos());
                    answers[0]++;
                    Loomlet.sleep(Duration.ofMillis(5));
                }
            });
            try {
                attack.run();
            } finally {
                over[0] = true;
            }
            stays.value();
            comesAgain.value();
            assertThat(answers[0]).isGreaterThan(10);
            System.out.println(answers[0] + " answers, the slowest after " + longest[0] / 1000 + " us");
            assertThat(Duration.ofNanos(longest[0])).as("the slowest of %s answers", answers[0]).isLessThan(BOUND);
            // A reset connection is closed on the server's side when its handler has had its turn.
            long end = System.nanoTime() + LONG.toNanos();
            while (server.connections() > 0 && System.nanoTime() < end) {
                Loomlet.sleep(Duration.ofMillis(10));
            }
            assertThat(server.connections()).isZero();
            assertThat(descriptors()).as("descriptors").isLessThanOrEqualTo(descriptors + 2);
        });
    }

    private static int most(int wanted) throws IOException {
        String limits = Files.readString(Path.of("/proc/self/limits"));
        String files = limits.lines().filter(each -> each.startsWith("Max open files")).findFirst().orElseThrow();
        return Math.min(wanted, (int) (Long.parseLong(files.split(" +")[3]) - 500) / 2); // both ends are ours
    }

    @Test
    void tenThousandIdleConnectionsDelayNobody() throws Exception {
        int count = most(10_000);
        beside(() -> {
            List<Socket> idle = new ArrayList<>();
            try {
                for (int i = 0; i < count; i++) {
                    Socket socket = connect();
                    idle.add(socket);
                    if (i % 100 == 0) {
                        ask(socket, i);
                        Loomlet.yieldNow();
                    }
                }
                Loomlet.sleep(Duration.ofSeconds(1));
                for (int i = 0; i < count; i += count / 100) {
                    ask(idle.get(i), i); // they are alive
                }
            } finally {
                for (int i = 0; i < idle.size(); i++) {
                    idle.get(i).close();
                    if (i % 100 == 0) {
                        Loomlet.yieldNow();
                    }
                }
            }
        });
    }

    @Test
    void aStormOfConnectionsAndResetsDelaysNobody() throws Exception {
        beside(() -> {
            long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
            List<Greenlet<Void>> storm = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                boolean reset = i % 2 == 0;
                storm.add(Loomlet.spawn(() -> {
                    while (System.nanoTime() < end) {
                        try (Socket socket = connect()) {
                            if (reset) {
                                socket.setSoLinger(true, 0);
                                socket.getOutputStream().write(1);
                            }
                        }
                        Loomlet.yieldNow();
                    }
                }));
            }
            for (Greenlet<Void> each : storm) {
                each.value();
            }
        });
    }

    @Test
    void clientsThatNeverReadHoldUpTheirOwnConnectionsOnly() throws Exception {
        beside(() -> {
            List<Socket> sockets = new ArrayList<>();
            List<Greenlet<Void>> writers = new ArrayList<>();
            try {
                for (int i = 0; i < 50; i++) {
                    Socket socket = connect();
                    sockets.add(socket);
                    writers.add(Loomlet.spawn(() -> {
                        byte[] much = new byte[64 * 1024];
                        for (;;) {
                            socket.getOutputStream().write(much); // until the kernel's buffers are full
                        }
                    }));
                }
                Loomlet.sleep(Duration.ofSeconds(2));
                assertThat(writers).noneMatch(Greenlet::ready);
            } finally {
                Loomlet.killAll(writers);
                for (Socket each : sockets) {
                    each.close();
                }
            }
        });
    }

    @Test
    void clientsThatSendAByteNowAndThenDelayNobody() throws Exception {
        beside(() -> {
            List<Greenlet<Void>> slow = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                slow.add(Loomlet.spawn(() -> {
                    try (Socket socket = connect()) {
                        for (int n = 0; n < 30; n++) {
                            socket.getOutputStream().write(n);
                            Loomlet.sleep(Duration.ofMillis(50));
                            assertThat(socket.getInputStream().read()).isEqualTo(n);
                        }
                    }
                }));
            }
            for (Greenlet<Void> each : slow) {
                each.value();
            }
        });
    }

    @Test
    void killsOfHandlersAtRandomEndTheirConnectionsOnly() throws Exception {
        Random random = new Random(SEED);
        List<Greenlet<?>> victims = new ArrayList<>(); // on the server's hub
        StreamServer fragile = serving.spawn(() -> StreamServer.listen("127.0.0.1:0", socket -> {
            victims.add(Loomlet.current().orElseThrow());
            echo(socket);
        })).value();
        int[] cut = {0};
        int[] whole = {0};
        try {
            beside(() -> {
                long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
                Greenlet<Void> killer = serving.spawn("killer", () -> {
                    while (System.nanoTime() < end) {
                        victims.removeIf(Greenlet::ready);
                        if (!victims.isEmpty()) {
                            victims.get(random.nextInt(victims.size())).kill(new GreenletExit("at random"), false,
                                    Duration.ZERO);
                        }
                        if (random.nextInt(4) == 0) {
                            Loomlet.sleep(Duration.ofNanos(random.nextInt(2_000_000)));
                        } else {
                            Loomlet.yieldNow();
                        }
                    }
                });
                List<Greenlet<Void>> clients = new ArrayList<>();
                for (int i = 0; i < 50; i++) {
                    clients.add(Loomlet.spawn(() -> {
                        byte[] sent = new byte[2000];
                        Arrays.fill(sent, (byte) 7);
                        while (System.nanoTime() < end) {
                            try (Socket socket = Sockets.connect(fragile.address(), LONG)) {
                                socket.getOutputStream().write(sent);
                                byte[] got = socket.getInputStream().readNBytes(sent.length);
                                for (byte each : got) {
                                    assertThat(each).isEqualTo((byte) 7);
                                }
                                if (got.length == sent.length) {
                                    whole[0]++;
                                } else {
                                    cut[0]++;
                                }
                            } catch (IOException e) {
                                cut[0]++; // closed with something unread: reset
                            }
                        }
                    }));
                }
                killer.value();
                for (Greenlet<Void> each : clients) {
                    each.value();
                }
            });
        } finally {
            fragile.stop(Duration.ofSeconds(5));
        }
        System.out.println(whole[0] + " answered, " + cut[0] + " cut off by a kill, seed " + SEED);
        assertThat(whole[0]).as("seed %s", SEED).isPositive();
        assertThat(cut[0]).as("seed %s", SEED).isPositive();
    }

    @Test
    void memoryAndDescriptorsStayFlat() throws Exception {
        beside(() -> {
            long[] first = {0, 0};
            long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
            int rounds = 0;
            while (System.nanoTime() < end) {
                List<Greenlet<Duration>> clients = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    clients.add(Loomlet.spawn(() -> ask(20)));
                }
                for (Greenlet<Duration> each : clients) {
                    each.value();
                }
                if (++rounds % 50 == 0 || rounds == 10) {
                    System.gc();
                    long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
                    int open = descriptors();
                    if (rounds == 10) {
                        first[0] = heap;
                        first[1] = open;
                    } else {
                        assertThat(heap).as("heap after %s rounds", rounds).isLessThan(first[0] + 20_000_000);
                        assertThat((long) open).as("descriptors after %s rounds", rounds).isLessThan(first[1] + 220);
                    }
                }
            }
            System.out.println(rounds + " rounds of 100 connections in " + SECONDS + " s");
            assertThat(rounds).isGreaterThan(10);
        });
    }

    @Test
    void connectionsToAServerThatStopsAreServedOrRefusedButNeverLeftHanging() throws Exception {
        int port = server.port();
        Loomlet.run(() -> {
            List<Greenlet<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                clients.add(Loomlet.spawn(() -> {
                    for (;;) {
                        try (Socket socket = Sockets.connect(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), LONG)) {
                            socket.setSoTimeout((int) LONG.toMillis());
                            socket.getOutputStream().write(1);
                            if (socket.getInputStream().read() < 0) {
                                return;
                            }
                        } catch (java.net.SocketTimeoutException e) {
                            throw new AssertionError("left hanging", e);
                        } catch (IOException e) {
                            return; // refused, or reset
                        }
                    }
                }));
            }
            Loomlet.sleep(Duration.ofMillis(300));
            server.stop(Duration.ofMillis(100));
            for (Greenlet<Void> each : clients) {
                each.value();
            }
        });
    }
}
