package dev.loomlet.sync;

import static dev.loomlet.Loomlet.asCompleted;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.spawnLater;
import static dev.loomlet.Loomlet.waitAll;
import static dev.loomlet.Loomlet.waitSome;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Timeout;
import dev.loomlet.TimeoutExpired;
import dev.loomlet.Waitable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Corners of waiting that gevent's own tests pin down. */
class CornersTest extends HubTest {
    private static final Duration SHORT = Duration.ofMillis(5);
    private static final Duration LONG = Duration.ofSeconds(20);

    private final List<Object> log = new ArrayList<>();

    // --- events

    @ParameterizedTest
    @ValueSource(ints = {1, 100, 1000})
    void setAndClearInOneStepReleasesAllOfMany(int n) {
        Event event = new Event();
        List<Greenlet<Void>> waiters = IntStream.range(0, n).mapToObj(_ -> spawn(() -> event.await())).toList();
        yieldNow();
        assertThat(event.waiters()).isEqualTo(n);
        event.set();
        event.clear();
        assertThat(joinAll(waiters, LONG)).hasSize(n);
        assertThat(event.isSet()).isFalse();
    }

    @Test
    void anEventThatIsSetIsReadyForEachWaitForMany() {
        Event event = new Event();
        event.set();
        assertThat(waitAll(List.of(event))).containsExactly(event);
        assertThat(waitAll(List.of(event))).containsExactly(event);
    }

    @Test
    void whoIsReleasedAndClearsTheEventWaitsForTheNextSet() {
        Event event = new Event();
        spawn(() -> {
            Greenlet<Void> setter = spawn(() -> event.set());
            event.await();
            setter.join();
            event.clear();
            log.addAll(waitAll(List.of(event), SHORT)); // its release was used up
            log.add(event.isSet());
        }).join();
        assertThat(log).containsExactly(false);
    }

    // --- many things at once

    @Test
    void eventsAndResultsAreWaitedForTogetherUpToACount() {
        List<Waitable> objects = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            objects.add(new Event());
            objects.add(new AsyncResult<Integer>());
        }
        List<Waitable> left = new ArrayList<>(objects);
        Greenlet<Void> sender = spawn(() -> {
            for (int i = left.size() - 1; i >= 0; i--) {
                sleep(Duration.ofMillis(1));
                if (left.get(i) instanceof Event event) {
                    event.set();
                } else if (left.get(i) instanceof AsyncResult<?> result) {
                    result.setException(new IOException("an error is an outcome too"));
                }
            }
        });
        List<Waitable> two = waitSome(objects, LONG, 2);
        assertThat(two).containsExactly(objects.get(9), objects.get(8));
        assertThat(sender.ready()).isFalse();
        assertThat(waitAll(objects)).hasSize(10).containsExactlyInAnyOrderElementsOf(objects);
        sender.join();
    }

    @Test
    void whatEndsWithAnErrorIsCompletedLikeTheOthersAndThrowsNothingIntoTheLoop() {
        Hub.current().onError((_, error) -> log.add(error.getMessage()));
        Greenlet<Integer> before = spawn(() -> 0);
        before.join();
        List<Greenlet<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int number = i;
            all.add(spawn(() -> {
                if (number == 2) {
                    throw new IOException("the third");
                }
                return number;
            }));
        }
        all.add(before);
        int finished = 0;
        for (Greenlet<Integer> each : asCompleted(all)) {
            assertThat(each.ready()).isTrue();
            sleep(Duration.ofMillis(1));
            finished++;
        }
        assertThat(finished).isEqualTo(4);
        assertThat(log).containsExactly("the third");
    }

    @Test
    void asCompletedTakesSemaphoresAndLeavesTheirPermits() {
        Semaphore one = new Semaphore(0);
        Semaphore other = new Semaphore(0);
        spawn(() -> one.release());
        try (var done = asCompleted(List.of(one, other))) {
            assertThat(done.iterator().next()).isSameAs(one);
            assertThat(other.state.watching.size()).isEqualTo(1);
        }
        assertThat(other.state.watching.size()).isZero();
        assertThat(one.permits()).isEqualTo(1);
        assertThat(waitAll(List.of(one))).containsExactly(one);
    }

    @Test
    void theSameGreenletMayBeJoinedTwiceInOneCall() {
        Greenlet<Integer> one = spawn(() -> 1);
        Greenlet<Integer> other = spawn(() -> 2);
        assertThat(joinAll(List.of(one, other, one))).contains(one, other);
    }

    // --- links into queues, channels and results

    @Test
    void aQueueOrAChannelCanBeALinkAlsoAfterTheEnd() {
        Queue<Greenlet<Integer>> queue = new Queue<>(1);
        Channel<Greenlet<Integer>> channel = new Channel<>();
        Greenlet<Integer> greenlet = spawn(() -> 100);
        for (int i = 0; i < 3; i++) {
            greenlet.link(queue::put);
            greenlet.link(channel::send);
            assertThat(queue.take()).isSameAs(greenlet);
            assertThat(channel.receive().value()).isEqualTo(100);
        }
    }

    @Test
    void resultsAsLinksForValuesAndErrorsOnlyHearOfThose() {
        Hub.current().onError((_, _) -> {});
        AsyncResult<Integer> value = new AsyncResult<>();
        AsyncResult<Integer> noError = new AsyncResult<>();
        Greenlet<Integer> good = spawn(() -> 1);
        good.linkValue(value);
        good.linkException(noError);
        assertThat(value.get()).isEqualTo(1);

        AsyncResult<Integer> error = new AsyncResult<>();
        AsyncResult<Integer> noValue = new AsyncResult<>();
        Greenlet<Integer> bad = spawn(() -> {
            throw new IllegalStateException("bad");
        });
        bad.linkValue(noValue);
        bad.linkException(error);
        assertThatThrownBy(error::get).hasStackTraceContaining("bad");

        AsyncResult<Integer> exit = new AsyncResult<>(); // a kill counts as a value
        AsyncResult<Integer> noExit = new AsyncResult<>();
        Greenlet<Integer> killed = spawn(() -> {
            sleep(LONG);
            return 1;
        });
        killed.linkValue(exit);
        killed.linkException(noExit);
        yieldNow();
        killed.kill();
        assertThatThrownBy(exit::get).isInstanceOfAny(CancellationException.class, GreenletExit.class);
        sleep(SHORT);
        assertThat(noError.ready()).isFalse();
        assertThat(noValue.ready()).isFalse();
        assertThat(noExit.ready()).isFalse();
    }

    // --- queues

    @Test
    void takersThatAllTimedOutLeaveTheItemToTheNext() {
        Queue<String> queue = new Queue<>();
        for (int i = 0; i < 2; i++) {
            spawn(() -> {
                try (Timeout _ = Timeout.after(Duration.ZERO, IllegalStateException::new)) {
                    log.add(queue.take());
                } catch (IllegalStateException e) {
                    log.add("timed out");
                }
            });
        }
        sleep(SHORT);
        queue.put("sent");
        assertThat(log).containsExactly("timed out", "timed out");
        assertThat(queue.take()).isEqualTo("sent");
    }

    @Test
    void itemsArriveOneByOneWithTheirTakers() {
        Queue<String> queue = new Queue<>();
        List<AsyncResult<String>> results = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            AsyncResult<String> result = new AsyncResult<>();
            results.add(result);
            spawn(() -> result.set(queue.take()));
        }
        yieldNow();
        queue.put("1");
        assertThat(waitAll(results, SHORT)).containsExactly(results.get(0));
        queue.put("2");
        queue.put("3");
        queue.put("4");
        assertThat(waitAll(results)).hasSize(4);
        assertThat(results).extracting(AsyncResult::get).containsExactly("1", "2", "3", "4");
    }

    @Test
    void aPeekerAndATakerAreBothServedByOneItem() {
        Queue<Integer> queue = new Queue<>();
        Greenlet<Integer> peeker = spawn(() -> queue.peek());
        yieldNow();
        queue.put(1);
        assertThat(peeker.value()).isEqualTo(1);
        assertThat(queue.peek()).isEqualTo(1);
        assertThat(queue.peek(SHORT)).contains(1);
        assertThat(queue.take()).isEqualTo(1);
        assertThat(queue.peek(SHORT)).isEmpty();
    }

    @Test
    void joiningAQueueIntoWhichNothingWasPutDoesNotWait() {
        JoinableQueue<String> queue = new JoinableQueue<>();
        queue.join();
        assertThat(queue.unfinished()).isZero();
        assertThat(Hub.ifPresent()).isEmpty(); // nothing that needs one has happened
    }

    @Test
    void afterAnImmediateShutDownNothingIsUnfinished() {
        JoinableQueue<String> queue = new JoinableQueue<>();
        queue.put("L");
        queue.put("O");
        assertThat(queue.shutDownNow()).containsExactly("L", "O");
        assertThatThrownBy(() -> queue.put("E")).isInstanceOf(ShutDown.class);
        assertThatThrownBy(() -> queue.offer("W")).isInstanceOf(ShutDown.class);
        assertThatThrownBy(queue::take).isInstanceOf(ShutDown.class);
        assertThatThrownBy(queue::poll).isInstanceOf(ShutDown.class);
        assertThatThrownBy(queue::taskDone).isInstanceOf(IllegalStateException.class);
        queue.join();
    }

    @Test
    void afterAShutDownTheRestIsTakenReportedAndJoined() {
        JoinableQueue<String> queue = new JoinableQueue<>();
        queue.put("L");
        queue.put("O");
        queue.shutDown();
        assertThatThrownBy(() -> queue.put("E")).isInstanceOf(ShutDown.class);
        for (int i = 0; i < 2; i++) {
            queue.take();
            queue.taskDone();
        }
        queue.join();
        assertThatThrownBy(() -> queue.poll(SHORT)).isInstanceOf(ShutDown.class);
    }

    // --- channels

    @Test
    void senderAndReceiverGoOnInTheOrderOfGevents() {
        Channel<String> channel = new Channel<>();
        Greenlet<Void> receiver = spawn(() -> {
            log.add(channel.receive());
            log.add(channel.receive());
        });
        log.add("sending");
        channel.send("hello");
        log.add("sent hello");
        channel.send("world");
        log.add("sent world");
        assertThat(log).containsExactly("sending", "hello", "sent hello", "world", "sent world");
        receiver.join();
    }

    @Test
    void aReceiverThatComesFirstGoesOnBeforeItsSender() {
        Channel<String> channel = new Channel<>();
        Greenlet<Void> sender = spawn(() -> {
            log.add("sending hello");
            channel.send("hello");
            log.add("sending world");
            channel.send("world");
            log.add("sent world");
        });
        log.add("waiting");
        log.add(channel.receive());
        log.add(channel.receive());
        assertThat(log).containsExactly("waiting", "sending hello", "hello", "sending world", "world");
        yieldNow();
        assertThat(log).hasSize(6).last().isEqualTo("sent world");
        sender.join();
    }

    @Test
    void aReceiverThatDoesNotWaitTakesFromASenderThatDoes() {
        Channel<Integer> channel = new Channel<>();
        Greenlet<Void> sender = spawn(() -> channel.send(5));
        assertThat(channel.tryReceive()).isEmpty();
        yieldNow();
        assertThat(channel.senders()).isEqualTo(1);
        assertThat(channel.tryReceive()).contains(5);
        sender.join();
        assertThat(channel.trySend(6)).isFalse();
    }

    // --- semaphores and locks across threads

    private interface Lock {
        boolean acquire(Duration timeout);

        void release();
    }

    private static List<Lock> locks() {
        Semaphore semaphore = new Semaphore();
        BoundedSemaphore bounded = new BoundedSemaphore();
        RLock lock = new RLock();
        return List.of(lock(semaphore::tryAcquire, semaphore::release), lock(bounded::tryAcquire, bounded::release),
                lock(lock::tryLock, lock::unlock));
    }

    private static Lock lock(java.util.function.Predicate<Duration> acquire, Runnable release) {
        return new Lock() {
            @Override
            public boolean acquire(Duration timeout) {
                return acquire.test(timeout);
            }

            @Override
            public void release() {
                release.run();
            }
        };
    }

    @Test
    void threadsAndHubsDuelForOneLockAndNobodyIsLost() throws Exception {
        for (Lock lock : locks()) {
            int rounds = 3000;
            AtomicInteger inside = new AtomicInteger();
            int[] count = new int[1]; // guarded by the lock
            List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                boolean onHub = t > 0;
                Runnable duel = () -> {
                    try {
                        for (int i = 0; i < rounds; i++) {
                            assertThat(lock.acquire(LONG)).isTrue();
                            assertThat(inside.incrementAndGet()).isEqualTo(1);
                            count[0]++;
                            if (i % 1000 == 0) {
                                Thread.sleep(1); // the others queue up
                            }
                            inside.decrementAndGet();
                            lock.release();
                        }
                    } catch (Throwable e) {
                        errors.add(e);
                    }
                };
                Thread thread = Thread.ofPlatform().unstarted(() -> {
                    if (onHub) {
                        try {
                            run(duel::run);
                        } catch (Exception e) {
                            errors.add(e);
                        } finally {
                            Hub.ifPresent().ifPresent(Hub::close);
                        }
                    } else {
                        duel.run();
                    }
                });
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join(LONG);
                assertThat(thread.isAlive()).isFalse();
            }
            assertThat(errors).isEmpty();
            assertThat(count[0]).isEqualTo(3 * rounds);
        }
    }

    @Test
    void aThreadThatGivesUpLeavesTheLockToOthers() throws Exception {
        for (Lock lock : locks()) {
            assertThat(lock.acquire(SHORT)).isTrue();
            AtomicInteger result = new AtomicInteger(-1);
            Thread thread = Thread.ofPlatform().start(() -> result.set(lock.acquire(SHORT) ? 1 : 0));
            thread.join(LONG);
            assertThat(result).hasValue(0);
            lock.release();
            Greenlet<Boolean> next = spawn(() -> lock.acquire(SHORT));
            assertThat(next.value()).isTrue();
            closeTheHub();
        }
    }

    @Test
    void aPermitReleasedHereIsAcquiredInAnotherThread() throws Exception {
        for (Lock lock : List.of(locks().get(0), locks().get(1))) {
            assertThat(lock.acquire(SHORT)).isTrue();
            CountDownLatch running = new CountDownLatch(1);
            AtomicInteger result = new AtomicInteger(-1);
            Thread thread = Thread.ofPlatform().start(() -> {
                running.countDown();
                result.set(lock.acquire(LONG) ? 1 : 0);
            });
            assertThat(running.await(20, TimeUnit.SECONDS)).isTrue();
            lock.release();
            thread.join(LONG);
            assertThat(result).hasValue(1);
        }
    }

    /** Two who release and acquire by way of ever new greenlets must not pass a permit by one who waits. */
    @Test
    void whoWaitsIsNotStarvedByThoseWhoReleaseAndComeBack() {
        Semaphore semaphore = new Semaphore();
        AtomicInteger rounds = new AtomicInteger();
        boolean[] quit = new boolean[1];
        class Chain {
            void acquire() {
                if (!quit[0] && rounds.incrementAndGet() < 10_000) {
                    semaphore.acquire();
                    spawn(() -> release()).join();
                }
            }

            void release() {
                semaphore.release();
                if (!quit[0]) {
                    spawn(() -> acquire()).join();
                }
            }
        }
        Chain chain = new Chain();
        Greenlet<Void> one = spawn(() -> chain.acquire());
        Greenlet<Void> other = spawn(() -> chain.acquire());
        Greenlet<Void> exiting = spawn(() -> {
            semaphore.acquire();
            quit[0] = true;
        });
        assertThat(exiting.join(LONG)).isTrue();
        assertThat(rounds.get()).isLessThan(10);
        one.kill();
        other.kill();
    }

    // --- timeouts

    @Test
    void aTimeoutIsStartedAgainAfterItHasExpired() {
        Timeout timeout = Timeout.unstarted(SHORT);
        for (int i = 0; i < 2; i++) {
            assertThat(timeout.pending()).isFalse();
            timeout.start();
            assertThat(timeout.pending()).isTrue();
            assertThatThrownBy(() -> new Event().await(LONG)).isInstanceOfSatisfying(TimeoutExpired.class,
                    expired -> assertThat(expired.timeout()).isSameAs(timeout));
            assertThat(timeout.fired()).isTrue();
        }
        timeout.close();
        sleep(Duration.ofMillis(10));
    }

    @Test
    void aLoopThatOnlyGivesWayEndsWithItsTime() {
        assertThatThrownBy(() -> {
            try (Timeout _ = Timeout.after(SHORT)) {
                for (;;) {
                    yieldNow();
                }
            }
        }).isInstanceOf(TimeoutExpired.class);
        Greenlet<Boolean> greenlet = spawn(() -> {
            try (Timeout _ = Timeout.after(SHORT)) {
                for (;;) {
                    sleep(Duration.ZERO);
                }
            } catch (TimeoutExpired e) {
                return true;
            }
        });
        assertThat(greenlet.value()).isTrue();
    }

    @Test
    void ofNestedOnesTheOtherIsStillPendingWhenOneHasFired() {
        try (Timeout outer = Timeout.after(LONG)) {
            try (Timeout inner = Timeout.after(SHORT)) {
                assertThatThrownBy(() -> sleep(LONG)).isInstanceOf(TimeoutExpired.class);
                assertThat(outer.pending()).isTrue();
                assertThat(inner.pending()).isFalse();
            }
        }
        try (Timeout outer = Timeout.after(SHORT)) {
            try (Timeout inner = Timeout.after(LONG)) {
                assertThatThrownBy(() -> sleep(LONG)).isInstanceOf(TimeoutExpired.class);
                assertThat(outer.pending()).isFalse();
                assertThat(inner.pending()).isTrue();
            }
        }
    }

    @Test
    void oneThatIsCancelledInItsBlockNeverFires() {
        try (Timeout timeout = Timeout.after(SHORT)) {
            timeout.cancel();
            sleep(Duration.ofMillis(15));
            assertThat(timeout.pending()).isFalse();
            assertThat(timeout.fired()).isFalse();
        }
    }

    @Test
    void somethingSetLaterIsNotAheadOfATimeoutThatIsDueFirst() {
        AsyncResult<String> result = new AsyncResult<>();
        Greenlet<Boolean> setter = spawnLater(Duration.ofMillis(50), () -> result.set("hello"));
        assertThatThrownBy(() -> {
            try (Timeout _ = Timeout.after(Duration.ZERO, () -> new IOException("interrupted"))) {
                result.get();
            }
        }).isInstanceOf(IOException.class);
        assertThat(result.get()).isEqualTo("hello");
        setter.join();
    }
}
