package dev.loomlet;

import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.internal.loop.Waiter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** gevent's {@code LoopExit}: when nothing can ever end the wait of the main thread, and only then. */
class LoopExitTest extends OnHub {

    /** A wait that nobody ends. */
    private static void forEver(String reason) {
        try {
            new Waiter(reason).await(-1);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void isThrownWithAReportOfWhoWaitsForWhat() {
        Greenlet<Void> g = spawn("philosopher", () -> forEver("the other fork"));

        assertThatThrownBy(g::join).isInstanceOf(LoopExit.class)
                .hasMessageContaining("philosopher")
                .hasMessageContaining("the other fork")
                .hasMessageContaining("LoopExitTest.java")
                .hasMessageContaining("ms");
    }

    @Test
    void leavesTheHubUnharmed() {
        Greenlet<Void> g = spawn(() -> forEver("nothing"));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(g::join).isInstanceOf(LoopExit.class);
            assertThat(spawn(() -> 3).value()).isEqualTo(3);
            sleep(millis(1));
        }
        assertThat(g.isAlive()).isTrue();
        g.kill();
        assertThat(g.exit()).isPresent();
    }

    @Test
    void isThrownForACircleOfJoins() {
        Greenlet<?>[] pair = new Greenlet<?>[2];
        pair[0] = spawn(() -> pair[1].join());
        pair[1] = spawn(() -> pair[0].join());
        assertThatThrownBy(pair[0]::join).isInstanceOf(LoopExit.class);
        Loomlet.killAll(java.util.List.of(pair));
    }

    @Test
    void isNotThrownWhileATimerIsArmed() {
        Greenlet<Void> g = spawn(() -> forEver("a kill"));
        Loomlet.spawnLater(millis(200), () -> g.kill());
        g.join();
        assertThat(g.exit()).isPresent();
    }

    @Test
    void isNotThrownWhileATimedWaitOfTheJdkLasts() {
        Greenlet<Integer> g = spawn(() -> {
            Thread.sleep(200);
            return 1;
        });
        assertThat(g.value()).isEqualTo(1);
    }

    @Test
    void isNotThrownWhileAForeignThreadLivesButSoonAfter() throws InterruptedException {
        Greenlet<Void> g = spawn(() -> forEver("a kill"));
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(300);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            g.kill();
        });
        g.join();
        thread.join();
        Greenlet<Void> other = spawn(() -> forEver("nobody"));
        Thread quiet = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        assertThatThrownBy(other::join).isInstanceOf(LoopExit.class);
        assertThat(quiet.isAlive()).isFalse();
    }

    @Test
    void isNotThrownWhileAStockVirtualThreadLives() throws InterruptedException {
        Greenlet<Void> g = spawn(() -> forEver("a kill"));
        AtomicBoolean killed = new AtomicBoolean();
        Thread thread = Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(400);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            killed.set(true);
            g.kill();
        });
        g.join();
        assertThat(killed).isTrue();
        thread.join();
    }

    @Test
    void isNotThrownWhileAnotherHubLives() {
        try (Hub other = Hub.start("other")) {
            Greenlet<Void> g = spawn(() -> forEver("a kill"));
            other.spawnLater(millis(300), () -> g.kill());
            g.join();
            assertThat(g.exit()).isPresent();
        }
    }

    @Test
    void isNotThrownWhileASocketIsWatched() throws IOException, InterruptedException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket socket = server.accept()) {
            Greenlet<Integer> g = spawn(() -> socket.getInputStream().read());

            yieldNow();
            assertThat(g.join(millis(200))).isFalse();
            client.getOutputStream().write(7);
            assertThat(g.value()).isEqualTo(7);

        }
    }

    @Test
    void isNotThrownWhileSomethingOutsideIsPromised() {
        Greenlet<Void> g = spawn(() -> forEver("a job"));
        Hub hub = Hub.current();
        hub.loop().promise();
        Loomlet.spawnLater(millis(5), () -> {});
        assertThat(g.join(millis(150))).isFalse();
        hub.loop().promiseKept();
        assertThatThrownBy(g::join).isInstanceOf(LoopExit.class);
    }

    @Test
    void isNotThrownInAHubWithAThreadOfItsOwn() {
        try (Hub other = Hub.start("other")) {
            Greenlet<Void> g = other.spawn(() -> forEver("a kill"));
            assertThat(g.join(millis(200))).isFalse();
            g.kill();
            assertThat(g.exit()).isPresent();
        }
    }

    @Test
    void isNotHeldUpByASpawnLaterThatWasStartedEarly() {
        Greenlet<Void> early = Loomlet.spawnLater(LONG, () -> {});
        early.start();
        early.join();
        Greenlet<Void> g = spawn(() -> forEver("nobody"));
        assertThatThrownBy(g::join).isInstanceOf(LoopExit.class);
    }

    /** The common pool's only worker is made by a thread of the JDK's group, and then has work that wakes the hub. */
    static final class PoolOfTheSystem {
        public static void main(String... args) throws Exception {
            ThreadGroup root = Thread.currentThread().getThreadGroup().getParent();
            Thread first = new Thread(root, () -> ForkJoinPool.commonPool().submit(() -> {}).join());
            first.start();
            first.join();
            Hub.current();
            var waiter = new Waiter("the pool");
            ForkJoinPool.commonPool().execute(() -> {
                LockSupport.parkNanos(500_000_000); // longer than it takes the hub to be suspicious
                waiter.resume("came");
            });
            waiter.await(-1);
            System.out.println(waiter.value());
        }
    }

    @Test
    void isNotThrownWhileAWorkerOfTheCommonPoolHasWorkWhoeverMadeIt() throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED",
                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=1",
                "-cp", System.getProperty("java.class.path"), PoolOfTheSystem.class.getName())
                .redirectErrorStream(true).start();
        try (var out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("came");
            assertThat(process.waitFor()).isZero();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
