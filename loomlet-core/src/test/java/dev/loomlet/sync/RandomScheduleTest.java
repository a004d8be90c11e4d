package dev.loomlet.sync;

import static dev.loomlet.Loomlet.after;
import static dev.loomlet.Loomlet.asCompleted;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.select;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.waitAll;
import static dev.loomlet.Loomlet.waitAny;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Scope;
import dev.loomlet.Selected;
import dev.loomlet.Timeout;
import dev.loomlet.TimeoutExpired;
import dev.loomlet.pool.ThreadPool;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Many short runs of random greenlets that use one primitive while they are killed and timed out at random, each followed by
 * a look at what must be true whatever happened: nothing lost, nothing twice, nobody left in a line. The seed of a run that
 * fails is printed; {@code -Dloomlet.schedules=100000} runs more, {@code -Dloomlet.seed=...} one.
 */
class RandomScheduleTest extends HubTest {
    private static final int RUNS = Integer.getInteger("loomlet.schedules", 400);
    private static final Duration LONG = Duration.ofSeconds(20);

    /** What is checked of one run. */
    private interface Run {
        void with(Schedule schedule) throws Exception;
    }

    /** One run: its random numbers and its greenlets. */
    private static final class Schedule {
        final Random random;
        final List<Greenlet<?>> all = new ArrayList<>();

        Schedule(long seed) {
            random = new Random(seed);
        }

        int next(int bound) {
            return random.nextInt(bound);
        }

        void start(dev.loomlet.Action body) {
            all.add(spawn(body));
        }

        /** Does something for the schedule only, between two steps of a greenlet. */
        void pause() {
            switch (next(6)) {
                case 0 -> yieldNow();
                case 1 -> sleep(Duration.ofNanos(next(200_000)));
                default -> {
                }
            }
        }

        /** Runs a wait, sometimes under a timeout that may strike; tells whether it came to its end. */
        boolean maybeTimed(BooleanSupplier wait) {
            if (next(3) != 0) {
                return wait.getAsBoolean();
            }
            try (Timeout _ = Timeout.after(Duration.ofNanos(next(300_000) - 10_000))) {
                return wait.getAsBoolean();
            } catch (TimeoutExpired e) {
                return false;
            }
        }

        /** Kills some at random while they run, then the rest. */
        void killSome() {
            for (int i = 0; i < all.size(); i++) {
                pause();
                if (next(2) == 0) {
                    all.get(next(all.size())).kill(new GreenletExit("random"), false, Duration.ZERO);
                }
            }
            sleep(Duration.ofNanos(next(300_000)));
            end();
        }

        void end() {
            for (Greenlet<?> each : all) {
                each.kill(new GreenletExit("end of run"), false, Duration.ZERO);
            }
            assertThat(joinAll(all, LONG)).as("greenlets that ended").hasSize(all.size());
            assertThat(all).allMatch(Greenlet::successful, "ended without an error");
        }
    }

    private static void explore(Run run) throws Exception {
        long fixed = Long.getLong("loomlet.seed", 0);
        long first = fixed != 0 ? fixed : System.nanoTime();
        for (long seed = first; seed < first + (fixed != 0 ? 1 : RUNS); seed++) {
            try {
                run.with(new Schedule(seed));
            } catch (Throwable t) {
                throw new AssertionError("failed with -Dloomlet.seed=" + seed, t);
            }
        }
        assertThat(Hub.current().liveGreenlets()).isZero();
    }

    @Test
    void aSemaphoreLosesNoPermit() throws Exception {
        explore(run -> {
            int permits = 1 + run.next(3);
            Semaphore semaphore = new Semaphore(permits);
            int[] inside = new int[1];
            for (int g = 2 + run.next(6); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        boolean got = run.next(3) == 0
                                ? run.maybeTimed(() -> semaphore.tryAcquire(Duration.ofNanos(run.next(100_000))))
                                : run.maybeTimed(() -> {
                                    semaphore.acquire();
                                    return true;
                                });
                        if (got) {
                            try {
                                assertThat(++inside[0]).isLessThanOrEqualTo(permits);
                                run.pause();
                            } finally {
                                inside[0]--;
                                semaphore.release();
                            }
                        }
                    }
                });
            }
            run.killSome();
            assertThat(semaphore.permits()).isEqualTo(permits);
            assertThat(semaphore.waiters()).isZero();
        });
    }

    @Test
    void anRLockIsOnesOwnAndFreeAtTheEnd() throws Exception {
        explore(run -> {
            RLock lock = new RLock();
            Condition condition = lock.newCondition();
            int[] inside = new int[1];
            for (int g = 2 + run.next(6); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        boolean got = run.maybeTimed(() -> {
                            lock.lock();
                            return true;
                        });
                        if (!got) {
                            continue;
                        }
                        try {
                            assertThat(++inside[0]).isEqualTo(1);
                            run.pause();
                            if (run.next(3) == 0) {
                                inside[0]--;
                                try {
                                    run.maybeTimed(() -> condition.await(Duration.ofNanos(run.next(200_000))));
                                } finally {
                                    assertThat(lock.isMine()).isTrue();
                                    assertThat(++inside[0]).isEqualTo(1);
                                }
                            } else if (run.next(2) == 0) {
                                condition.signal();
                            }
                        } finally {
                            inside[0]--;
                            lock.unlock();
                        }
                    }
                });
            }
            run.killSome();
            assertThat(lock.isLocked()).isFalse();
            assertThat(lock.toString()).contains("0 waiting");
        });
    }

    @Test
    void aQueueLosesNothingAndGivesNothingTwice() throws Exception {
        explore(run -> {
            int kind = run.next(4);
            Queue<Integer> queue = switch (kind) {
                case 0 -> new Queue<>();
                case 1 -> Queue.rendezvous();
                case 2 -> new PriorityQueue<>(1 + run.next(3));
                default -> new Queue<>(1 + run.next(3));
            };
            List<Integer> in = new ArrayList<>();
            List<Integer> out = new ArrayList<>();
            int[] number = new int[1];
            for (int g = 1 + run.next(4); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 6; i++) {
                        int item = number[0]++;
                        boolean put = switch (run.next(3)) {
                            case 0 -> run.maybeTimed(() -> queue.offer(item, Duration.ofNanos(run.next(100_000))));
                            case 1 -> run.maybeTimed(() -> select(queue.putting(item),
                                    after(Duration.ofNanos(run.next(200_000)))) instanceof Selected.Sent<?>);
                            default -> run.maybeTimed(() -> {
                                queue.put(item);
                                return true;
                            });
                        };
                        if (put) {
                            in.add(item);
                        }
                        run.pause();
                    }
                });
                run.start(() -> {
                    for (;;) {
                        run.maybeTimed(() -> {
                            switch (run.next(4)) {
                                case 0 -> queue.poll(Duration.ofNanos(run.next(100_000))).ifPresent(out::add);
                                case 1 -> {
                                    if (select(queue.taking(),
                                            after(Duration.ofNanos(run.next(200_000)))) instanceof Selected.Received<
                                                    ?>(Integer item)) {
                                        out.add(item);
                                    }
                                }
                                case 2 -> queue.peek(Duration.ofNanos(run.next(50_000)));
                                default -> out.add(queue.take());
                            }
                            return true;
                        });
                        run.pause();
                    }
                });
            }
            run.killSome();
            out.addAll(queue.shutDownNow());
            Collections.sort(in);
            Collections.sort(out);
            assertThat(out).isEqualTo(in);
            assertThat(queue.waitingToTake()).isZero();
            assertThat(queue.waitingToPut()).isZero();
        });
    }

    @Test
    void channelsAndSelectsDeliverEachItemOnce() throws Exception {
        explore(run -> {
            List<Channel<Integer>> channels = List.of(new Channel<>(), new Channel<>(), new Channel<>());
            List<Integer> in = new ArrayList<>();
            List<Integer> out = new ArrayList<>();
            int[] number = new int[1];
            for (int g = 2 + run.next(5); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 8; i++) {
                        Channel<Integer> one = channels.get(run.next(3));
                        Channel<Integer> two = channels.get(run.next(3));
                        int item = number[0]++;
                        run.maybeTimed(() -> {
                            Selected selected = switch (run.next(4)) {
                                case 0 -> select(one.sending(item), two.receiving());
                                case 1 -> select(one.sending(item), two.sending(item),
                                        after(Duration.ofNanos(run.next(200_000))));
                                case 2 -> select(one.receiving(), two.receiving());
                                default -> one.trySend(item, Duration.ofNanos(run.next(200_000)))
                                        ? new Selected.Sent<>(item) : new Selected.Elapsed(Duration.ZERO);
                            };
                            if (selected instanceof Selected.Sent<?>) {
                                in.add(item);
                            } else if (selected instanceof Selected.Received<?>(Integer received)) {
                                out.add(received);
                            }
                            return true;
                        });
                        run.pause();
                    }
                });
            }
            run.killSome();
            Collections.sort(in);
            Collections.sort(out);
            assertThat(out).isEqualTo(in);
            for (Channel<Integer> each : channels) {
                assertThat(each.senders()).isZero();
                assertThat(each.receivers()).isZero();
            }
        });
    }

    @Test
    void anEventIsSeenByAllWhoWaitWhenItIsSet() throws Exception {
        explore(run -> {
            Event event = new Event();
            int[] sets = new int[1];
            for (int g = 2 + run.next(6); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        int before = sets[0];
                        boolean was = event.isSet();
                        boolean set = run.maybeTimed(() -> event.await(Duration.ofNanos(run.next(300_000))));
                        if (set) {
                            assertThat(was || sets[0] > before).isTrue();
                        }
                        run.pause();
                    }
                });
            }
            run.start(() -> {
                for (;;) {
                    sets[0]++;
                    event.set();
                    if (run.next(2) == 0) {
                        yieldNow();
                    }
                    event.clear();
                    sleep(Duration.ofNanos(run.next(200_000)));
                }
            });
            run.killSome();
            assertThat(event.waiters()).isZero();
            event.set();
            long start = System.nanoTime();
            event.await();
            assertThat(System.nanoTime() - start).isLessThan(LONG.toNanos());
        });
    }

    @Test
    void aJoinableQueueIsDoneWhenAllWasReported() throws Exception {
        explore(run -> {
            JoinableQueue<Integer> queue = new JoinableQueue<>(2);
            for (int g = 1 + run.next(3); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        run.maybeTimed(() -> {
                            queue.put(1);
                            return true;
                        });
                        run.pause();
                    }
                });
                run.start(() -> {
                    for (;;) {
                        queue.take();
                        queue.taskDone();
                        run.pause();
                    }
                });
                run.start(() -> run.maybeTimed(() -> queue.join(Duration.ofNanos(run.next(500_000)))));
            }
            run.killSome();
            queue.shutDownNow();
            assertThat(queue.unfinished()).isZero();
            assertThat(queue.join(Duration.ZERO)).isTrue();
        });
    }

    @Test
    void aBarrierLetsAllOfOnePassGoTogetherOrIsBrokenForAll() throws Exception {
        explore(run -> {
            int parties = 1 + run.next(4);
            Barrier barrier = new Barrier(parties);
            List<Integer> places = new ArrayList<>(); // what await() gave, of those who passed
            for (int g = parties + run.next(4); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 4; i++) {
                        try {
                            run.maybeTimed(() -> {
                                places.add(run.next(3) == 0
                                        ? barrier.await(Duration.ofNanos(run.next(300_000))) : barrier.await());
                                return true;
                            });
                        } catch (BarrierBroken e) {
                            if (run.next(2) == 0) {
                                barrier.reset();
                            }
                        }
                        run.pause();
                    }
                });
            }
            run.killSome();
            // Each pass has one last, who does not wait and so is always counted, and one for each other place, who may
            // have been killed between his wait and his turn.
            int passes = Collections.frequency(places, 0);
            assertThat(places).allMatch(each -> each >= 0 && each < parties);
            for (int place = 1; place < parties; place++) {
                assertThat(Collections.frequency(places, place)).isLessThanOrEqualTo(passes);
            }
            assertThat(barrier.waiters()).as("nobody is left in it").isZero();
            barrier.reset();
            List<Greenlet<Integer>> fresh = new ArrayList<>();
            for (int g = 0; g < parties; g++) {
                fresh.add(spawn(() -> barrier.await(LONG)));
            }
            joinAll(fresh);
            assertThat(fresh.stream().map(Greenlet::value).sorted().toList())
                    .isEqualTo(IntStream.range(0, parties).boxed().toList());
        });
    }

    @Test
    void aConditionWakesAsManyAsItWasSignalled() throws Exception {
        explore(run -> {
            RLock lock = new RLock();
            Condition condition = lock.newCondition();
            int[] tokens = new int[1]; // what is waited for; as many are given as taken or left
            int[] given = new int[1];
            int[] taken = new int[1];
            for (int g = 1 + run.next(4); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        lock.lock();
                        try {
                            boolean there = run.maybeTimed(() -> run.next(3) == 0
                                    ? condition.awaitUntil(() -> tokens[0] > 0, Duration.ofNanos(run.next(200_000)))
                                    : awaited(condition, tokens));
                            if (there) {
                                tokens[0]--;
                                taken[0]++;
                            }
                            assertThat(tokens[0]).isNotNegative();
                        } finally {
                            lock.unlock();
                        }
                        run.pause();
                    }
                });
                run.start(() -> {
                    for (int i = 0; i < 5; i++) {
                        lock.lock();
                        try {
                            tokens[0]++;
                            given[0]++;
                            if (run.next(3) == 0) {
                                condition.signalAll();
                            } else {
                                condition.signal();
                            }
                        } finally {
                            lock.unlock();
                        }
                        run.pause();
                    }
                });
            }
            // nobody stays asleep beside a token: when all givers are through, either no token is left or nobody waits
            run.killSome();
            assertThat(taken[0] + tokens[0]).isEqualTo(given[0]);
            assertThat(lock.isLocked()).isFalse();
        });
    }

    private static boolean awaited(Condition condition, int[] tokens) {
        condition.awaitUntil(() -> tokens[0] > 0);
        return true;
    }

    @Test
    void asManyTakersOfTokensAsThereAreAllGetOne() throws Exception {
        explore(run -> {
            RLock lock = new RLock();
            Condition condition = lock.newCondition();
            int[] tokens = new int[1];
            int takers = 1 + run.next(5);
            List<Greenlet<?>> killed = new ArrayList<>();
            List<Greenlet<?>> sure = new ArrayList<>();
            for (int g = 0; g < 2 * takers; g++) {
                (g % 2 == 0 ? sure : killed).add(spawn(() -> {
                    lock.lock();
                    try {
                        try {
                            condition.awaitUntil(() -> tokens[0] > 0);
                            tokens[0]--;
                        } catch (GreenletExit e) {
                            condition.signal(); // it may have been signalled: passes that on, as with any condition
                            throw e;
                        }
                    } finally {
                        lock.unlock();
                    }
                }));
            }
            Greenlet<Void> giver = spawn(() -> {
                for (int i = 0; i < 2 * takers; i++) {
                    lock.lock();
                    try {
                        tokens[0]++;
                        condition.signal();
                    } finally {
                        lock.unlock();
                    }
                    run.pause();
                }
            });
            for (Greenlet<?> each : killed) {
                run.pause();
                each.kill(new GreenletExit("random"), false, Duration.ZERO);
            }
            assertThat(joinAll(sure, LONG)).as("those who got a token").hasSize(takers);
            assertThat(joinAll(killed, LONG)).hasSize(takers);
            giver.join();
        });
    }

    @Test
    void aResultHasOneOutcomeThatAllSee() throws Exception {
        explore(run -> {
            AsyncResult<Integer> result = new AsyncResult<>();
            List<Integer> first = new ArrayList<>();
            List<Integer> seen = new ArrayList<>();
            for (int g = 2 + run.next(5); g > 0; g--) {
                int number = g;
                run.start(() -> run.maybeTimed(() -> {
                    if (run.next(2) == 0) {
                        seen.add(result.get());
                    } else {
                        result.get(Duration.ofNanos(run.next(200_000))).ifPresent(seen::add);
                    }
                    return true;
                }));
                run.start(() -> {
                    run.pause();
                    if (result.set(number)) {
                        first.add(number);
                    }
                });
            }
            run.killSome();
            assertThat(first).hasSizeLessThanOrEqualTo(1);
            assertThat(result.ready()).isEqualTo(first.size() == 1);
            assertThat(first).containsAll(seen);
            assertThat(result.waiters()).isZero();
        });
    }

    @Test
    void queuesWithAnOrderKeepIt() throws Exception {
        explore(run -> {
            boolean lifo = run.next(2) == 0;
            Queue<Integer> queue = lifo ? new LifoQueue<>() : new PriorityQueue<>();
            List<Integer> model = new ArrayList<>(); // what is in it, in the order in which it was put
            int[] number = new int[1];
            for (int g = 1 + run.next(3); g > 0; g--) {
                run.start(() -> {
                    for (int i = 0; i < 6; i++) {
                        int item = lifo ? number[0]++ : run.next(100);
                        model.add(item);
                        queue.put(item); // it has no bound and nobody waits to take: no switch
                        run.pause();
                    }
                });
                run.start(() -> {
                    for (int i = 0; i < 6; i++) {
                        queue.poll().ifPresent(item -> {
                            assertThat(item).isEqualTo(lifo ? model.getLast() : Collections.min(model));
                            model.remove(/* element */ item);
                        });
                        run.pause();
                    }
                });
            }
            run.killSome();
            List<Integer> left = new ArrayList<>(queue.shutDownNow());
            Collections.sort(left);
            Collections.sort(model);
            assertThat(left).isEqualTo(model);
        });
    }

    @Test
    void waitingForManyMissesNothingAndLeavesNoLinks() throws Exception {
        explore(run -> {
            List<Event> events = new ArrayList<>();
            for (int i = 1 + run.next(5); i > 0; i--) {
                events.add(new Event());
            }
            for (int g = 1 + run.next(4); g > 0; g--) {
                run.start(() -> run.maybeTimed(() -> {
                    List<Event> wanted = events.subList(0, 1 + run.next(events.size()));
                    switch (run.next(3)) {
                        case 0 -> waitAll(wanted);
                        case 1 -> assertThat(waitAny(wanted).isSet()).isTrue();
                        default -> {
                            try (var completed = asCompleted(wanted)) {
                                int count = 0;
                                for (Event each : completed) {
                                    assertThat(each.isSet()).isTrue();
                                    count++;
                                }
                                assertThat(count).isEqualTo(wanted.size());
                            }
                        }
                    }
                    return true;
                }));
            }
            List<Greenlet<?>> setting = new ArrayList<>();
            for (Event each : events) {
                setting.add(spawn(() -> {
                    run.pause();
                    each.set();
                }));
            }
            if (run.next(2) == 0) { // nobody is killed: then everybody gets what he waits for
                joinAll(setting);
                assertThat(joinAll(run.all, LONG)).as("those who waited for many").hasSize(run.all.size());
            }
            run.killSome();
            joinAll(setting);
            assertThat(events).allMatch(each -> each.waiters() == 0, "nobody is left");
        });
    }

    @Test
    void aScopeLeavesNobodyBehind() throws Exception {
        explore(run -> {
            int[] alive = new int[1];
            int[] after = new int[1];
            for (int g = 1 + run.next(3); g > 0; g--) {
                run.start(() -> {
                    int[] mine = new int[1];
                    try {
                        run.maybeTimed(() -> {
                            try (Scope scope = run.next(3) == 0
                                    ? Scope.open(Duration.ofNanos(1 + run.next(300_000))) : Scope.open()) {
                                int children = 1 + run.next(4);
                                List<Greenlet<Integer>> all = new ArrayList<>();
                                for (int i = 0; i < children; i++) {
                                    int number = i;
                                    all.add(scope.spawn(() -> {
                                        mine[0]++;
                                        alive[0]++;
                                        try {
                                            run.pause();
                                            if (run.next(8) == 0) {
                                                throw new IllegalStateException("a child");
                                            }
                                            sleep(Duration.ofNanos(run.next(200_000)));
                                            return number;
                                        } finally {
                                            mine[0]--;
                                            alive[0]--;
                                        }
                                    }));
                                }
                                if (run.next(4) == 0) {
                                    scope.cancel();
                                } else if (run.next(3) != 0) {
                                    scope.join();
                                    for (int i = 0; i < children; i++) {
                                        assertThat(all.get(i).value()).isEqualTo(i);
                                    }
                                }
                            }
                            return true;
                        });
                    } catch (IllegalStateException | TimeoutExpired e) {
                        assertThat(e.toString()).containsAnyOf("a child", "Timeout");
                    } finally {
                        after[0] += mine[0]; // the block is over, however: then so are the children
                    }
                });
            }
            run.killSome();
            assertThat(after[0]).as("children that outlived their block").isZero();
            assertThat(alive[0]).isZero();
        });
    }

    @Test
    void aThreadPoolRunsNoMoreThanItHasPlacesAndLosesNone() throws Exception {
        int places = 2;
        try (ThreadPool pool = new ThreadPool(places)) {
            explore(run -> {
                AtomicInteger inside = new AtomicInteger();
                AtomicInteger most = new AtomicInteger();
                int[] wrong = new int[1];
                for (int g = 1 + run.next(6); g > 0; g--) {
                    run.start(() -> {
                        for (int i = 0; i < 3; i++) {
                            int number = i;
                            long nap = run.next(100_000);
                            run.maybeTimed(() -> {
                                try {
                                    int result = pool.call(() -> {
                                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                                        LockSupport.parkNanos(nap);
                                        inside.decrementAndGet();
                                        return number;
                                    });
                                    wrong[0] += result == number ? 0 : 1;
                                    return true;
                                } catch (Exception e) {
                                    throw new AssertionError(e);
                                }
                            });
                            run.pause();
                        }
                    });
                }
                run.killSome();
                // All places at once: to be had when the jobs have ended whose greenlets were killed, if none was lost.
                CyclicBarrier all = new CyclicBarrier(places);
                List<Greenlet<Integer>> last = new ArrayList<>();
                for (int i = 0; i < places; i++) {
                    last.add(spawn(() -> pool.call(() -> all.await(LONG.toSeconds(), TimeUnit.SECONDS))));
                }
                assertThat(joinAll(last, LONG)).as("last jobs").hasSize(places).allMatch(Greenlet::successful);
                assertThat(wrong[0]).as("results of somebody else").isZero();
                assertThat(most.get()).isLessThanOrEqualTo(places);
                assertThat(inside.get()).isZero();
            });
        }
    }
}
