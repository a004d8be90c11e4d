package dev.loomlet.pool;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.VirtualThreads;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.sync.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A greenlet that moves to a thread of the pool. */
@Timeout(60)
class StayTest {
    private Hub hub;
    private ThreadPool pool;

    @BeforeEach
    void open() {
        hub = Hub.current();
        pool = new ThreadPool(4);
    }

    @AfterEach
    void close() {
        pool.close();
        hub.close();
    }

    private static Thread carrier() {
        return VirtualThreads.currentCarrier();
    }

    @Test
    void othersRunWhileOneIsAway() {
        Thread home = Thread.currentThread();
        AtomicBoolean ran = new AtomicBoolean();
        List<Object> seen = new ArrayList<>();
        Greenlet<Void> leaves = spawn(() -> {
            Thread self = Thread.currentThread();
            try (var stay = pool.enter()) {
                seen.add(stay.left());
                seen.add(carrier() != home);
                seen.add(Thread.currentThread() == self);
                while (!ran.get()) {
                    Thread.onSpinWait(); // as native code would: it gives nobody a chance
                }
            }
            seen.add(carrier() == home);
        });
        joinAll(leaves, spawn(() -> ran.set(true)));
        leaves.value();
        assertThat(seen).containsExactly(true, true, true, true);
    }

    @Test
    void locksThatAreHeldStayHeld() {
        Object monitor = new Object();
        ReentrantLock lock = new ReentrantLock();
        CountDownLatch away = new CountDownLatch(1);
        AtomicBoolean goOn = new AtomicBoolean();
        Greenlet<Boolean> leaves = spawn(() -> {
            synchronized (monitor) {
                lock.lock();
                try (var _ = pool.enter()) {
                    away.countDown();
                    while (!goOn.get()) {
                        Thread.onSpinWait();
                    }
                    synchronized (monitor) {
                        return lock.isHeldByCurrentThread() && Thread.holdsLock(monitor);
                    }
                } finally {
                    lock.unlock();
                }
            }
        });
        Greenlet<Boolean> other = spawn(() -> {
            away.await();
            boolean got = lock.tryLock();
            goOn.set(true);
            synchronized (monitor) {
                return got;
            }
        });
        joinAll(leaves, other);
        assertThat(leaves.value()).isTrue();
        assertThat(other.value()).isFalse();
    }

    @Test
    void itWaitsWhereItIs() {
        Thread home = Thread.currentThread();
        CountDownLatch latch = new CountDownLatch(1);
        Greenlet<Integer> leaves = spawn(() -> {
            int elsewhere = 0;
            try (var _ = pool.enter()) {
                Thread.sleep(1);
                elsewhere += carrier() != home ? 1 : 0;
                latch.await();
                elsewhere += carrier() != home ? 1 : 0;
                Thread.yield();
                elsewhere += carrier() != home ? 1 : 0;
                assertThat(Loop.here()).isNull();
            }
            return elsewhere;
        });
        joinAll(leaves, spawn(latch::countDown));
        assertThat(leaves.value()).isEqualTo(3);
    }

    @Test
    void anExceptionComesHomeWithIt() {
        Thread home = Thread.currentThread();
        IllegalStateException thrown = new IllegalStateException("thrown there");
        Greenlet<Thread> leaves = spawn(() -> {
            try (var _ = pool.enter()) {
                throw thrown;
            } catch (IllegalStateException e) {
                return e == thrown ? carrier() : null;
            }
        });
        assertThat(leaves.value()).isSameAs(home);
    }

    @Test
    void aKillWaitsUntilItIsBack() {
        CountDownLatch away = new CountDownLatch(1);
        AtomicBoolean goOn = new AtomicBoolean();
        AtomicBoolean back = new AtomicBoolean();
        Event never = new Event();
        Greenlet<Void> leaves = spawn(() -> {
            try (var _ = pool.enter()) {
                away.countDown();
                while (!goOn.get()) {
                    Thread.onSpinWait();
                }
            }
            back.set(!Thread.currentThread().isInterrupted());
            never.await();
        });
        joinAll(spawn(() -> {
            away.await();
            spawn(() -> goOn.set(true));
            leaves.kill();
        }));
        assertThat(back).isTrue();
        assertThat(leaves.exit()).isPresent();
    }

    @Test
    void aKillThatCameMeanwhileIsThrownWhenItEntersAgain() {
        CountDownLatch away = new CountDownLatch(1);
        AtomicBoolean goOn = new AtomicBoolean();
        AtomicBoolean again = new AtomicBoolean();
        Greenlet<Void> leaves = spawn(() -> {
            try (var _ = pool.enter()) {
                away.countDown();
                while (!goOn.get()) {
                    Thread.onSpinWait();
                }
            }
            try (var _ = pool.enter()) {
                again.set(true);
            }
        });
        joinAll(spawn(() -> {
            away.await();
            spawn(() -> goOn.set(true));
            leaves.kill();
        }));
        assertThat(leaves.exit()).isPresent();
        assertThat(again).isFalse();
    }

    @Test
    void moreThanThePoolHasPlacesForWaitForAPlace() {
        List<Greenlet<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            int number = i;
            all.add(spawn(() -> {
                try (var stay = pool.enter()) {
                    return stay.left() ? number : -1;
                }
            }));
        }
        joinAll(all);
        assertThat(all.stream().map(Greenlet::value)).doesNotContain(-1).hasSize(50);
        assertThat(pool.free()).isEqualTo(4);
        assertThat(pool.threads()).isLessThanOrEqualTo(4);
    }

    @Test
    void whereItCannotMoveItStays() throws Exception {
        try (var stay = pool.enter()) {
            assertThat(stay.left()).as("the hub's own thread").isFalse();
        }
        Greenlet<Boolean> nested = spawn(() -> {
            try (var _ = pool.enter(); var inner = pool.enter()) {
                return inner.left();
            }
        });
        assertThat(nested.value()).isFalse();
        assertThat(pool.free()).isEqualTo(4);
    }

    @Test
    void virtualThreadsOfTheHubMoveToo() {
        Thread home = Thread.currentThread();
        AtomicBoolean ran = new AtomicBoolean();
        List<Boolean> seen = new ArrayList<>();
        Greenlet<Void> starter = spawn(() -> {
            Thread child = Thread.startVirtualThread(() -> {
                try (var _ = pool.enter()) {
                    seen.add(carrier() != home);
                    while (!ran.get()) {
                        Thread.onSpinWait();
                    }
                }
                seen.add(carrier() == home);
            });
            ran.set(true);
            child.join();
        });
        starter.value();
        assertThat(seen).containsExactly(true, true);
    }

    /** Looking at the stack of an unmounted thread makes the JDK hand in a turn too many. */
    @Test
    void whoIsLookedAtRunsWhereItBelongs() throws Exception {
        Thread home = Thread.currentThread();
        Greenlet<Integer> leaves = hub.unstarted(() -> {
            int wrong = 0;
            for (int i = 0; i < 3000; i++) {
                try (var stay = pool.enter()) {
                    wrong += stay.left() && carrier() == home ? 1 : 0;
                }
                wrong += carrier() != home ? 1 : 0;
                Thread.yield();
                wrong += carrier() != home ? 1 : 0;
            }
            return wrong;
        });
        AtomicBoolean over = new AtomicBoolean();
        Thread looks = new Thread(() -> {
            while (!over.get()) {
                leaves.thread().getStackTrace();
            }
        });
        looks.start();
        try {
            leaves.start();
            assertThat(leaves.value()).isZero();
        } finally {
            over.set(true);
            looks.join();
        }
    }
}
