package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static java.time.Duration.ofMillis;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.loomlet.inspect.RunReport;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.RLock;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Greenlets that wait for one another in locks of the JDK's. */
class DeadlockTest {
    private final ReentrantLock left = new ReentrantLock();
    private final ReentrantLock right = new ReentrantLock();

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static Greenlet<Void> both(String name, ReentrantLock first, ReentrantLock second) {
        return spawn(name, () -> {
            first.lock();
            try {
                yieldNow();
                second.lockInterruptibly();
                second.unlock();
            } finally {
                first.unlock();
            }
        });
    }

    @Test
    void ofLocksThrowsLoopExitThatNamesTheCircle() {
        var one = both("one", left, right);
        var two = both("two", right, left);
        LoopExit exit = catchThrowableOfType(LoopExit.class, () -> joinAll(one, two));
        assertThat(exit).hasMessageContaining("in a circle")
                .hasMessageContaining("one waits for a java.util.concurrent.locks.ReentrantLock@")
                .hasMessageContaining("held by two").hasMessageContaining("held by one")
                .hasMessageContaining("DeadlockTest.both");
    }

    /** On a thread that is the JDK's own, and nobody's who could be known to call in. */
    private static void soon(Runnable task) throws IOException {
        new ProcessBuilder("sleep", "0.3").start().onExit().thenRun(task);
    }

    @Test
    void isNotSeenWhereSomebodyElseMayEndTheWait() throws IOException {
        var done = new CountDownLatch(1);
        Greenlet<Void> waiting = spawn(() -> done.await());
        soon(done::countDown);
        waiting.join();
        assertThat(waiting.successful()).isTrue();
    }

    @Test
    void isNotSeenWhileTheOwnerOfTheLockMayGoOn() throws IOException {
        BlockingQueue<Integer> queue = new LinkedBlockingQueue<>();
        Greenlet<Integer> owner = spawn(() -> {
            left.lock();
            try {
                return queue.take();
            } finally {
                left.unlock();
            }
        });
        Greenlet<Void> waiting = both("waiting", left, right);
        soon(() -> queue.add(7));
        joinAll(owner, waiting);
        assertThat(owner.value()).isEqualTo(7);
        assertThat(waiting.successful()).isTrue();
    }

    @Test
    void isLoggedOnceInAProgramThatGoesOn() throws Exception {
        BlockingQueue<String> log = new LinkedBlockingQueue<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                if (record.getMessage().contains("circle")) {
                    log.add(record.getMessage());
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("dev.loomlet.stall");
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try (Hub hub = Hub.start("busy")) {
            Greenlet<Void> working = hub.spawn(() -> {
                while (true) {
                    sleep(ofMillis(10));
                }
            });
            List<Greenlet<Void>> greenlets =
                    hub.spawn(() -> List.of(both("one", left, right), both("two", right, left)))
                            .value();
            assertThat(log.poll(30, SECONDS)).startsWith("these wait for one another in a circle")
                    .contains("one (spawned at dev.loomlet.DeadlockTest.both", "held by two", "held by one");
            assertThat(RunReport.of(hub)).contains("These wait for one another in a circle:");
            long turns = hub.switches();
            while (hub.switches() < turns + 300) { // three more looks
                Thread.onSpinWait();
                Thread.sleep(10);
            }
            assertThat(log).isEmpty();
            greenlets.forEach(Greenlet::kill);
            working.kill();
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
    }

    /** Monitors cannot be left by a kill, so these are programs of their own. */
    static final class Monitors {
        static void both(Object first, Object second, Event other, Event mine) {
            synchronized (first) {
                mine.set();
                other.await();
                synchronized (second) {
                    System.out.println("never");
                }
            }
        }

        public static void main(String... args) {
            Object left = new Object();
            Object right = new Object();
            var ones = new Event();
            var twos = new Event();
            var one = spawn("one", () -> both(left, right, twos, ones));
            var two = spawn("two", () -> both(right, left, ones, twos));
            try {
                joinAll(one, two);
            } catch (LoopExit e) {
                System.out.println(e.getMessage());
            }
            System.exit(0);
        }
    }

    static final class MonitorAndLock {
        public static void main(String... args) {
            Object monitor = new Object();
            var lock = new RLock();
            var one = spawn("one", () -> {
                synchronized (monitor) {
                    yieldNow();
                    lock.lock();
                }
            });
            var two = spawn("two", () -> {
                lock.lock();
                synchronized (monitor) {
                    System.out.println("never");
                }
            });
            try {
                joinAll(one, two);
            } catch (LoopExit e) {
                System.out.println(e.getMessage());
            }
            System.exit(0);
        }
    }

    private static String output(Class<?> main) throws Exception {
        return FirstUseTest.Jvm.run(60, List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED"), main);
    }

    @Test
    void ofMonitorsThrowsLoopExitThatNamesTheCircle() throws Exception {
        assertThat(output(Monitors.class)).contains("in a circle")
                .contains("one waits for the monitor of a java.lang.Object@", ", held by two")
                .contains("two waits for the monitor of a java.lang.Object@", ", held by one")
                .doesNotContain("never");
    }

    @Test
    void ofAMonitorAndALockOfOursIsOneCircle() throws Exception {
        assertThat(output(MonitorAndLock.class)).contains("in a circle")
                .contains("one waits for RLock held by two")
                .contains("two waits for the monitor of a java.lang.Object@", ", held by one")
                .doesNotContain("never");
    }
}
