package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Loomlet;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Consumers that hold monitors, which would take the VM down if nothing were done, and bodies that do.
 *
 * <p>Most repeat each step often enough that the VM would die within the test: after 1,000 steps at the latest.
 */
@ExtendWith(EndLeftovers.class)
class MonitorTest {
    private static final int OFTEN = 20_000;

    private final Object lock = new Object();
    private final Object other = new Object();

    private static Generator<Integer> count() {
        return Generator.of(out -> {
            for (int n = 0;; n++) {
                out.yield(n);
            }
        });
    }

    private synchronized int synchronizedNext(Generator<Integer> generator) {
        return generator.next();
    }

    @Test
    void aSynchronizedMethodMayAskAGenerator() {
        Generator<Integer> generator = count();
        for (int i = 0; i < OFTEN; i++) {
            assertThat(synchronizedNext(generator)).isEqualTo(i);
        }
    }

    @Test
    void oneMonitorMayBeHeldAndAnotherLeftBetweenSteps() {
        Generator<Integer> generator = count();
        int sum = 0;
        for (int i = 0; i < OFTEN; i++) {
            synchronized (lock) {
                sum += generator.next();
                synchronized (other) {
                    synchronized (lock) {
                        sum += generator.next();
                    }
                }
                assertThat(Thread.holdsLock(lock)).isTrue();
                assertThat(Thread.holdsLock(other)).isFalse();
            }
            assertThat(Thread.holdsLock(lock)).isFalse();
            sum += generator.next();
        }
        int steps = 3 * OFTEN;
        assertThat(sum).isEqualTo((int) ((long) steps * (steps - 1) / 2));
    }

    @Test
    void anInflatedMonitorMayBeHeld() throws InterruptedException {
        var waiting = new CountDownLatch(1);
        var stop = new boolean[1];
        Thread waiter = Thread.ofPlatform().start(() -> {
            synchronized (lock) {
                waiting.countDown();
                while (!stop[0]) {
                    try {
                        lock.wait();
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            }
        });
        waiting.await();
        Generator<Integer> generator = count();
        for (int i = 0; i < OFTEN; i++) {
            synchronized (lock) {
                assertThat(generator.next()).isEqualTo(i);
            }
        }
        synchronized (lock) {
            stop[0] = true;
            lock.notifyAll();
        }
        waiter.join();
    }

    @Test
    void moreMonitorsThanTheVmKeepsOnItsStackMayBeHeld() {
        Generator<Integer> generator = count();
        var locks = new ArrayList<Object>();
        for (int i = 0; i < 20; i++) {
            locks.add(new Object());
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(nextUnderAll(generator, locks, 0)).isEqualTo(i);
        }
    }

    private static int nextUnderAll(Generator<Integer> generator, List<Object> locks, int from) {
        if (from == locks.size()) {
            return generator.next();
        }
        synchronized (locks.get(from)) {
            return nextUnderAll(generator, locks, from + 1);
        }
    }

    @Test
    void forEachOfASynchronizedCollectionMayAsk() {
        Generator<Integer> generator = count();
        var list = Collections.synchronizedList(new ArrayList<>(Collections.nCopies(100, 0)));
        var seen = new ArrayList<Integer>();
        for (int i = 0; i < 100; i++) {
            list.forEach(_ -> seen.add(generator.next()));
        }
        assertThat(seen).hasSize(10_000).isSorted();
    }

    @Test
    void aCoroutineMayBeSwitchedToUnderAMonitor() {
        var child = Coroutine.of((Integer first) -> {
            for (int n = first;; n++) {
                Coroutine.main().switchTo(n);
            }
        });
        for (int i = 0; i < OFTEN; i++) {
            synchronized (lock) {
                assertThat(child.<Integer>switchTo(0)).isEqualTo(i);
            }
        }
    }

    @Test
    void aGeneratorMayAskAnotherInsideItsOwnSynchronizedBlock() {
        Generator<Integer> outer = Generator.of(out -> {
            Generator<Integer> inner = count();
            while (true) {
                int sum = 0;
                synchronized (lock) {
                    sum += inner.next();
                    sum += inner.next();
                }
                out.yield(sum);
            }
        });
        for (int i = 0; i < OFTEN; i++) {
            synchronized (other) {
                assertThat(outer.next()).isEqualTo(4 * i + 1);
            }
        }
    }

    @Test
    void aBodyMayEnterTheMonitorsOfItsConsumer() {
        assumeTrue(Suspendable.NATIVE); // the portable body is another thread: docs/differences.md
        Generator<Integer> generator = Generator.of(out -> {
            for (int n = 0;; n++) {
                int value;
                synchronized (lock) {
                    value = n;
                }
                out.yield(value);
            }
        });
        for (int i = 0; i < OFTEN; i++) {
            synchronized (lock) {
                assertThat(generator.next()).isEqualTo(i);
            }
        }
    }

    @Test
    void yieldingInsideASynchronizedBlockIsRefusedAndNamesTheFrame() {
        Generator<Integer> generator = Generator.of(out -> {
            assertThatThrownBy(() -> yieldUnderMonitor(out)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("holds the monitor of a java.lang.Object")
                    .hasMessageContaining("yieldUnderMonitor");
            out.yield(1);
            yieldUnderMonitor(out);
        });
        assertThat(generator.next()).isEqualTo(1);
        assertThatThrownBy(generator::next).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("yieldUnderMonitor");
        assertThat(generator.hasNext()).isFalse();
    }

    private void yieldUnderMonitor(Generator.Out<Integer> out) {
        synchronized (lock) {
            out.yield(-1);
        }
    }

    @Test
    void yieldingInsideAnInflatedMonitorIsRefusedToo() throws Exception {
        Generator<Integer> generator = Generator.of(out -> {
            synchronized (lock) {
                for (int waits = 0; waits == 0; waits++) {
                    lock.wait(1); // waiting inflates
                }
                out.yield(-1);
            }
        });
        assertThatThrownBy(generator::next).isInstanceOf(IllegalStateException.class).hasMessageContaining("monitor");
        var done = new CountDownLatch(1);
        Thread.ofPlatform().start(() -> {
            synchronized (lock) {
                done.countDown();
            }
        }).join();
        assertThat(done.getCount()).isZero();
    }

    @Test
    void switchingAwayInsideASynchronizedBlockIsRefused() {
        var child = Coroutine.returning(() -> {
            synchronized (lock) {
                assertThatThrownBy(() -> Coroutine.main().switchTo("never arrives"))
                        .isInstanceOf(IllegalStateException.class).hasMessageContaining("MonitorTest");
            }
            return Coroutine.main().switchTo("after");
        });
        assertThat(child.<String>switchTo()).isEqualTo("after");
        assertThat(child.<String>switchTo("end")).isEqualTo("end");
    }

    @Test
    void aGreenletThatHoldsAMonitorMayIterateAGeneratorThatParks() throws Exception {
        Generator<Integer> generator = Generator.of(out -> {
            for (int n = 0;; n++) {
                LockSupport.parkNanos(1000);
                out.yield(n);
            }
        });
        var greenlet = Loomlet.spawn(() -> {
            for (int i = 0; i < 2000; i++) {
                synchronized (lock) {
                    assertThat(generator.next()).isEqualTo(i);
                }
            }
            return "done";
        });
        var second = Loomlet.spawn(() -> {
            for (int i = 0; i < 200; i++) {
                synchronized (lock) {
                    Thread.sleep(0, 1000);
                }
            }
            return "done";
        });
        assertThat(greenlet.get()).isEqualTo("done");
        assertThat(second.get()).isEqualTo("done");
    }
}
