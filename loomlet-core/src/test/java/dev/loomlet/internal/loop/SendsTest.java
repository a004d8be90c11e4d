package dev.loomlet.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.Ring;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.net.Sockets;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sends of many greenlets in one system call: what one who writes sees of it, which is nothing. */
@Timeout(60)
class SendsTest {
    private Hub hub;
    private final List<Sockets.Pair> pairs = new ArrayList<>();
    private boolean over;

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> {
            // the tests look at the greenlets
        });
        assumeTrue(Sockets.fast(), "descriptors can be watched here");
        var ring = Ring.open();
        assumeTrue(ring.isPresent(), "there is io_uring here");
        ring.get().close();
    }

    @AfterEach
    void closeHub() throws IOException {
        over = true;
        for (Sockets.Pair each : pairs) {
            each.close();
        }
        hub.close();
    }

    /** In a greenlet of a hub that is so busy that sends go together, and stays it. */
    private void busily(Callable<?> body) throws Exception {
        Loomlet.run(() -> {
            for (int i = 0; i < 6; i++) {
                Loomlet.spawn(() -> {
                    while (!over) {
                        Loomlet.yieldNow();
                    }
                });
            }
            Sockets.Pair pair = pair();
            byte[] one = {1};
            while (sends().sends() == 0) { // the ring is made in the background once there is need for it
                pair.first().getOutputStream().write(one);
                pair.second().getInputStream().readNBytes(1);
            }
            try {
                return body.call();
            } finally {
                over = true;
            }
        });
    }

    private static Loop loop() {
        return Objects.requireNonNull(Loop.here());
    }

    private static Sends sends() {
        return loop().sends();
    }

    private Sockets.Pair pair() throws IOException {
        Sockets.Pair pair = Sockets.pair();
        pairs.add(pair);
        return pair;
    }

    private static boolean sending(Greenlet<?> greenlet) {
        return loop().fibers().stream().filter(each -> each.owner() == greenlet).map(Fiber::waiting)
                .anyMatch(each -> each != null && each.toString().startsWith("writing to 127.0.0.1"));
    }

    /** A greenlet that writes, as soon as it waits for its send. */
    private static <T> Greenlet<T> sender(Callable<T> body) {
        Greenlet<T> sender = Loomlet.spawn(body);
        do {
            Loomlet.yieldNow();
        } while (!sending(sender) && !sender.ready());
        assertThat(sender.ready()).as("ended without waiting").isFalse();
        return sender;
    }

    @Test
    void whatManySendAtOnceGoesTogetherAndArrivesWhole() throws Exception {
        long seed = new Random().nextLong();
        busily(() -> {
            Random random = new Random(seed);
            long sendsBefore = sends().sends();
            long flushesBefore = sends().flushes();
            List<Greenlet<?>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                byte[] bytes = new byte[20_000];
                random.nextBytes(bytes);
                long cuts = random.nextLong();
                Sockets.Pair pair = pair();
                all.add(Loomlet.spawn(() -> {
                    OutputStream out = pair.first().getOutputStream();
                    Random cut = new Random(cuts);
                    for (int at = 0; at < bytes.length;) {
                        int n = Math.min(bytes.length - at, 1 + cut.nextInt(Ring.MOST + 1000));
                        out.write(bytes, at, n);
                        at += n;
                    }
                    pair.first().shutdownOutput();
                    return null;
                }));
                all.add(Loomlet.spawn(() -> {
                    assertThat(pair.second().getInputStream().readAllBytes()).as("seed %s", seed).isEqualTo(bytes);
                    return null;
                }));
            }
            for (Greenlet<?> each : all) {
                each.get();
            }
            long sends = sends().sends() - sendsBefore;
            assertThat(sends).isGreaterThan(500);
            assertThat(sends().flushes() - flushesBefore).isLessThan(sends);
            return null;
        });
    }

    @Test
    void whoOnlySendsKeepsNobodyWaiting() throws Exception {
        busily(() -> {
            int writers = Ring.ENTRIES + 16;
            int each = 500;
            List<Greenlet<?>> all = new ArrayList<>();
            for (int i = 0; i < writers; i++) {
                Sockets.Pair pair = pair();
                all.add(Loomlet.spawn(() -> {
                    for (int n = 0; n < each; n++) {
                        pair.first().getOutputStream().write(n);
                    }
                    return null;
                }));
            }
            int turns = 0;
            while (!all.getFirst().ready()) {
                Loomlet.yieldNow();
                turns++;
            }
            assertThat(turns).as("turns while one wrote %s times", each).isGreaterThan(each / 4);
            for (Greenlet<?> one : all) {
                one.get();
            }
            return null;
        });
    }

    @Test
    void aWriteReturnsOnlyWhenTheKernelHasTheBytes() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            Greenlet<Integer> sender = sender(() -> {
                pair.first().getOutputStream().write(new byte[10]);
                return pair.second().getInputStream().available();
            });
            assertThat(sender.get()).isEqualTo(10);
            return null;
        });
    }

    /** The hub's own thread may want the monitor, and could not wait for it without holding up the loop. */
    @Test
    void whoHoldsAMonitorSendsAtOnce() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            var monitor = new Object();
            long before = sends().sends();
            Greenlet<Void> writer = Loomlet.spawn(() -> {
                for (int i = 0; i < 50; i++) { // after 64 that did not wait, it would give way for the others' sake
                    synchronized (monitor) {
                        pair.first().getOutputStream().write(i);
                    }
                }
                return null;
            });
            Loomlet.yieldNow();
            assertThat(writer.ready()).as("all was written in one turn").isTrue();
            assertThat(sends().sends()).isEqualTo(before);
            assertThat(pair.second().getInputStream().readNBytes(50)).hasSize(50);
            return null;
        });
    }

    @Test
    void aKillDuringASendIsForTheNextWait() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            boolean[] written = {false};
            Greenlet<Void> sender = sender(() -> {
                pair.first().getOutputStream().write(new byte[] {1, 2, 3});
                written[0] = true;
                Loomlet.sleep(Duration.ofMinutes(1));
                return null;
            });
            sender.kill();
            assertThat(written[0]).isTrue();
            assertThat(sender.exit()).isPresent();
            assertThat(pair.second().getInputStream().readNBytes(3)).containsExactly(1, 2, 3);
            return null;
        });
    }

    @Test
    void anInterruptDuringASendStaysPending() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            Greenlet<Boolean> sender = sender(() -> {
                pair.first().getOutputStream().write(7);
                return Thread.interrupted();
            });
            sender.thread().interrupt();
            assertThat(sender.get()).isTrue();
            assertThat(pair.second().getInputStream().read()).isEqualTo(7);
            return null;
        });
    }

    @Test
    void aPeerThatIsGoneIsTold() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            pair.second().setSoLinger(true, 0);
            pair.second().close();
            OutputStream out = pair.first().getOutputStream();
            assertThatThrownBy(() -> {
                for (int i = 0; i < 100; i++) {
                    out.write(1);
                }
            }).isInstanceOf(SocketException.class).message().isIn("Broken pipe", "Connection reset by peer");
            return null;
        });
    }

    @Test
    void whoFindsNoRoomWaitsForIt() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            byte[] bytes = new byte[16_000_000];
            new Random(1).nextBytes(bytes);
            Greenlet<?> writer = Loomlet.spawn(() -> {
                OutputStream out = pair.first().getOutputStream();
                for (int at = 0; at < bytes.length; at += 4000) {
                    out.write(bytes, at, 4000);
                }
                pair.first().shutdownOutput();
                return null;
            });
            InputStream in = pair.second().getInputStream();
            while (!fullOrDone(writer)) {
                Loomlet.yieldNow();
            }
            assertThat(writer.ready()).as("there was room for all: nothing was tested").isFalse();
            assertThat(in.readAllBytes()).isEqualTo(bytes);
            writer.get();
            return null;
        });
    }

    /** Whether it waits in earnest: for a send it does not wait longer than the others' turn. */
    private static boolean fullOrDone(Greenlet<?> writer) {
        for (int i = 0; i < 5; i++) {
            if (writer.ready()) {
                return true;
            }
            long before = sends().sends();
            Loomlet.yieldNow();
            if (!sending(writer) || sends().sends() != before) {
                return false;
            }
        }
        return true;
    }

    @Test
    void whoClosesTheSocketDuringASendIsHeardByThePeerAndTheDescriptorIsFreedAfterIt() throws Exception {
        busily(() -> {
            Sockets.Pair pair = pair();
            Socket socket = pair.first();
            Greenlet<String> sender = sender(() -> {
                try {
                    socket.getOutputStream().write(1);
                    return "sent";
                } catch (SocketException e) {
                    return e.getMessage();
                }
            });
            socket.close();
            assertThat(sender.get()).isIn("sent", "Socket closed", "Broken pipe");
            assertThat(pair.second().getInputStream().readAllBytes().length).isLessThan(2);
            return null;
        });
    }

    @Test
    void whereTheKernelRefusesAllGoesOnWithoutIt() throws Exception {
        busily(() -> {
            redirectRings();
            List<Greenlet<?>> all = new ArrayList<>();
            for (int i = 0; i < 80; i++) {
                Sockets.Pair pair = pair();
                byte b = (byte) i;
                all.add(Loomlet.spawn(() -> {
                    pair.first().getOutputStream().write(b);
                    assertThat(pair.second().getInputStream().read()).isEqualTo(b);
                    return null;
                }));
            }
            for (Greenlet<?> each : all) {
                each.get();
            }
            return null;
        });
    }

    /** Makes the numbers of all rings of this process those of the null device, at which io_uring's call fails. */
    @SuppressWarnings("restricted")
    private static void redirectRings() throws Exception {
        var dup2 = Linker.nativeLinker().downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow("dup2"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        int redirected = 0;
        try (var nothing = new FileInputStream("/dev/null");
                var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path each : descriptors) {
                if (Files.isSymbolicLink(each) && Files.readSymbolicLink(each).toString().contains("io_uring")) {
                    int number = Integer.parseInt(each.getFileName().toString());
                    assertThat(call(dup2, SocketNatives.value(nothing.getFD()), number)).isEqualTo(number);
                    redirected++;
                }
            }
        }
        assertThat(redirected).isPositive();
    }

    private static int call(MethodHandle function, int a, int b) {
        try {
            return (int) function.invokeExact(a, b);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
