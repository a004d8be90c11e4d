package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** RLock, Condition and Barrier. */
class LocksTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(3);
    private final RLock lock = new RLock();
    private final Condition condition = lock.newCondition();
    private final List<Object> seen = new ArrayList<>();

    @Test
    void isItsOwnersUntilUnlockedAsOftenAsLocked() {
        lock.lock();
        assertThat(lock.tryLock()).isTrue();
        Greenlet<Boolean> other = spawn(() -> lock.tryLock(SHORT));
        assertThat(other.value()).isFalse();
        lock.unlock();
        assertThat(lock.isMine()).isTrue();
        lock.unlock();
        assertThat(lock.isLocked()).isFalse();
    }

    @Test
    void onlyItsOwnerMayUnlock() {
        assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
        lock.lock();
        spawn(() -> assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class)).value();
        lock.unlock();
    }

    @Test
    void isHandedOverInOrderAndPastTheDead() {
        lock.lock();
        List<Greenlet<Void>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int n = i;
            all.add(spawn(() -> {
                lock.lock();
                try {
                    seen.add(n);
                } finally {
                    lock.unlock();
                }
            }));
        }
        idle();
        all.get(1).kill();
        lock.unlock();
        assertThat(lock.tryLock()).as("it was handed to another").isFalse();
        joinAll(all);
        assertThat(seen).containsExactly(0, 2, 3);
        assertThat(lock.isLocked()).isFalse();
    }

    @Test
    void aSignalWakesTheOneWhoWaitedLongest() {
        List<Greenlet<Void>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int n = i;
            all.add(spawn(() -> {
                lock.lock();
                try {
                    condition.await();
                    seen.add(n);
                } finally {
                    lock.unlock();
                }
            }));
        }
        idle();
        assertThat(lock.isLocked()).isFalse();
        lock.lock();
        condition.signal();
        lock.unlock();
        idle();
        assertThat(seen).containsExactly(0);
        lock.lock();
        condition.signalAll();
        lock.unlock();
        joinAll(all);
        assertThat(seen).containsExactly(0, 1, 2);
    }

    @Test
    void aSignalNeedsTheLock() {
        assertThatThrownBy(condition::signal).isInstanceOf(IllegalMonitorStateException.class);
        assertThatThrownBy(condition::await).isInstanceOf(IllegalMonitorStateException.class);
    }

    @Test
    void awaitGivesBackAllHoldsAndTakesThemAgain() {
        Greenlet<Void> waiter = spawn(() -> {
            lock.lock();
            lock.lock();
            assertThat(condition.await(SHORT)).isFalse();
            lock.unlock();
            assertThat(lock.isMine()).isTrue();
            lock.unlock();
            assertThat(lock.isMine()).isFalse();
        });
        idle();
        assertThat(lock.tryLock()).isTrue();
        lock.unlock();
        waiter.value();
    }

    @Test
    void awaitUntilChecksUnderTheLock() {
        Greenlet<Boolean> waiter = spawn(() -> {
            lock.lock();
            try {
                return condition.awaitUntil(() -> lock.isMine() && seen.size() == 2, LONG);
            } finally {
                lock.unlock();
            }
        });
        for (int i = 0; i < 2; i++) {
            idle();
            lock.lock();
            seen.add(i);
            condition.signal();
            lock.unlock();
        }
        assertThat(waiter.value()).isTrue();
        lock.lock();
        assertThat(condition.awaitUntil(() -> false, SHORT)).isFalse();
        lock.unlock();
    }

    @Test
    void aKilledWaiterHasTheLockWhenItsKillIsThrown() {
        Greenlet<Void> waiter = spawn(() -> {
            lock.lock();
            try {
                condition.await();
            } catch (GreenletExit e) {
                seen.add(lock.isMine());
                throw e;
            } finally {
                lock.unlock();
            }
        });
        idle();
        lock.lock();
        waiter.kill(new GreenletExit("test"), false, Duration.ZERO);
        idle();
        assertThat(seen).as("it cannot have the lock yet").isEmpty();
        lock.unlock();
        waiter.join();
        assertThat(seen).containsExactly(true);
        assertThat(lock.isLocked()).isFalse();
    }

    @Test
    void aSignalIsNotLostOnOneWhoWasKilled() {
        Greenlet<Void> killed = spawn(this::waitAndSee);
        Greenlet<Void> alive = spawn(this::waitAndSee);
        idle();
        lock.lock();
        killed.kill(new GreenletExit("test"), false, Duration.ZERO);
        condition.signal();
        lock.unlock();
        alive.join();
        killed.join();
        assertThat(seen).containsExactly("signalled");
    }

    private void waitAndSee() {
        lock.lock();
        try {
            condition.await();
            seen.add("signalled");
        } finally {
            lock.unlock();
        }
    }

    @Test
    void oneKilledWhileItWaitsForTheLockAfterASignalReturnsFirst() {
        Greenlet<Void> waiter = spawn(() -> {
            waitAndSee();
            sleep(LONG);
            seen.add("not reached");
        });
        idle();
        lock.lock();
        condition.signal();
        idle();
        waiter.kill(new GreenletExit("test"), false, Duration.ZERO);
        idle();
        assertThat(waiter.ready()).isFalse();
        lock.unlock();
        waiter.join();
        assertThat(seen).containsExactly("signalled");
        assertThat(waiter.exit()).isPresent();
    }

    @Test
    void theHubsOwnThreadWaitsUnderALockToo() {
        Greenlet<Void> other = spawn(() -> {
            lock.lock();
            condition.signal();
            sleep(SHORT);
            lock.unlock();
        });
        lock.lock();
        assertThat(condition.await(LONG)).isTrue();
        assertThat(lock.isMine()).isTrue();
        lock.unlock();
        other.value();
    }

    // --- Barrier

    @Test
    void aBarrierLetsAllGoWhenTheLastHasCome() {
        Barrier barrier = new Barrier(3);
        for (int round = 0; round < 2; round++) {
            Greenlet<Integer> first = spawn(() -> barrier.await());
            Greenlet<Integer> second = spawn(() -> barrier.await(LONG));
            idle();
            assertThat(barrier.waiters()).isEqualTo(2);
            assertThat(barrier.await()).isZero();
            assertThat(first.value()).isEqualTo(2);
            assertThat(second.value()).isEqualTo(1);
        }
    }

    @Test
    void anAbortedBarrierIsBrokenForThoseWhoWaitAndComeUntilItIsReset() {
        var barrier = new Barrier(2);
        var waiting = spawn(() -> assertThatThrownBy(barrier::await).isInstanceOf(BarrierBroken.class));
        yieldNow();
        barrier.abort();
        waiting.value();
        assertThat(barrier.isBroken()).isTrue();
        assertThat(barrier).hasToString("Barrier with 0 of 2 waiting, broken");
        assertThatThrownBy(barrier::await).isInstanceOf(BarrierBroken.class);
        barrier.reset();
        var one = spawn(() -> barrier.await());
        assertThat(barrier.await() + one.value()).isEqualTo(1);
    }

    @Test
    void ofTwoWhoseTimeIsOverAtOnceNeitherPassesABarrier() {
        var barrier = new Barrier(3);
        var two = List.of(1, 2).stream().map(_ -> spawn(() -> {
            assertThatThrownBy(() -> barrier.await(Duration.ofMillis(1))).isInstanceOf(BarrierBroken.class);
        })).toList();
        yieldNow();
        assertThat(barrier.waiters()).isEqualTo(2);
        long end = System.nanoTime() + 5_000_000;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait(); // does not give way: both are due when it does
        }
        two.forEach(Greenlet::value);
    }

    @Test
    void oneWhoGivesUpBreaksABarrierForAll() {
        Barrier barrier = new Barrier(3);
        Greenlet<?> patient = spawn(() -> assertThatThrownBy(barrier::await).isInstanceOf(BarrierBroken.class));
        assertThatThrownBy(() -> barrier.await(SHORT)).isInstanceOf(BarrierBroken.class);
        patient.value();
        assertThat(barrier.isBroken()).isTrue();
        assertThatThrownBy(barrier::await).isInstanceOf(BarrierBroken.class);
        barrier.reset();
        assertThat(barrier.isBroken()).isFalse();
        Greenlet<Integer> killed = spawn(() -> barrier.await());
        idle();
        killed.kill();
        assertThat(barrier.isBroken()).isTrue();
    }
}
