package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.killAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.spawnLater;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** gevent's {@code kill} and {@code killall}. */
@SuppressWarnings({"WaitNotInLoop", "LockNotBeforeTry"}) // a kill ends those waits; the lock is held on purpose
class KillTest extends OnHub {

    private Greenlet<Void> sleeper() {
        return spawn(() -> {
            try {
                sleep(LONG);
                note("woke");
            } finally {
                note("cleaned up");
            }
        });
    }

    @Test
    void throwsAtTheWaitAndReturnsWhenItIsDead() {
        Greenlet<Void> g = sleeper();
        yieldNow();

        g.kill();

        assertThat(g.ready()).isTrue();
        assertThat(log).containsExactly("cleaned up");
        assertThat(g.successful()).as("an exit is a success").isTrue();
        assertThat(g.exit()).isPresent();
        assertThat(g.exception()).isEmpty();
        assertThatThrownBy(g::value).isInstanceOf(CancellationException.class).hasCauseInstanceOf(GreenletExit.class);
        assertThatThrownBy(g::get).isInstanceOf(CancellationException.class);
        assertThat(Hub.current().loop().timers()).as("timers left").isZero();
    }

    @Test
    void beforeTheFirstTurnItNeverRuns() {
        List<Greenlet<Void>> all = List.of(Hub.current().unstarted(() -> note("ran")), spawn(() -> note("ran")),
                spawnLater(millis(1), () -> note("ran")));
        for (Greenlet<Void> each : all) {
            each.kill();
            assertThat(each.ready()).isTrue();
            assertThat(each.exit()).isPresent();
            assertThat(each.isAlive()).isFalse();
            each.start();
        }
        sleep(millis(5));
        assertThat(log).isEmpty();
        assertThat(Hub.current().liveGreenlets()).isZero();
    }

    @Test
    void ofOneThatHasEndedChangesNothing() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.join();
        g.kill();
        assertThat(g.kill(new IllegalStateException(), true, LONG)).isTrue();
        assertThat(g.value()).isEqualTo(1);
    }

    @Test
    void withoutBlockingReturnsAtOnce() {
        Greenlet<Void> g = sleeper();
        yieldNow();
        assertThat(g.kill(new GreenletExit("go"), false, Duration.ZERO)).isFalse();
        assertThat(log).isEmpty();
        g.join();
        assertThat(g.exit()).hasValueSatisfying(exit -> assertThat(exit).hasMessage("go"));
    }

    @Test
    void ofOneThatIsReadyArrivesAtItsNextWait() {
        Greenlet<Void> g = spawn(() -> {
            yieldNow();
            note("not reached");
        });
        yieldNow();
        g.kill();
        assertThat(g.exit()).isPresent();
        assertThat(log).isEmpty();
    }

    @Test
    void ofOneThatNeverWaitsAgainIsNotNoticed() {
        Greenlet<Integer> victim = Hub.current().unstarted(() -> {
            CountDownLatch asked = new CountDownLatch(1);
            Greenlet<?> self = me();
            Thread.ofPlatform().start(() -> {
                self.kill(new GreenletExit("late"), false, Duration.ZERO);
                asked.countDown();
            });
            while (asked.getCount() > 0) { // busy on purpose
                Thread.onSpinWait();
            }
            return 5;
        });
        assertThat(victim.start().value()).isEqualTo(5);
    }

    @Test
    void anErrorOfItsOwnIsNotHiddenByAKillThatDidNotReachIt() {
        List<Throwable> errors = errors();
        Greenlet<Void> victim = spawn(() -> {
            yieldNow0();
            throw new IllegalStateException("its own");
        });
        yieldNow();
        victim.kill(new GreenletExit("too late"), false, Duration.ZERO);
        victim.join();

        assertThat(victim.exception()).hasValueSatisfying(e -> assertThat(e).hasMessage("its own"));
        assertThat(errors).hasSize(1);
    }

    /** A turn of the JDK's, in which a kill is not thrown. */
    private static void yieldNow0() {
        Thread.yield();
    }

    @Test
    void mayBeCaughtAndTheGreenletLivesOn() {
        Greenlet<String> g = spawn(() -> {
            try {
                sleep(LONG);
            } catch (GreenletExit e) {
                note("caught");
            }
            sleep(millis(30));
            return "survived";
        });
        yieldNow();

        assertThat(g.kill(millis(5))).isFalse();
        assertThat(g.ready()).isFalse();
        assertThat(g.isAlive()).isTrue();
        assertThat(g.value()).isEqualTo("survived");
        assertThat(log).containsExactly("caught");
    }

    @Test
    void waitsUntilOneThatCatchesItHasEnded() {
        Greenlet<String> g = spawn(() -> {
            try {
                sleep(LONG);
            } catch (GreenletExit e) {
                sleep(millis(10));
            }
            return "done";
        });
        yieldNow();
        g.kill();
        assertThat(g.resultNow()).isEqualTo("done");
    }

    @Test
    void withAnotherExceptionMakesItFail() {
        List<Throwable> errors = errors();
        IllegalStateException cause = new IllegalStateException("boom");
        Greenlet<Void> g = sleeper();
        yieldNow();

        assertThat(g.kill(cause, true, LONG)).isTrue();

        assertThat(g.successful()).isFalse();
        assertThatThrownBy(g::value).isSameAs(cause);
        assertThat(errors).containsExactly(cause);
    }

    @Test
    void withAnotherExceptionBeforeTheFirstTurnFailsItAndReports() {
        List<Throwable> errors = errors();
        IllegalStateException cause = new IllegalStateException("boom");
        Greenlet<Void> g = spawn(() -> note("ran"));
        assertThat(g.kill(cause, true, LONG)).isTrue();
        yieldNow();
        assertThat(g.exception()).containsSame(cause);
        assertThat(errors).containsExactly(cause);
        assertThat(log).isEmpty();
    }

    @Test
    void ofItselfThrowsAtOnce() {
        Greenlet<Void> g = spawn(() -> {
            note("before");
            me().kill();
            note("after");
        });
        g.join();
        assertThat(log).containsExactly("before");
        assertThat(g.exit()).isPresent();
    }

    @Test
    void cancelOfItselfDoesWhatFuturesDoAndThrowsAtTheNextWait() {
        Greenlet<Void> g = spawn(() -> {
            note(me().cancel(true));
            note("after");
            yieldNow();
            note("not reached");
        });
        g.join();
        assertThat(log).containsExactly("true", "after");
        assertThat(g.isCancelled()).isTrue();
    }

    @Test
    void thrownWhileItCleansUpReachesItAgain() {
        Greenlet<Void> g = spawn(() -> {
            try {
                sleep(LONG);
            } finally {
                try {
                    sleep(LONG);
                } finally {
                    note("second");
                }
            }
        });
        yieldNow();
        assertThat(g.kill(millis(5))).isFalse();
        assertThat(g.kill(LONG)).isTrue();
        assertThat(log).containsExactly("second");
    }

    @Test
    void doesNotTakeWhatHadArrivedAlready() {
        Greenlet<Integer> source = spawn(() -> 9);
        Greenlet<Integer> g = spawn(() -> {
            int value = source.value();
            note("got " + value);
            yieldNow();
            return value;
        });
        yieldNow(); // g waits for source, which has ended: g is ready with the value
        g.kill();
        assertThat(log).containsExactly("got 9");
        assertThat(g.exit()).isPresent();
    }

    @Test
    void worksFromAnyThread() throws Exception {
        try (Hub other = Hub.start("other")) {
            Greenlet<Void> here = sleeper();
            Greenlet<Void> there = other.spawn(() -> sleep(LONG));
            there.kill();
            assertThat(there.exit()).isPresent();

            Thread foreign = Thread.ofPlatform().start(() -> here.kill());
            until(() -> !foreign.isAlive());
            assertThat(here.exit()).isPresent();

            Greenlet<Void> again = sleeper();
            Thread virtual = Thread.startVirtualThread(() -> again.kill());
            until(() -> !virtual.isAlive());
            assertThat(again.exit()).isPresent();

            Greenlet<Void> third = sleeper();
            Greenlet<Void> killer = other.spawn(() -> third.kill());
            killer.join();
            assertThat(third.exit()).isPresent();
        }
    }

    // --- in waits of the JDK, where it arrives as an interrupt

    private void killedIn(Action wait) {
        List<Throwable> errors = errors();
        Greenlet<Void> g = spawn(() -> {
            try {
                wait.run();
            } finally {
                note("left");
            }
        });
        yieldNow();
        assertThat(g.kill(LONG)).isTrue();
        assertThat(log).containsExactly("left");
        assertThat(g.exit()).as(() -> g.toString() + g.exception()).isPresent();
        assertThat(errors).isEmpty();
    }

    @Test
    void reachesThreadSleep() {
        killedIn(() -> Thread.sleep(60_000));
    }

    @Test
    void reachesABlockingQueue() {
        killedIn(() -> new LinkedBlockingQueue<String>().take());
    }

    @Test
    void reachesObjectWait() {
        Object monitor = new Object();
        killedIn(() -> {
            synchronized (monitor) {
                monitor.wait();
            }
        });
    }

    @Test
    void reachesThreadJoin() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        killedIn(thread::join);
        end.countDown();
        thread.join();
    }

    @Test
    void reachesASocket() throws Exception {
        try (var server = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress());
                var client = new java.net.Socket(server.getInetAddress(), server.getLocalPort());
                var socket = server.accept()) {
            killedIn(() -> socket.getInputStream().read());
            assertThat(socket.isClosed()).as("the JDK closes a socket whose reader is interrupted").isTrue();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void thatMetAnInterruptWhichWasSwallowedIsThrownAtTheNextWait() {
        Greenlet<Void> g = spawn(() -> {
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                note("swallowed");
            }
            yieldNow();
            note("not reached");
        });
        yieldNow();
        g.kill();
        assertThat(log).containsExactly("swallowed");
        assertThat(g.exit()).isPresent();
    }

    @Test
    void leavesNoInterruptBehindForTheCleanUp() {
        Greenlet<Void> g = spawn(() -> {
            try {
                try {
                    Thread.sleep(60_000);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt(); // as one should
                }
                sleep(LONG);
            } finally {
                note(Thread.currentThread().isInterrupted());
                sleep(millis(1));
                note("cleaned up");
            }
        });
        yieldNow();
        g.kill();
        assertThat(log).containsExactly("false", "cleaned up");
        assertThat(g.exit()).isPresent();
    }

    @Test
    void ofOneThatWaitsForAMonitorIsThrownOnceAfterIt() {
        Object monitor = new Object();
        Greenlet<Void> holder = spawn(() -> {
            synchronized (monitor) {
                sleep(millis(20));
            }
        });
        Greenlet<Void> g = spawn(() -> {
            synchronized (monitor) {
                note("entered");
            }
            try {
                sleep(LONG);
            } finally {
                note(Thread.currentThread().isInterrupted());
                sleep(millis(1));
                note("cleaned up");
            }
        });
        yieldNow();
        yieldNow();
        g.kill();
        assertThat(log).containsExactly("entered", "false", "cleaned up");
        assertThat(g.exit()).isPresent();
        holder.join();
    }

    @Test
    void ofOneThatWaitsForALockUninterruptiblyIsThrownOnceAfterIt() {
        ReentrantLock lock = new ReentrantLock();
        Greenlet<Void> holder = spawn(() -> {
            lock.lock();
            try {
                sleep(millis(20));
            } finally {
                lock.unlock();
            }
        });
        Greenlet<Void> g = spawn(() -> {
            lock.lock();
            lock.unlock();
            note("locked");
            sleep(LONG);
        });
        yieldNow();
        yieldNow();
        g.kill();
        assertThat(log).containsExactly("locked");
        assertThat(g.exit()).isPresent();
        holder.join();
    }

    @Test
    void anErrorWhileAnInterruptIsHandledStaysAnError() {
        List<Throwable> errors = errors();
        Greenlet<Void> g = spawn(() -> {
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                throw new IllegalStateException("a bug in the clean-up");
            }
        });
        yieldNow();
        g.kill();
        assertThat(g.exception()).hasValueSatisfying(e -> assertThat(e).hasMessage("a bug in the clean-up"));
        assertThat(errors).hasSize(1);
    }

    @Test
    void thatComesWrappedOutOfALibraryIsAnExit() {
        killedIn(() -> {
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                throw new ExecutionException("a library's", new RuntimeException(e));
            }
        });
    }

    @Test
    void thatALibraryMeetsWithAnErrorOfItsOwnIsAnExit() {
        killedIn(() -> {
            try {
                Thread.sleep(60_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("the connection is broken"); // says nothing of the interrupt
            }
        });
    }

    @Test
    void ofOneThatIsParkedByALibraryComesThrough() {
        killedIn(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                LockSupport.park();
            }
            throw new InterruptedException();
        });
    }

    // --- many

    @Test
    void ofAllReachesAllAndWaitsForAll() {
        List<Greenlet<?>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            all.add(sleeper());
        }
        yieldNow();
        all.add(spawn(() -> note("never")));
        all.add(Hub.current().unstarted(() -> note("never")));
        all.add(spawnLater(millis(1), () -> note("never")));

        killAll(all);

        assertThat(all).allMatch(Greenlet::ready);
        assertThat(log).hasSize(100).containsOnly("cleaned up");
        sleep(millis(2));
        assertThat(log).hasSize(100);
    }

    @Test
    void ofAllTellsWhetherTheyAreDeadInTime() {
        Greenlet<Void> stubborn = spawn(() -> {
            try {
                sleep(LONG);
            } catch (GreenletExit e) {
                sleep(millis(50));
            }
        });
        Greenlet<Void> other = sleeper();
        yieldNow();
        assertThat(killAll(List.of(stubborn, other), millis(5))).isFalse();
        assertThat(other.ready()).isTrue();
        assertThat(killAll(List.of(stubborn, other), LONG)).isTrue();
    }

    @Test
    void ofAllByOneOfThemReachesTheOthersFirst() {
        List<Greenlet<?>> all = new ArrayList<>();
        all.add(spawn(() -> {
            yieldNow();
            try {
                killAll(all);
            } finally {
                note("killer");
            }
        }));
        all.add(sleeper());
        all.add(sleeper());
        joinAll(all, LONG);
        assertThat(all).allMatch(each -> each.exit().isPresent());
    }

    @Test
    void ofAllTakesNoneAndDuplicates() {
        killAll(List.of());
        Greenlet<Void> g = sleeper();
        yieldNow();
        assertThat(killAll(List.of(g, g), LONG)).isTrue();
        assertThat(log).containsExactly("cleaned up");
    }
}
