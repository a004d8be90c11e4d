package dev.loomlet.pool;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.sync.Queue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Corners of pools that gevent's own tests pin down, on pools of several sizes, groups and pools of threads. */
class PoolCornersTest {
    private static final Duration SHORT = Duration.ofMillis(10);
    private static final Duration LONG = Duration.ofSeconds(20);

    private final List<Object> log = new ArrayList<>();

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private interface Check {
        void of(Group pool) throws Exception;
    }

    private Stream<DynamicTest> onEverySize(Check check) {
        return Stream.of(1, 2, 3, 10, 0).map(size -> DynamicTest.dynamicTest(size == 0 ? "a group" : "of " + size,
                () -> {
                    try {
                        Group pool = size == 0 ? new Group() : new Pool(size);
                        check.of(pool);
                        assertThat(pool.join(LONG)).isTrue();
                        assertThat(pool.size()).isZero();
                        if (pool instanceof Pool places) {
                            assertThat(places.free()).isEqualTo(size);
                        }
                    } finally {
                        closeHub();
                    }
                }));
    }

    private static List<Integer> upTo(int n) {
        return IntStream.range(0, n).boxed().toList();
    }

    private static List<Integer> squares(int n) {
        return IntStream.range(0, n).map(x -> x * x).boxed().toList();
    }

    private static int square(int x) {
        yieldNow();
        return x * x;
    }

    private static List<Integer> all(Results<Integer> results) {
        List<Integer> all = new ArrayList<>();
        try (results) {
            results.forEach(all::add);
        }
        return all;
    }

    @TestFactory
    Stream<DynamicTest> mapsGiveAllResults() {
        return onEverySize(pool -> {
            assertThat(pool.map(upTo(10), PoolCornersTest::square)).isEqualTo(squares(10));
            assertThat(pool.map(upTo(100), PoolCornersTest::square)).isEqualTo(squares(100));
            assertThat(all(pool.mapOrdered(upTo(1000), PoolCornersTest::square))).isEqualTo(squares(1000));
            assertThat(all(pool.mapUnordered(upTo(1000), PoolCornersTest::square)))
                    .containsExactlyInAnyOrderElementsOf(squares(1000));
            assertThat(all(pool.mapOrdered(List.<Integer>of(), PoolCornersTest::square))).isEmpty();
            assertThat(all(pool.mapUnordered(List.<Integer>of(), PoolCornersTest::square))).isEmpty();
        });
    }

    @TestFactory
    Stream<DynamicTest> mapsOfTasksThatTakeTheirTimeKeepTheOrder() {
        long seed = new Random().nextLong();
        System.out.println("seed " + seed);
        return onEverySize(pool -> {
            Random random = new Random(seed);
            Mapper<Integer, Integer> slow = x -> {
                sleep(Duration.ofMillis(random.nextInt(5)));
                return x * x;
            };
            assertThat(all(pool.mapOrdered(upTo(10), slow))).isEqualTo(squares(10));
            assertThat(all(pool.mapUnordered(upTo(10), slow)))
                    .containsExactlyInAnyOrderElementsOf(squares(10));
        });
    }

    @TestFactory
    Stream<DynamicTest> anUnorderedMapGivesThemAsTheyEnd() {
        return onEverySize(pool -> {
            boolean alone = pool instanceof Pool places && places.places() == 1;
            Results<Integer> results = pool.mapUnordered(List.of(60, 1, 20), x -> {
                sleep(Duration.ofMillis(x));
                return x;
            });
            assertThat(all(results)).isEqualTo(alone ? List.of(60, 1, 20) : List.of(1, 20, 60));
        });
    }

    @TestFactory
    Stream<DynamicTest> inputsMayComeFromAQueueThatIsShutDownLater() {
        return onEverySize(pool -> {
            for (boolean ordered : new boolean[] {true, false}) {
                Queue<Integer> queue = new Queue<>();
                queue.put(123);
                spawnLater(SHORT, () -> queue.shutDown());
                assertThat(all(ordered ? pool.mapOrdered(queue, x -> x) : pool.mapUnordered(queue, x -> x)))
                        .containsExactly(123);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> inputsMayWaitBeforeTheyEnd() {
        return onEverySize(pool -> {
            for (boolean ordered : new boolean[] {true, false}) {
                Iterable<Integer> inputs = () -> endingWith(() -> sleep(SHORT), 0, 1, 2);
                assertThat(all(ordered ? pool.mapOrdered(inputs, x -> x * x) : pool.mapUnordered(inputs, x -> x * x)))
                        .containsExactly(0, 1, 4);
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> aSlowReaderKeepsTheWorkersBack() {
        return onEverySize(pool -> {
            for (boolean ordered : new boolean[] {true, false}) {
                AtomicInteger begun = new AtomicInteger();
                Mapper<Integer, Integer> count = x -> {
                    begun.incrementAndGet();
                    return x;
                };
                List<Integer> read = new ArrayList<>();
                try (Results<Integer> results =
                        ordered ? pool.mapOrdered(upTo(50), count, 1) : pool.mapUnordered(upTo(50), count, 1)) {
                    for (int each : results) {
                        assertThat(begun.get()).isLessThanOrEqualTo(read.size() + 2);
                        read.add(each);
                        yieldNow();
                        yieldNow();
                    }
                }
                assertThat(read).containsExactlyInAnyOrderElementsOf(upTo(50));
            }
        });
    }

    private static Iterator<Integer> endingWith(Runnable end, Integer... items) {
        Iterator<Integer> some = Arrays.asList(items).iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                if (!some.hasNext()) {
                    end.run();
                    return false;
                }
                return true;
            }

            @Override
            public Integer next() {
                if (!some.hasNext()) {
                    throw new NoSuchElementException();
                }
                return some.next();
            }
        };
    }

    @TestFactory
    Stream<DynamicTest> anErrorOfTheInputsIsThrownByEveryKindOfMap() {
        return onEverySize(pool -> {
            Iterable<Integer> inputs = () -> endingWith(() -> {
                throw new IllegalStateException("no more");
            }, 1, 2);
            assertThatThrownBy(() -> pool.map(inputs, x -> x)).hasStackTraceContaining("no more");
            assertThatThrownBy(() -> all(pool.mapOrdered(inputs, x -> x))).hasStackTraceContaining("no more");
            assertThatThrownBy(() -> all(pool.mapUnordered(inputs, x -> x))).hasStackTraceContaining("no more");
        });
    }

    @Test
    void anErrorInTheMiddleIsThrownThereAndWhatComesAfterIsRead() {
        Hub.current().onError((_, _) -> {});
        Pool pool = new Pool(1);
        for (boolean ordered : new boolean[] {true, false}) {
            Mapper<Integer, Double> divide = x -> 1.0 / (1 / x); // an ArithmeticException for 0
            Results<Double> results =
                    ordered ? pool.mapOrdered(List.of(1, 0, -1), divide) : pool.mapUnordered(List.of(1, 0, -1), divide);
            Iterator<Double> each = results.iterator();
            assertThat(each.next()).isEqualTo(1.0);
            assertThatThrownBy(each::next).hasStackTraceContaining(ArithmeticException.class.getName());
            assertThat(each.next()).isEqualTo(-1.0);
            assertThat(each.hasNext()).isFalse();
            assertThatThrownBy(each::next).isInstanceOf(NoSuchElementException.class);
            results.close();
        }
    }

    @Test
    void aPoolThatIsKilledWhileAMapRunsIsNotLeftWithTheRest() {
        Hub.current().onError((_, error) -> log.add(error));
        Pool pool = new Pool(2);
        Greenlet<List<Integer>> map = spawn(() -> pool.map(upTo(20), x -> {
            sleep(SHORT);
            return x;
        }));
        yieldNow();
        yieldNow();
        assertThat(pool.kill(LONG)).isTrue();
        assertThat(map.join(LONG)).isTrue();
        assertThatThrownBy(map::value).isInstanceOf(CancellationException.class); // those who were killed have no value
        assertThat(pool.isEmpty()).isTrue();
        assertThat(pool.free()).isEqualTo(2);
    }

    @Test
    void aPoolOfOneMayBeEnteredAgainAndAgainFromInside() throws Exception {
        Pool pool = new Pool(1);
        assertThat(pool.<Integer>apply(() -> pool.apply(() -> pool.apply(() -> 6)))).isEqualTo(6);
        assertThat(pool.spawn(() -> 7).value()).isEqualTo(7);
    }

    @Test
    void anErrorInTheHandlerOfErrorsCostsNoPlace() throws Exception {
        Hub.current().onError((_, _) -> {
            throw new IllegalStateException("the handler");
        });
        Pool pool = new Pool(1);
        Greenlet<Void> bad = pool.spawn(() -> {
            throw new IllegalStateException("the task");
        });
        bad.join();
        yieldNow();
        assertThat(pool.free()).isEqualTo(1);
        assertThat(withTimeout(LONG, () -> pool.apply(() -> 1))).isEqualTo(1);
    }

    @Test
    void aFullPoolMakesSpawnWaitAndCountsOnlyThoseInside() {
        Pool pool = new Pool(1);
        Greenlet<Void> first = pool.spawn(() -> sleep(SHORT));
        assertThat(pool.size()).isEqualTo(1);
        Greenlet<Void> second = pool.spawn(() -> sleep(SHORT));
        assertThat(first.ready()).isTrue();
        assertThat(pool.size()).isEqualTo(1);
        assertThat(pool.join(Duration.ofMillis(1))).isFalse();
        assertThat(pool.join(LONG)).isTrue();
        assertThat(second.ready()).isTrue();
        assertThat(new Pool(1).join(LONG)).isTrue(); // of nobody
    }

    @Test
    void addWaitsForAPlaceTooAndGivesUpWithATimeout() {
        Pool pool = new Pool(1);
        Greenlet<Void> first = spawn(() -> sleep(LONG));
        Greenlet<Void> second = spawn(() -> sleep(LONG));
        pool.add(first);
        assertThat(pool.free()).isZero();
        assertThat(withTimeout(SHORT, () -> {
            pool.add(second);
            return "added";
        }, "full")).isEqualTo("full");
        assertThat(pool.tryAdd(second, Duration.ZERO)).isFalse();
        assertThat(pool.tryAdd(second, SHORT)).isFalse();
        assertThat(pool.members()).containsExactly(first);
        first.kill();
        second.kill();
    }

    @Test
    void killingAllBeforeTheirFirstTurnTakesNoTimeAndRunsNothing() {
        List<Greenlet<Void>> some = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            some.add(spawn(() -> {
                log.add("ran");
            }));
        }
        assertThat(killAll(some, SHORT)).isTrue();
        assertThat(some).allMatch(Greenlet::ready);
        yieldNow();
        assertThat(log).isEmpty();
    }

    @Test
    void killingThoseWhoWillNotGoIsGivenUpInTime() {
        List<Greenlet<Void>> some = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            some.add(spawn(() -> {
                try {
                    sleep(LONG);
                } finally {
                    sleep(Duration.ofMillis(100));
                }
            }));
        }
        yieldNow();
        assertThat(killAll(some, SHORT)).isFalse();
        assertThat(some).noneMatch(Greenlet::ready);
        joinAll(some);
    }

    // --- threads

    @Test
    void mapsOnThreadsGiveAllResults() {
        for (int size : new int[] {1, 2, 10}) {
            try (ThreadPool threads = new ThreadPool(size)) {
                assertThat(threads.map(upTo(100), x -> x * x)).isEqualTo(squares(100));
                assertThat(all(threads.mapOrdered(upTo(300), x -> x * x))).isEqualTo(squares(300));
                assertThat(all(threads.mapUnordered(upTo(300), x -> x * x)))
                        .containsExactlyInAnyOrderElementsOf(squares(300));
                Iterable<Integer> inputs = () -> endingWith(() -> {
                    throw new IllegalStateException("no more");
                }, 1, 2);
                assertThatThrownBy(() -> threads.map(inputs, x -> x)).hasStackTraceContaining("no more");
                assertThatThrownBy(() -> all(threads.mapUnordered(inputs, x -> x))).hasStackTraceContaining("no more");
            }
        }
    }

    @Test
    void aPoolOfThreadsThatGrowsTakesThoseWhoWait() throws Exception {
        try (ThreadPool threads = new ThreadPool(1)) {
            CountDownLatch go = new CountDownLatch(1);
            Greenlet<Void> blocking = threads.spawn(() -> go.await());
            Greenlet<Void> waiting = spawn(() -> threads.call(() -> go.countDown()));
            yieldNow();
            assertThat(waiting.join(SHORT)).isFalse();
            threads.resize(2);
            assertThat(waiting.join(LONG)).isTrue();
            blocking.join();
            threads.resize(1);
            assertThat(threads.call(() -> 5)).isEqualTo(5);
            assertThat(threads.places()).isEqualTo(1);
            assertThatThrownBy(() -> threads.resize(0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aPoolOfThreadsKeepsNeitherJobsNorResults() throws Exception {
        try (ThreadPool threads = new ThreadPool(2)) {
            List<WeakReference<Object>> references = new ArrayList<>();
            keepsNothing(threads, references);
            threads.call(() -> {}); // whatever the worker had last, it has this now
            threads.call(() -> {});
            for (WeakReference<Object> each : references) {
                for (int i = 0; i < 100 && each.get() != null; i++) {
                    System.gc();
                    sleep(Duration.ofMillis(1));
                }
                assertThat(each.get()).isNull();
            }
        }
    }

    private static void keepsNothing(ThreadPool threads, List<WeakReference<Object>> references) throws Exception {
        byte[] argument = new byte[10];
        Object result = threads.call(() -> new Object[] {argument.length});
        references.add(new WeakReference<>(argument));
        references.add(new WeakReference<>(result));
    }
}
