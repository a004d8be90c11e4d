package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.spawnLater;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** gevent's hub: one for each thread, where it runs, how it ends. */
class HubTest extends OnHub {

    @Test
    void isMadeByTheFirstSpawnAndRunsInTheWaitsOfItsThread() {
        assertThat(Hub.ifPresent()).isEmpty();
        Thread main = Thread.currentThread();
        Greenlet<Thread> carrier = spawn(VirtualThreads::currentCarrier);
        assertThat(Hub.ifPresent()).contains(Hub.current());
        assertThat(carrier.value()).isSameAs(main);
        assertThat(Hub.current().thread()).isSameAs(main);
        assertThat(Hub.current().name()).contains(main.getName());
        assertThat(spawn(Hub::current).value()).isSameAs(Hub.current());
    }

    @Test
    void eachThreadHasItsOwn() throws InterruptedException {
        Hub mine = Hub.current();
        AtomicReference<Hub> theirs = new AtomicReference<>(mine);
        Thread thread = Thread.ofPlatform().start(() -> {
            try (Hub hub = Hub.current()) {
                theirs.set(hub);
                Greenlet<Hub> g = spawn(Hub::current);
                assertThat(g.value()).isSameAs(hub);
            }
        });
        thread.join();
        assertThat(theirs.get()).isNotSameAs(mine);
        assertThat(theirs.get().thread()).isSameAs(thread);
    }

    @Test
    void waitsThatNeedNoHubMakeNone() {
        sleep(millis(2));
        sleep(Duration.ZERO);
        yieldNow();
        joinAll(List.of());
        assertThat(Hub.ifPresent()).isEmpty();
    }

    @Test
    void aStockVirtualThreadWaitsWithoutAHubAndHasNone() throws InterruptedException {
        List<Throwable> wrong = Collections.synchronizedList(new ArrayList<>());
        Thread thread = Thread.startVirtualThread(() -> {
            try {
                sleep(millis(2));
                sleep(Duration.ZERO);
                yieldNow();
                assertThat(Hub.ifPresent()).isEmpty();
                assertThatThrownBy(Hub::current).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("belongs to no hub");
            } catch (Throwable t) {
                wrong.add(t);
            }
        });
        thread.join();
        assertThat(wrong).isEmpty();
    }

    @Test
    void closeKillsWhatIsLeftInWhateverStateItIs() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        List<Greenlet<?>> all = new ArrayList<>();
        long start;
        try (Hub hub = Hub.current()) {
            for (int i = 0; i < 5; i++) {
                all.add(spawn(() -> {
                    try {
                        sleep(LONG);
                    } finally {
                        cleaned.incrementAndGet();
                    }
                }));
                all.add(spawn(() -> {
                    try {
                        new LinkedBlockingQueue<String>().take();
                    } finally {
                        cleaned.incrementAndGet();
                    }
                }));
                all.add(spawn(() -> {
                    try {
                        for (;;) {
                            yieldNow();
                        }
                    } finally {
                        cleaned.incrementAndGet();
                    }
                }));
            }
            yieldNow();
            yieldNow();
            all.add(spawn(() -> note("scheduled ran")));
            all.add(spawnLater(millis(1), () -> note("delayed ran")));
            start = System.nanoTime();
            assertThat(hub.liveGreenlets()).isEqualTo(16);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
        assertThat(all).allMatch(each -> each.exit().isPresent());
        assertThat(cleaned).hasValue(15);
        assertThat(log).isEmpty();
        assertThat(Hub.ifPresent()).isEmpty();
    }

    @Test
    void closeRightAfterASpawnTakesNoTime() {
        Hub hub = Hub.current();
        spawn(() -> note("ran"));
        long start = System.nanoTime();
        hub.close();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
        assertThat(hub.liveGreenlets()).isZero();
    }

    @Test
    void closeCallsTheLinksOfWhatItKills() {
        Hub hub = Hub.current();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        g.link(ended -> note("linked " + end(ended)));
        yieldNow();
        hub.close();
        assertThat(log).containsExactly("linked killed");
    }

    @Test
    void closeLetsGreenletsCleanUp() {
        Hub hub = Hub.current();
        spawn(() -> {
            try {
                sleep(LONG);
            } finally {
                for (int i = 0; i < 10; i++) {
                    sleep(millis(30));
                }
                note("cleaned up");
            }
        });
        yieldNow();
        hub.close();
        assertThat(log).containsExactly("cleaned up");
    }

    @Test
    void closeReachesThoseThatSpawnOthersWhileTheyDie() {
        Hub hub = Hub.current();
        spawn(() -> {
            try {
                sleep(LONG);
            } finally {
                hub.spawn(() -> {
                    note("child");
                    sleep(LONG);
                });
            }
        });
        yieldNow();
        long start = System.nanoTime();
        hub.close();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
        assertThat(hub.liveGreenlets()).isZero();
    }

    @Test
    void closeGivesUpOneThatWillNotGoAndTellsThoseWhoWait() throws Exception {
        Hub hub = Hub.current();
        Greenlet<Void> stubborn = spawn("mule", () -> {
            for (;;) {
                try {
                    sleep(LONG);
                } catch (GreenletExit e) {
                    note("no");
                }
            }
        });
        yieldNow();
        AtomicReference<Throwable> told = new AtomicReference<>(new Throwable("nothing"));
        Thread waiting = Thread.ofPlatform().start(() -> {
            try {
                stubborn.value();
            } catch (Throwable t) {
                told.set(t);
            }
        });
        hub.close();
        waiting.join();
        assertThat(told.get()).isInstanceOf(IllegalStateException.class).hasMessageContaining("mule");
        assertThat(log).isNotEmpty();
    }

    @Test
    void closeWorksOnAnInterruptedThreadAndKeepsTheInterrupt() {
        Hub hub = Hub.current();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        yieldNow();
        Thread.currentThread().interrupt();
        hub.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(g.exit()).isPresent();
        assertThat(hub.loop().closed()).isTrue();
    }

    @Test
    void closeTwiceIsHarmlessAndANewHubTakesItsPlace() {
        Hub first = Hub.current();
        first.close();
        first.close();
        Hub second = Hub.current();
        assertThat(second).isNotSameAs(first);
        assertThat(spawn(() -> 1).value()).isEqualTo(1);
    }

    @Test
    void closedItRefusesEverythingWithAMessage() {
        Hub hub = Hub.current();
        Greenlet<Void> unstarted = hub.unstarted(() -> note("ran"));
        Greenlet<Void> other = hub.unstarted(() -> note("ran"));
        hub.close();

        assertThatThrownBy(() -> hub.spawn(() -> 1)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
        assertThatThrownBy(() -> hub.spawnLater(millis(1), () -> 1)).hasMessageContaining("is closed");
        assertThatThrownBy(unstarted::start).hasMessageContaining("is closed");
        unstarted.kill();
        assertThat(unstarted.ready()).isTrue();
        assertThat(other.join(LONG)).as("one that can never run").isTrue();
        assertThat(other.exception()).isPresent();
        assertThat(log).isEmpty();
    }

    @Test
    void onlyItsOwnThreadMayCloseItAndNoneOfItsGreenlets() throws InterruptedException {
        Hub hub = Hub.current();
        AtomicReference<Throwable> refused = new AtomicReference<>(new Throwable("nothing"));
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                hub.close();
            } catch (Throwable t) {
                refused.set(t);
            }
        });
        thread.join();
        assertThat(refused.get()).isInstanceOf(IllegalStateException.class);
        Greenlet<Void> g = spawn(() -> {
            assertThatThrownBy(hub::close).isInstanceOf(IllegalStateException.class);
        });
        assertThat(g.value()).isNull();
        assertThat(hub.loop().closed()).isFalse();
    }

    @Test
    void withAThreadOfItsOwnRunsUntilItIsClosed() {
        Greenlet<Thread> g;
        Thread thread;
        try (Hub hub = Hub.start("worker")) {
            thread = hub.thread();
            g = hub.spawn(VirtualThreads::currentCarrier);
            assertThat(g.value()).isSameAs(thread);
            assertThat(thread.isDaemon()).isTrue();
            assertThat(thread.getName()).isEqualTo("worker");
        }
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void withAThreadOfItsOwnIsClosedFromAnyThreadAlsoByGreenletsOfOthers() {
        Hub hub = Hub.start("worker");
        Greenlet<Void> there = hub.spawn(() -> sleep(LONG));
        Witness witness = new Witness(Hub.current());
        Greenlet<Void> closer = spawn(() -> hub.close());
        closer.join();
        witness.close();
        assertThat(there.exit()).isPresent();
        assertThat(hub.thread().isAlive()).isFalse();
    }

    @Test
    void withAThreadOfItsOwnIsClosedByAnInterruptOfThatThread() throws InterruptedException {
        Hub hub = Hub.start("worker");
        Greenlet<Void> there = hub.spawn(() -> sleep(LONG));
        hub.thread().interrupt();
        hub.thread().join();
        assertThat(there.ready()).isTrue();
        assertThat(hub.loop().closed()).isTrue();
    }

    @Test
    void isFreedWhenItsThreadDiesWithoutClosingIt() throws InterruptedException {
        AtomicReference<Hub> left = new AtomicReference<>(Hub.current());
        AtomicBoolean cleaned = new AtomicBoolean();
        Thread thread = Thread.ofPlatform().start(() -> {
            left.set(Hub.current());
            spawn(() -> {
                try {
                    sleep(LONG);
                } finally {
                    cleaned.set(true);
                }
            });
            yieldNow();
        });
        thread.join();
        assertThat(left.get().loop().closed()).isTrue();
        assertThat(Hub.all()).doesNotContain(left.get());
        assertThat(cleaned).isTrue();
    }

    @Test
    void isFreedWhenItsThreadDiesOfAnError() throws InterruptedException {
        AtomicReference<Hub> left = new AtomicReference<>(Hub.current());
        Thread thread = Thread.ofPlatform().uncaughtExceptionHandler((t, e) -> note(String.valueOf(e.getMessage())))
                .start(() -> {
                    left.set(Hub.current());
                    spawn(() -> sleep(LONG));
                    throw new IllegalStateException("dies");
                });
        thread.join();
        assertThat(left.get().loop().closed()).isTrue();
        assertThat(log).containsExactly("dies");
    }

    /** A spawn that did not throw is answered, whatever happens to the hub in between. */
    @Test
    void noSpawnIsForgottenInARaceWithClose() throws Exception {
        for (int round = 0; round < 50; round++) {
            Hub hub = Hub.start("racing");
            List<Greenlet<?>> accepted = Collections.synchronizedList(new ArrayList<>());
            CountDownLatch running = new CountDownLatch(2);
            AtomicBoolean stop = new AtomicBoolean();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    running.countDown();
                    for (int i = 0; i < 5000 && !stop.get(); i++) {
                        try {
                            accepted.add(hub.spawn(() -> 1));
                            accepted.add(hub.spawnLater(millis(1), () -> 1));
                        } catch (IllegalStateException e) {
                            return;
                        }
                    }
                }));
            }
            running.await();
            hub.close();
            stop.set(true);
            for (Thread each : threads) {
                each.join();
            }
            for (Greenlet<?> each : List.copyOf(accepted)) {
                assertThat(each.join(LONG)).as("round %s: %s", round, each).isTrue();
            }
        }
    }

    @Test
    void errorsAreReportedWithTheirGreenletBeforeThoseWhoWaitGoOn() {
        Hub.current().onError((greenlet, error) -> note(greenlet.name() + ": " + error.getMessage()));
        Greenlet<Void> g = spawn("bad", () -> {
            throw new IllegalStateException("boom");
        });
        spawn(() -> {
            g.join();
            note("waited");
        });
        g.join();
        yieldNow();
        assertThat(log).containsExactly("bad: boom", "waited");
    }

    @Test
    void anErrorInTheErrorHandlerHarmsNothing() {
        Hub.current().onError((greenlet, error) -> {
            throw new UnsupportedOperationException("in the handler: this stack trace is expected");
        });
        Greenlet<Void> g = spawn(() -> {
            throw new IllegalStateException("boom");
        });
        assertThatThrownBy(g::value).hasMessage("boom");
        assertThat(spawn(() -> 2).value()).isEqualTo(2);
    }

    @Test
    void theErrorHandlerMayBlockAndOthersRunMeanwhile() {
        Hub.current().onError((greenlet, error) -> {
            sleep(millis(10));
            note("handled");
        });
        Greenlet<Void> g = spawn(() -> {
            throw new IllegalStateException("boom");
        });
        spawn(() -> note("other"));
        g.join();
        assertThat(log).containsExactly("other", "handled");
    }

    @Test
    void exitsAreNotReported() {
        List<Throwable> errors = errors();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        Greenlet<Void> self = spawn(() -> {
            throw new GreenletExit("mine");
        });
        yieldNow();
        g.kill();
        self.join();
        assertThat(errors).isEmpty();
        assertThat(self.successful()).isTrue();
    }

    @Test
    void runMakesTheCallersCodeAGreenletAndGivesItsResultOrError() throws Exception {
        List<Throwable> errors = errors();
        assertThat(Loomlet.<Boolean>run(() -> Loomlet.current().isPresent())).isTrue();
        assertThat(Loomlet.<Integer>run(() -> Loomlet.run(() -> 4))).isEqualTo(4);
        java.io.IOException error = new java.io.IOException("as it is");
        assertThatThrownBy(() -> Loomlet.run(() -> {
            throw error;
        })).isSameAs(error);
        assertThat(errors).isEmpty();
    }

    @Test
    void anInterruptEndsTheWaitOfItsThreadAndNothingElse() {
        Thread main = Thread.currentThread();
        Greenlet<Integer> g = spawn(() -> {
            main.interrupt();
            sleep(millis(20));
            return 1;
        });
        assertThatThrownBy(g::join).isInstanceOf(GreenletExit.class).hasCauseInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(g.value()).isEqualTo(1);
    }

    @Test
    void anInterruptBeforeTheWaitEndsItToo() {
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        Thread.currentThread().interrupt();
        assertThatThrownBy(g::get).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(g.isAlive()).isTrue();
    }

    @Test
    void anInterruptFromAnotherThreadEndsAWaitInWhichNothingHappens() throws InterruptedException {
        Thread main = Thread.currentThread();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        for (int i = 0; i < 200; i++) {
            Thread thread = Thread.ofPlatform().start(main::interrupt);
            assertThatThrownBy(g::join).isInstanceOf(GreenletExit.class);
            thread.join();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void idleWaitsUntilNothingElseIsToBeDone() {
        for (int i = 0; i < 3; i++) {
            spawn(() -> {
                for (int k = 0; k < 5; k++) {
                    yieldNow();
                }
                note("busy one");
            });
        }
        Loomlet.idle();
        assertThat(log).hasSize(3);
        Greenlet<Void> idler = spawn(() -> {
            Loomlet.idle();
            note("idle");
        });
        spawn(() -> {
            yieldNow();
            yieldNow();
            note("work");
        });
        idler.join();
        assertThat(log.subList(3, 5)).containsExactly("work", "idle");
    }

    @Test
    void sleepOfZeroLetsEveryReadyOneRunFirst() {
        for (int i = 0; i < 1000; i++) {
            spawn(() -> note("x"));
        }
        sleep(Duration.ZERO);
        assertThat(log).hasSize(1000);
        sleep(Duration.ofSeconds(-1));
        sleep(Duration.ofNanos(1));
    }

    @Test
    void twoHubsWaitForOneAnother() {
        try (Hub other = Hub.start("other")) {
            Greenlet<Integer> g = spawn(() -> {
                Greenlet<Integer> there = other.spawn(() -> {
                    Greenlet<Integer> back = Hub.all().stream().filter(each -> each != other).findFirst().orElseThrow()
                            .spawn(() -> 20);
                    return back.value() + 1;
                });
                return there.value() + 1;
            });
            assertThat(g.value()).isEqualTo(22);
        }
    }

    @Test
    void waitingOnAForeignThreadBlocksThatThreadOnly() throws Exception {
        AtomicInteger got = new AtomicInteger();
        Greenlet<Integer> g = spawn(() -> {
            sleep(millis(5));
            return 5;
        });
        Thread foreign = Thread.ofPlatform().start(() -> got.set(g.value()));
        until(() -> got.get() == 5);
        foreign.join();
    }
}
