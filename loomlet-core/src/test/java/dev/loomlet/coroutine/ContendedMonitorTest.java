package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Bodies inside greenlets that have to wait for a monitor: the whole greenlet gives way, and the hub goes on. If it did not, the
 * owner, another greenlet of the hub, would never leave the monitor.
 */
@ExtendWith(EndLeftovers.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ContendedMonitorTest {
    private final Object lock = new Object();
    private final List<Object> seen = new ArrayList<>();
    private boolean told;

    /** A greenlet that owns {@link #lock} when this returns, and leaves it after two turns of everybody else. */
    private Greenlet<?> owner() {
        var owner = Loomlet.spawn(() -> {
            synchronized (lock) {
                Loomlet.sleep(Duration.ofMillis(2));
                Loomlet.sleep(Duration.ofMillis(2));
                seen.add("owner leaves");
            }
        });
        Loomlet.sleep(Duration.ZERO);
        return owner;
    }

    /** The one value of {@code generator}, whose body has ended then. */
    private static <T> T only(Generator<T> generator) {
        T value = generator.next();
        assertThat(generator.hasNext()).isFalse();
        return value;
    }

    @Test
    void aGeneratorsBodyWaitsForAMonitorThatAGreenletOfItsHubOwns() throws Exception {
        var owner = owner();
        Generator<String> generator = Generator.of(out -> {
            synchronized (lock) {
                seen.add("entered");
            }
            out.yield("after");
        });
        assertThat(Loomlet.spawn(() -> only(generator)).get()).isEqualTo("after");
        assertThat(seen).containsExactly("owner leaves", "entered");
        owner.join();
    }

    @Test
    void aCoroutinesBodyDoes() throws Exception {
        var owner = owner();
        var greenlet = Loomlet.spawn(() -> {
            Coroutine<Object> main = Coroutine.main();
            var child = Coroutine.of((Integer x) -> {
                synchronized (lock) {
                    seen.add("entered");
                }
                int y = main.<Integer>switchTo(x + 1);
                synchronized (lock) {
                    seen.add("again");
                }
                main.switchTo(y + 1);
            });
            int first = child.<Integer>switchTo(1);
            var again = owner();
            int second = child.<Integer>switchTo(10);
            again.join();
            child.throwInto();
            return first + second;
        });
        assertThat(greenlet.get()).isEqualTo(13);
        assertThat(seen).containsExactly("owner leaves", "entered", "owner leaves", "again");
        owner.join();
    }

    @Test
    void atAnyDepthOfBodiesWithMonitorsOfTheirOwnHeldAllTheWay() throws Exception {
        var owner = owner();
        var outside = new Object();
        var greenlet = Loomlet.spawn(() -> {
            synchronized (outside) {
                int got = only(nested(4, new Object()));
                assertThat(Thread.holdsLock(outside)).isTrue();
                return got;
            }
        });
        assertThat(greenlet.get()).isEqualTo(4);
        assertThat(seen).containsExactly("owner leaves", "entered");
        assertThat(Thread.holdsLock(outside)).isFalse();
        owner.join();
    }

    private Generator<Integer> nested(int levels, Object own) {
        return Generator.of(out -> {
            int got;
            synchronized (own) {
                if (levels == 0) {
                    synchronized (lock) {
                        seen.add("entered");
                    }
                    got = 0;
                } else {
                    got = only(nested(levels - 1, new Object())) + 1;
                }
                assertThat(Thread.holdsLock(own)).isTrue();
            }
            assertThat(Thread.holdsLock(own)).isFalse();
            out.yield(got);
        });
    }

    @Test
    void aBodyMayWaitUntilItIsNotified() throws Exception {
        Generator<String> generator = Generator.of(out -> {
            synchronized (lock) {
                while (!told) {
                    seen.add("waits");
                    lock.wait();
                }
            }
            out.yield("told");
        });
        var consumer = Loomlet.spawn(() -> only(generator));
        var teller = Loomlet.spawn(() -> {
            while (seen.isEmpty()) {
                Loomlet.sleep(Duration.ZERO);
            }
            synchronized (lock) {
                told = true;
                lock.notifyAll();
                Loomlet.sleep(Duration.ofMillis(1));
                seen.add("teller leaves");
            }
        });
        assertThat(consumer.get()).isEqualTo("told");
        assertThat(seen).containsExactly("waits", "teller leaves");
        teller.join();
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // it is to end by itself
    void aTimedWaitInABodyEndsAndTheHubGoesOnMeanwhile() throws Exception {
        Generator<Boolean> generator = Generator.of(out -> {
            long start = System.nanoTime();
            synchronized (lock) {
                lock.wait(20);
            }
            out.yield(System.nanoTime() - start >= 20_000_000);
        });
        var consumer = Loomlet.spawn(() -> only(generator));
        var ticker = Loomlet.spawn(() -> {
            int ticks = 0;
            for (; !consumer.isDone(); ticks++) {
                Loomlet.sleep(Duration.ofMillis(1));
            }
            return ticks;
        });
        assertThat(consumer.get()).isTrue();
        assertThat(ticker.get()).isGreaterThan(3);
    }

    @Test
    void killingTheGreenletEndsTheWaitInItsBody() {
        Generator<Integer> generator = Generator.of(out -> {
            synchronized (lock) {
                try {
                    while (!told) {
                        seen.add("waits");
                        lock.wait();
                    }
                } finally {
                    seen.add("finally, owned: " + Thread.holdsLock(lock));
                }
            }
            out.yield(1);
        });
        var consumer = Loomlet.spawn(() -> only(generator));
        while (seen.isEmpty()) {
            Loomlet.sleep(Duration.ZERO);
        }
        consumer.kill();
        assertThat(consumer.isDone()).isTrue();
        assertThat(seen).containsExactly("waits", "finally, owned: true");
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // any length will do
    void bodiesOfSeveralHubsAndThreadsKeepEachOtherOut() throws Exception {
        var inside = new AtomicInteger();
        var entered = new int[1];
        var failure = new Throwable[1];
        int each = 200;
        Runnable program = () -> {
            Generator<Integer> generator = Generator.of(out -> {
                for (int i = 0;; i++) {
                    synchronized (lock) {
                        assertThat(inside.incrementAndGet()).isEqualTo(1);
                        entered[0]++;
                        if (i % 8 == 0) {
                            Thread.sleep(0, 20_000);
                        } else if (i % 8 == 4) {
                            Thread.yield();
                        }
                        if (i % 16 == 9) {
                            inside.decrementAndGet();
                            lock.wait(1);
                            inside.incrementAndGet();
                        }
                        inside.decrementAndGet();
                    }
                    out.yield(i);
                }
            });
            for (int i = 0; i < each; i++) {
                assertThat(generator.next()).isEqualTo(i);
            }
            generator.close();
        };
        Runnable hub = () -> {
            try {
                var greenlets = new ArrayList<Greenlet<?>>();
                for (int i = 0; i < 4; i++) {
                    greenlets.add(Loomlet.spawn(program::run));
                }
                for (var greenlet : greenlets) {
                    greenlet.get();
                }
                Hub.current().close();
            } catch (Throwable t) {
                failure[0] = t;
            }
        };
        Thread.UncaughtExceptionHandler handler = (_, t) -> failure[0] = t;
        List<Thread> threads = List.of(Thread.ofPlatform().unstarted(hub), Thread.ofPlatform().unstarted(hub),
                Thread.ofPlatform().uncaughtExceptionHandler(handler).unstarted(program),
                Thread.ofVirtual().uncaughtExceptionHandler(handler).unstarted(program),
                Thread.ofVirtual().uncaughtExceptionHandler(handler).unstarted(program));
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failure[0]).isNull();
        assertThat(entered[0]).isEqualTo(11 * each);
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // it is to end by itself
    void whereTheGreenletCannotBeUnmountedItsBodyWaitsOnTheHubsThread() throws Exception {
        assumeTrue(Suspendable.NATIVE, "a body with a thread of its own needs the hub's");
        var owned = new CountDownLatch(1);
        Thread owner = Thread.ofPlatform().start(() -> {
            synchronized (lock) {
                owned.countDown();
                lengthy();
            }
            synchronized (lock) {
                told = true;
                lock.notifyAll();
            }
        });
        owned.await();
        stepped = Generator.of(out -> {
            synchronized (lock) {
                seen.add("entered");
            }
            synchronized (lock) {
                while (!told) {
                    lock.wait();
                }
                lock.wait(1);
            }
            synchronized (lock) {
                seen.add("entered");
            }
            out.yield(7);
        });
        assertThat(Loomlet.spawn(Initialised::value).get()).isEqualTo(7);
        owner.join();
        assertThat(Loomlet.spawn(() -> 1).get()).isEqualTo(1);
    }

    private static void lengthy() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static @Nullable Generator<Integer> stepped;

    private static final class Initialised {
        private static final int VALUE = Objects.requireNonNull(stepped).next();

        static int value() {
            return VALUE;
        }
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // for its effect on the monitor only
    void aBodyThatHoldsAnInflatedMonitorIsNotLeftByOneNestedInIt() throws Exception {
        assumeTrue(Suspendable.NATIVE);
        Generator<Integer> outer = Generator.of(out -> {
            Generator<Integer> inner = Generator.of(_ -> out.yield(1));
            synchronized (lock) {
                lock.wait(1); // inflates
                assertThatThrownBy(inner::next).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("monitor").hasMessageContaining("ContendedMonitorTest");
            }
            Generator.<Integer>of(_ -> out.yield(2)).next();
        });
        var greenlet = Loomlet.spawn(outer::next);
        assertThat(greenlet.get()).isEqualTo(2);
    }

    @Test
    void whatABodyThrowsSaysWhoAskedForIt() {
        Generator<Integer> inner = Generator.of(_ -> {
            throw new IllegalArgumentException("from the body");
        });
        Generator<Integer> outer = Generator.of(out -> out.yield(askedInABody(inner)));
        var greenlet = Loomlet.spawn(() -> asked(outer));
        assertThatThrownBy(greenlet::get).rootCause().isInstanceOf(IllegalArgumentException.class)
                .satisfies(thrown -> {
                    List<String> methods =
                            Arrays.stream(thrown.getStackTrace()).map(StackTraceElement::getMethodName).toList();
                    if (Suspendable.NATIVE) {
                        assertThat(methods).containsSubsequence("askedInABody", "asked");
                        assertThat(methods).containsOnlyOnce("askedInABody", "asked");
                    }
                });
        var coroutine = Loomlet.spawn(() -> asked(Coroutine.of(() -> {
            throw new IllegalArgumentException("from the body");
        })));
        assertThatThrownBy(coroutine::get).rootCause().isInstanceOf(IllegalArgumentException.class)
                .satisfies(thrown -> assertThat(thrown.getStackTrace()).extracting(StackTraceElement::getMethodName)
                        .contains(Suspendable.NATIVE ? "asked" : "run"));
    }

    private static int asked(Generator<Integer> generator) {
        return generator.next();
    }

    private static Object asked(Coroutine<?> coroutine) {
        return coroutine.switchTo();
    }

    private static int askedInABody(Generator<Integer> generator) {
        return generator.next();
    }
}
