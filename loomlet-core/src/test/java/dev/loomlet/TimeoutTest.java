package dev.loomlet;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.sync.Event;
import dev.loomlet.sync.Queue;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("LockNotBeforeTry") // the wait in between is what is tested
class TimeoutTest {
    private static final Duration SHORT = Duration.ofMillis(3);
    private static final Duration LONG = Duration.ofSeconds(20);

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    // --- on the hub's own thread, where gevent's programs use it

    @Test
    void expiresAtAWaitOfTheHubsOwnThread() {
        try (Timeout timeout = Timeout.after(SHORT)) {
            TimeoutExpired expired = (TimeoutExpired) catchThrowable(() -> sleep(LONG));
            assertThat(expired.timeout()).isSameAs(timeout);
            assertThat(timeout.fired()).isTrue();
            assertThat(timeout.pending()).isFalse();
        }
        sleep(SHORT);
    }

    @Test
    void aResultInTimeIsReturnedAndTheTimeoutIsGone() {
        assertThat(withTimeout(LONG, () -> "done")).isEqualTo("done");
        assertThat(withTimeout(LONG, () -> {
            sleep(SHORT);
            return "slow";
        })).isEqualTo("slow");
        assertThat(hubTimers()).isZero();
    }

    private static int hubTimers() {
        return Hub.current().loop().timers();
    }

    @Test
    void theMessageSaysHowLongForWhatAndWhere() throws Exception {
        run(() -> {
            Event never = new Event();
            assertThatThrownBy(() -> withTimeout(SHORT, () -> never.await(LONG)))
                    .isInstanceOf(TimeoutExpired.class)
                    .hasMessageContaining("3 ms")
                    .hasMessageContaining("Event not set")
                    .hasMessageContaining("TimeoutTest");
        });
    }

    @Test
    void theStackTraceShowsTheWaitThatWasHit() {
        Greenlet<Throwable> victim = spawn(() -> catchThrowable(() -> withTimeout(SHORT, this::waitsSomewhere)));
        assertThat(victim.value().getStackTrace()).extracting(StackTraceElement::getMethodName)
                .contains("waitsSomewhere");
    }

    private boolean waitsSomewhere() {
        return new Event().await(LONG);
    }

    // --- special durations

    @Test
    void zeroLosesAgainstABodyThatOnlyGivesWay() throws Exception {
        withTimeout(Duration.ZERO, () -> {
            sleep(Duration.ZERO);
            return 0;
        });
        run(() -> withTimeout(Duration.ZERO, () -> {
            sleep(Duration.ZERO);
            return 0;
        }));
    }

    @Test
    void zeroWinsAgainstARealWait() throws Exception {
        assertThatThrownBy(() -> withTimeout(Duration.ZERO, () -> new Event().await(LONG)))
                .isInstanceOf(TimeoutExpired.class);
        run(() -> assertThatThrownBy(() -> withTimeout(Duration.ZERO, () -> new Event().await(LONG)))
                .isInstanceOf(TimeoutExpired.class));
    }

    @Test
    void aNegativeOneIsThrownAtTheNextWait() throws Exception {
        assertThatThrownBy(() -> withTimeout(Duration.ofMillis(-1), () -> {
            yieldNow();
            return 0;
        })).isInstanceOf(TimeoutExpired.class);
        run(() -> assertThatThrownBy(() -> withTimeout(Duration.ofMillis(-1), () -> {
            yieldNow();
            return 0;
        })).isInstanceOf(TimeoutExpired.class));
    }

    @Test
    void oneWithoutEndArmsNoTimer() {
        try (Timeout timeout = Timeout.after(Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThat(hubTimers()).isZero();
            assertThat(timeout.pending()).isTrue();
            assertThat(timeout).hasToString("Timeout of no time at all");
        }
    }

    // --- only at waits

    @Test
    void codeThatComputesPastItsTimeJustEnds() throws Exception {
        run(() -> {
            int result = withTimeout(SHORT, () -> {
                compute(Duration.ofMillis(10));
                return 7;
            });
            assertThat(result).isEqualTo(7);
            sleep(Duration.ofMillis(10)); // it is not thrown later either
        });
    }

    @Test
    void itIsThrownAtTheFirstWaitAfterComputing() {
        Greenlet<Throwable> victim = spawn(() -> catchThrowable(() -> withTimeout(SHORT, () -> {
            compute(Duration.ofMillis(10));
            new Event().await(LONG);
            return 7;
        })));
        assertThat(victim.value()).isInstanceOf(TimeoutExpired.class);
    }

    private static void compute(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void timeSpentComputingBeforeItBeginsIsNotCharged() throws Exception {
        run(() -> {
            sleep(SHORT);
            compute(Duration.ofMillis(60));
            withTimeout(Duration.ofMillis(50), () -> {
                sleep(SHORT);
                return 0;
            });
        });
    }

    // --- nesting and identity

    @Test
    void theOuterOneGoesThroughTheInner() throws Exception {
        run(() -> {
            try (Timeout outer = Timeout.after(SHORT)) {
                Throwable thrown = catchThrowable(() -> withTimeout(LONG, () -> new Event().await(LONG), false));
                assertThat(thrown).isInstanceOfSatisfying(TimeoutExpired.class,
                        expired -> assertThat(expired.timeout()).isSameAs(outer));
            }
        });
    }

    @Test
    void theInnerOneIsTheInnersOwn() throws Exception {
        run(() -> {
            try (Timeout outer = Timeout.after(LONG)) {
                assertThat(withTimeout(SHORT, () -> new Event().await(LONG), false)).isFalse();
                assertThat(outer.fired()).isFalse();
                assertThat(outer.pending()).isTrue();
            }
        });
    }

    @Test
    void ofTwoThatAreDueAtOnceTheFirstIsThrownAndTheOtherIsTakenBack() throws Exception {
        run(() -> {
            assertThatThrownBy(() -> withTimeout(SHORT, () -> withTimeout(SHORT, () -> {
                compute(Duration.ofMillis(10));
                return new Event().await(LONG);
            }, true))).isInstanceOf(TimeoutExpired.class);
            sleep(SHORT);
        });
    }

    @Test
    void anOuterOneIsNotLostInAJoinWithATimeOfItsOwn() throws Exception {
        Greenlet<Void> sleeper = spawn(() -> sleep(LONG));
        run(() -> {
            try (Timeout outer = Timeout.after(SHORT)) {
                assertThat(catchThrowable(() -> sleeper.join(LONG)))
                        .isInstanceOfSatisfying(TimeoutExpired.class,
                                expired -> assertThat(expired.timeout()).isSameAs(outer));
            }
            try (Timeout outer = Timeout.after(SHORT)) {
                assertThat(catchThrowable(() -> sleeper.get(20, java.util.concurrent.TimeUnit.SECONDS)))
                        .isInstanceOfSatisfying(TimeoutExpired.class,
                                expired -> assertThat(expired.timeout()).isSameAs(outer));
            }
        });
        sleeper.kill();
    }

    @Test
    void catchExceptionDoesNotSwallowIt() {
        assertThatThrownBy(() -> withTimeout(SHORT, () -> {
            try {
                return new Event().await(LONG);
            } catch (Exception e) {
                return true;
            }
        })).isInstanceOf(TimeoutExpired.class);
    }

    // --- exceptions

    @Test
    void throwsTheExceptionOfYourChoiceMadeInTheGreenlet() throws Exception {
        run(() -> {
            Thread self = Thread.currentThread();
            try (Timeout _ = Timeout.after(SHORT, () -> new IOException("made on " + Thread.currentThread()))) {
                assertThatThrownBy(() -> sleep(LONG)).isInstanceOf(IOException.class).hasMessage("made on " + self);
            }
        });
    }

    @Test
    void anErrorOfTheSupplierComesOutInstead() throws Exception {
        run(() -> {
            try (Timeout _ = Timeout.after(SHORT, () -> {
                throw new IllegalStateException("supplier");
            })) {
                assertThatThrownBy(() -> sleep(LONG)).isInstanceOf(IllegalStateException.class);
            }
            sleep(SHORT);
        });
    }

    @Test
    void anErrorOfTheBodyIsThrownAsItIs() {
        assertThatThrownBy(() -> withTimeout(LONG, () -> {
            throw new IOException("body");
        })).isInstanceOf(IOException.class);
        assertThat(hubTimers()).isZero();
    }

    @Test
    void anErrorOfTheBodyIsNotReplacedByAnExpiryNobodySaw() throws Exception {
        run(() -> assertThatThrownBy(() -> withTimeout(SHORT, () -> {
            compute(Duration.ofMillis(10));
            throw new IOException("body");
        })).isInstanceOf(IOException.class));
    }

    // --- start and cancel

    @Test
    void oneThatWasCancelledCanBeStartedAgain() throws Exception {
        run(() -> {
            Timeout timeout = Timeout.unstarted(SHORT);
            assertThat(timeout.pending()).isFalse();
            timeout.start();
            assertThat(timeout.pending()).isTrue();
            assertThatThrownBy(timeout::start).isInstanceOf(IllegalStateException.class);
            timeout.cancel();
            assertThat(timeout.pending()).isFalse();
            sleep(Duration.ofMillis(8));
            assertThat(timeout.fired()).isFalse();
            timeout.start();
            assertThatThrownBy(() -> sleep(LONG)).isInstanceOf(TimeoutExpired.class);
            timeout.close();
            timeout.close();
        });
    }

    @Test
    void aGreenletsTimeoutDoesNotHitOthers() {
        List<String> seen = new ArrayList<>();
        Greenlet<Void> other = spawn(() -> {
            sleep(Duration.ofMillis(20));
            seen.add("other");
        });
        Greenlet<Throwable> victim =
                spawn(() -> catchThrowable(() -> withTimeout(SHORT, () -> new Event().await(LONG))));
        victim.join();
        other.value();
        assertThat(seen).containsExactly("other");
    }

    @Test
    void virtualThreadsWithoutAHubAreTold() throws Exception {
        Throwable[] thrown = new Throwable[1];
        Thread.ofVirtual().start(() -> thrown[0] = catchThrowable(() -> Timeout.after(SHORT))).join();
        assertThat(thrown[0]).isInstanceOf(IllegalStateException.class).hasMessageContaining("hub");
    }

    // --- waits of the JDK

    @Test
    void inAWaitOfTheJdkItBecomesTheExpiryAgain() throws Exception {
        run(() -> {
            assertThatThrownBy(() -> withTimeout(SHORT, () -> new LinkedBlockingQueue<>().take()))
                    .isInstanceOf(TimeoutExpired.class)
                    .satisfies(expired -> assertThat(expired.getSuppressed()).hasSize(1)
                            .allMatch(InterruptedException.class::isInstance));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            sleep(SHORT);
        });
    }

    @Test
    void inAWaitOfTheJdkThatIsEnteredTooLateAsWell() throws Exception {
        run(() -> {
            assertThatThrownBy(() -> withTimeout(SHORT, () -> {
                compute(Duration.ofMillis(10));
                Thread.sleep(20_000);
                return 0;
            })).isInstanceOf(TimeoutExpired.class);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        });
    }

    @Test
    void inATryBlockTheJdksOwnExceptionComesOutAndFiredTells() throws Exception {
        run(() -> {
            try (Timeout timeout = Timeout.after(SHORT)) {
                assertThatThrownBy(() -> Thread.sleep(20_000)).isInstanceOf(InterruptedException.class);
                assertThat(timeout.fired()).isTrue();
            }
            sleep(SHORT);
        });
    }

    @Test
    void aWaitThatIgnoresInterruptsIsNotPokedForEver() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        Event release = new Event();
        Greenlet<Void> holder = spawn(() -> {
            lock.lock();
            release.await();
            lock.unlock();
        });
        Greenlet<Throwable> victim = spawn(() -> catchThrowable(() -> withTimeout(SHORT, () -> {
            lock.lock();
            lock.unlock();
            return new Event().await(LONG);
        })));
        sleep(Duration.ofMillis(20));
        long switches = Hub.current().switches();
        sleep(Duration.ofMillis(20));
        assertThat(Hub.current().switches() - switches).isLessThan(50);
        release.set();
        assertThat(victim.value()).isInstanceOf(TimeoutExpired.class);
        holder.value();
    }

    @Test
    void anInterruptSentForAnExpiryDoesNotHitALaterWait() {
        ReentrantLock lock = new ReentrantLock();
        Greenlet<Void> holder = spawn(() -> {
            lock.lock();
            sleep(Duration.ofMillis(20));
            lock.unlock();
        });
        Greenlet<Void> victim = spawn(() -> {
            assertThatThrownBy(() -> withTimeout(SHORT, () -> {
                lock.lock();
                lock.unlock();
                return new Queue<>().take();
            })).isInstanceOf(TimeoutExpired.class);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            sleep(SHORT);
        });
        victim.value();
        holder.value();
    }

    @Test
    void aKillWhileATimeoutRunsLeavesNoTimer() {
        Greenlet<?> victim = spawn(() -> withTimeout(LONG, () -> new Event().await(LONG)));
        idle();
        victim.kill();
        assertThat(victim.exit()).isPresent();
        assertThat(hubTimers()).isZero();
    }

    @Test
    void canBeCancelledFromAnotherThread() throws Exception {
        Timeout timeout = Timeout.after(Duration.ofMillis(30));
        Thread.ofPlatform().start(timeout::cancel).join();
        sleep(Duration.ofMillis(50));
        assertThat(timeout.fired()).isFalse();
    }
}
