package dev.loomlet.pool;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Groups and pools: gevent's test__pool.py, and what goes beyond. */
class PoolTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(10);

    private final List<Object> log = new ArrayList<>();

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static void forEver() {
        Loomlet.sleep(Duration.ofDays(1));
    }

    private static List<Integer> upTo(int n) {
        return IntStream.range(0, n).boxed().toList();
    }

    // --- Group

    @Test
    void aMemberLeavesWhenItEnds() {
        var group = new Group();
        Greenlet<Integer> quick = group.spawn(() -> 1);
        Greenlet<Void> slow = group.spawn(() -> forEver());
        assertThat(group.members()).containsExactly(quick, slow);
        quick.join();
        assertThat(group.members()).containsExactly(slow);
        assertThat(group.contains(quick)).isFalse();
        assertThat(group.contains(slow)).isTrue();
        assertThat(group.full()).isFalse();
        group.kill();
        assertThat(group.isEmpty()).isTrue();
        assertThat(slow.exit()).isPresent();
    }

    @Test
    void anAddedGreenletIsAMemberUntilDiscarded() {
        var group = new Group();
        Greenlet<Void> one = spawn(() -> forEver());
        group.add(one);
        group.add(one);
        assertThat(group.size()).isEqualTo(1);
        assertThat(group.discard(one)).isTrue();
        assertThat(group.discard(one)).isFalse();
        assertThat(group.isEmpty()).isTrue();
        group.kill();
        assertThat(one.ready()).isFalse();
    }

    @Test
    void aGreenletThatHasEndedIsNotAdded() {
        var group = new Group();
        Greenlet<Integer> ended = spawn(() -> 1);
        ended.join();
        group.add(ended);
        assertThat(group.isEmpty()).isTrue();
    }

    @Test
    void joinWaitsForAllAndTellsWhetherItCameToThat() {
        var group = new Group();
        var go = spawn(() -> forEver());
        for (int i = 0; i < 5; i++) {
            group.spawn(() -> {
                go.join();
                log.add("done");
            });
        }
        assertThat(group.join(SHORT)).isFalse();
        go.kill();
        assertThat(group.join(LONG)).isTrue();
        assertThat(log).hasSize(5);
        group.join(); // of an empty one: at once
    }

    @Test
    void joinThrowsWhatAMemberFailedWithIfAsked() {
        Hub.current().onError((greenlet, error) -> log.add(error.getMessage()));
        var group = new Group();
        group.spawn(() -> {
            throw new IllegalStateException("broken");
        });
        assertThatThrownBy(() -> group.join(LONG, true)).hasMessage("broken");
        assertThat(log).containsExactly("broken");
    }

    @Test
    void killReachesThoseThatAreAddedMeanwhileAndEachOnce() {
        var group = new Group();
        var kills = new AtomicInteger();
        for (int i = 0; i < 3; i++) {
            group.spawn(() -> {
                try {
                    forEver();
                } catch (GreenletExit e) {
                    kills.incrementAndGet();
                    group.spawn(() -> log.add("never runs"));
                    Loomlet.sleep(SHORT); // a second kill would end this
                    log.add("cleaned up");
                    throw e;
                }
            });
        }
        Loomlet.yieldNow();
        var other = spawn(() -> group.kill());
        group.kill();
        other.join();
        assertThat(kills.get()).isEqualTo(3);
        assertThat(log).containsExactly("cleaned up", "cleaned up", "cleaned up");
        assertThat(group.isEmpty()).isTrue();
    }

    @Test
    void killGivesUpWaitingAfterItsTimeout() {
        var group = new Group();
        var stubborn = group.spawn(() -> {
            try {
                forEver();
            } catch (GreenletExit e) {
                forEver();
            }
        });
        Loomlet.yieldNow();
        assertThat(group.kill(SHORT)).isFalse();
        assertThat(stubborn.ready()).isFalse();
        stubborn.kill();
    }

    @Test
    void aMemberThatKillsItsGroupGoesLast() {
        var group = new Group();
        group.spawn(() -> {
            try {
                forEver();
            } finally {
                log.add("other");
            }
        });
        group.spawn(() -> {
            try {
                group.kill();
            } finally {
                log.add("self");
            }
        });
        group.join();
        assertThat(log).containsExactly("other", "self");
    }

    // --- Pool

    @Test
    void spawnWaitsForAPlace() {
        var pool = new Pool(2);
        var release = spawn(() -> forEver());
        pool.spawn(() -> release.join());
        pool.spawn(() -> release.join());
        assertThat(pool.full()).isTrue();
        assertThat(pool.free()).isZero();
        var third = spawn(() -> pool.spawn(() -> log.add("third")));
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        assertThat(third.ready()).isFalse();
        release.kill();
        third.value().join();
        assertThat(log).containsExactly("third");
        pool.join();
        assertThat(pool.free()).isEqualTo(2);
    }

    @Test
    void whoDoesNotWantToWaitGetsNothing() {
        var pool = new Pool(1);
        var first = pool.trySpawn(() -> forEver());
        assertThat(first).isPresent();
        assertThat(pool.trySpawn(() -> 1)).isEmpty();
        assertThat(pool.trySpawn(SHORT, () -> 1)).isEmpty();
        assertThat(pool.tryAdd(spawn(() -> 1), SHORT)).isFalse();
        assertThat(pool.waitAvailable(SHORT)).isFalse();
        first.orElseThrow().kill();
        assertThat(pool.waitAvailable(LONG)).isTrue();
        assertThat(pool.trySpawn(SHORT, () -> 7)).get().satisfies(each -> assertThat(each.value()).isEqualTo(7));
    }

    @Test
    void aPoolWithoutPlacesTakesNobodyAndANegativeOneIsRefused() {
        assertThat(new Pool(0).trySpawn(() -> 1)).isEmpty();
        assertThat(new Pool(0).full()).isTrue();
        assertThatThrownBy(() -> new Pool(-1)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
    }

    @Test
    void placesGoToThoseWhoWaitedLongest() {
        var pool = new Pool(1);
        var first = pool.spawn(() -> forEver());
        java.util.List<dev.loomlet.Greenlet<?>> waiting = new java.util.ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int n = i;
            waiting.add(spawn(() -> pool.spawn(() -> log.add(n))));
        }
        Loomlet.yieldNow();
        first.kill();
        Loomlet.joinAll(waiting);
        pool.join();
        assertThat(log).containsExactlyElementsOf(upTo(10));
    }

    @Test
    void aKilledWaiterTakesNoPlace() {
        var pool = new Pool(1);
        var first = pool.spawn(() -> forEver());
        var waiter = spawn(() -> pool.spawn(() -> log.add("killed")));
        var second = spawn(() -> pool.spawn(() -> log.add("second")));
        Loomlet.yieldNow();
        waiter.kill();
        first.kill();
        second.value().join();
        assertThat(log).containsExactly("second");
        assertThat(pool.free()).isEqualTo(1);
    }

    @Test
    void aMemberKilledBeforeItsFirstTurnGivesItsPlaceBack() {
        var pool = new Pool(1);
        pool.spawn(() -> log.add("never")).kill();
        pool.spawn(() -> log.add("next")).join();
        assertThat(log).containsExactly("next");
    }

    @Test
    void aDiscardedMemberGivesItsPlaceBack() throws Exception {
        var pool = new Pool(1);
        var first = pool.spawn(() -> forEver());
        pool.discard(first);
        assertThat(pool.apply(() -> 3)).isEqualTo(3);
        assertThat(first.ready()).isFalse();
        assertThat(pool.free()).isEqualTo(1);
    }

    @Test
    void applyInsideAPoolRunsRightThere() throws Exception {
        var pool = new Pool(1);
        int result = pool.apply(() -> pool.apply(() -> {
            assertThat(pool.contains(current().orElseThrow())).isTrue();
            return 5;
        }));
        assertThat(result).isEqualTo(5);
    }

    @Test
    void applyThrowsWhatTheTaskThrowsAndDoesNotReportIt() {
        Hub.current().onError((greenlet, error) -> log.add(error));
        var pool = new Pool(3);
        assertThatThrownBy(() -> pool.apply(() -> {
            throw new IOException("disk");
        })).isInstanceOf(IOException.class).hasMessage("disk");
        assertThat(log).isEmpty();
    }

    @Test
    void aKilledApplyKillsItsTask() {
        var pool = new Pool(1);
        var caller = spawn(() -> pool.apply(() -> {
            try {
                forEver();
            } finally {
                log.add("task ended");
            }
            return 1;
        }));
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        caller.kill();
        pool.join();
        assertThat(log).containsExactly("task ended");
    }

    // --- map

    @Test
    void mapKeepsTheOrderAndTheBound() {
        var pool = new Pool(3);
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        List<Integer> squares = pool.map(upTo(20), n -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            Loomlet.sleep(Duration.ofMillis(20 - n));
            running.decrementAndGet();
            return n * n;
        });
        assertThat(squares).containsExactlyElementsOf(upTo(20).stream().map(n -> n * n).toList());
        assertThat(most.get()).isEqualTo(3);
        assertThat(pool.free()).isEqualTo(3);
    }

    @Test
    void mapOfNothingIsNothing() {
        assertThat(new Pool(1).map(List.<Integer>of(), n -> n)).isEmpty();
        assertThat(new Pool(1).mapOrdered(List.<Integer>of(), n -> n)).isEmpty();
        assertThat(new Pool(1).mapUnordered(List.<Integer>of(), n -> n)).isEmpty();
    }

    @Test
    void mapThrowsTheFirstFailureAndKillsTheRest() {
        Hub.current().onError((greenlet, error) -> log.add(error));
        var pool = new Pool(10);
        assertThatThrownBy(() -> pool.map(upTo(5), n -> {
            if (n == 3) {
                throw new IOException("three");
            }
            try {
                forEver();
            } finally {
                log.add(n);
            }
            return n;
        })).isInstanceOf(CompletionException.class).cause().hasMessage("three");
        pool.join();
        assertThat(log).containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void mapInsideItsOwnFullPoolDoesNotWaitForItself() {
        var pool = new Pool(1);
        var outer = pool.spawn(() -> pool.map(upTo(3), n -> n + 1));
        assertThat(outer.value()).containsExactly(1, 2, 3);
        var lazily = pool.spawn(() -> {
            List<Integer> all = new ArrayList<>();
            pool.mapUnordered(upTo(3), n -> n + 1).forEach(all::add);
            return all;
        });
        assertThat(lazily.value()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void aKilledMapKillsItsGreenlets() {
        var pool = new Pool(5);
        var caller = spawn(() -> pool.map(upTo(5), n -> {
            forEver();
            return n;
        }));
        Loomlet.yieldNow();
        Loomlet.yieldNow();
        assertThat(pool.size()).isEqualTo(5);
        caller.kill();
        assertThat(pool.join(LONG)).isTrue();
    }

    @Test
    void anOrderedMapThrowsAtThePlaceOfTheErrorAndGoesOn() {
        var pool = new Pool(2);
        Iterator<Integer> results = pool.mapOrdered(List.of(1, 0, 2), n -> 6 / n).iterator();
        assertThat(results.next()).isEqualTo(6);
        assertThatThrownBy(results::next).isInstanceOf(ArithmeticException.class);
        assertThat(results.next()).isEqualTo(3);
        assertThat(results.hasNext()).isFalse();
    }

    @Test
    void anUnorderedMapGivesWhatIsReadyFirst() {
        List<Integer> seen = new ArrayList<>();
        for (int each : new Pool(3).mapUnordered(List.of(60, 30, 0), n -> {
            Loomlet.sleep(Duration.ofMillis(n));
            return n;
        })) {
            seen.add(each);
        }
        assertThat(seen).containsExactly(0, 30, 60);
    }

    @Test
    void inputsArePulledOnlyAsFarAheadAsAsked() {
        var pulled = new AtomicInteger();
        Iterable<Integer> endless = () -> IntStream.generate(pulled::getAndIncrement).iterator();
        try (Results<Integer> results = new Pool(2).mapUnordered(endless, n -> n, 4)) {
            Iterator<Integer> each = results.iterator();
            for (int i = 0; i < 10; i++) {
                each.next();
            }
            Loomlet.sleep(SHORT);
            assertThat(pulled.get()).isBetween(10, 15);
        }
    }

    @Test
    void closingTheResultsKillsTheRestAndReportsWhatNobodyRead() {
        Hub.current().onError((greenlet, error) -> log.add(error.getMessage()));
        var pool = new Pool(3);
        try (Results<Integer> results = pool.mapUnordered(upTo(100), n -> {
            if (n == 1) {
                throw new IllegalStateException("unread");
            }
            if (n > 1) {
                forEver();
            }
            return n;
        })) {
            assertThat(results.iterator().next()).isZero();
            Loomlet.sleep(SHORT);
            assertThat(pool.size()).isEqualTo(3);
        }
        assertThat(pool.isEmpty()).isTrue();
        assertThat(log).containsExactly("unread");
    }

    @Test
    void anErrorOfTheInputReachesTheReader() {
        Iterable<Integer> broken = () -> IntStream.range(0, 3).map(n -> 6 / (2 - n)).iterator();
        Iterator<Integer> results = new Pool(2).mapOrdered(broken, n -> n).iterator();
        assertThat(results.next()).isEqualTo(3);
        assertThat(results.next()).isEqualTo(6);
        assertThatThrownBy(results::next).isInstanceOf(ArithmeticException.class);
        assertThat(results.hasNext()).isFalse();
    }

    @Test
    void inputsMayComeFromTheResults() {
        List<Integer> waiting = new ArrayList<>(List.of(1));
        Iterable<Integer> inputs = () -> new Iterator<>() {
            @Override
            public boolean hasNext() {
                while (waiting.isEmpty()) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
                return waiting.getFirst() < 100;
            }

            @Override
            public Integer next() {
                return waiting.removeFirst();
            }
        };
        List<Integer> seen = new ArrayList<>();
        for (int each : new Pool(2).mapUnordered(inputs, n -> n * 2)) {
            seen.add(each);
            waiting.add(each);
        }
        assertThat(seen).containsExactly(2, 4, 8, 16, 32, 64, 128);
    }

    @Test
    void aMemberThatSomebodyKillsIsMissedByTheMap() {
        var pool = new Pool(2);
        var killer = spawn(() -> pool.kill());
        assertThatThrownBy(() -> pool.map(List.of(1, 2), n -> {
            forEver();
            return n;
        })).isInstanceOf(CancellationException.class);
        killer.join();
    }

    // --- random schedules

    @Test
    void noPlaceIsLostWhateverHappens() throws Exception {
        long seed = new Random().nextLong();
        var random = new Random(seed);
        Hub.current().onError((greenlet, error) -> {
            if (!(error instanceof CancellationException)) { // of a map or apply one of whose greenlets was killed
                log.add(error);
            }
        });
        for (int round = 0; round < 300; round++) {
            int places = 1 + random.nextInt(4);
            var pool = new Pool(places);
            var most = new AtomicInteger();
            var running = new AtomicInteger();
            List<Greenlet<?>> callers = new ArrayList<>();
            run(() -> {
                for (int i = 0; i < 20; i++) {
                    int act = random.nextInt(4);
                    callers.add(spawn(() -> {
                        switch (act) {
                            case 0 -> pool.spawn(() -> step(running, most));
                            case 1 -> pool.trySpawn(Duration.ofNanos(1 + act * 300_000L), () -> step(running, most));
                            case 2 -> pool.apply(() -> {
                                step(running, most);
                                return 1;
                            });
                            default -> pool.map(List.of(1, 2), n -> {
                                step(running, most);
                                return n;
                            });
                        }
                    }));
                    if (random.nextInt(3) == 0) {
                        callers.get(random.nextInt(callers.size())).kill();
                    }
                    if (random.nextInt(5) == 0 && !pool.members().isEmpty()) {
                        pool.members().getFirst().kill();
                    }
                    Loomlet.yieldNow();
                }
                joinAll(callers);
                pool.join();
            });
            assertThat(pool.free()).as("free places in round %d of seed %d", round, seed).isEqualTo(places);
            assertThat(most.get()).as("members at once in round %d of seed %d", round, seed)
                    .isLessThanOrEqualTo(places);
        }
        assertThat(log).as("errors with seed %d", seed).isEmpty();
    }

    private static void step(AtomicInteger running, AtomicInteger most) {
        most.accumulateAndGet(running.incrementAndGet(), Math::max);
        try {
            Loomlet.yieldNow();
        } finally {
            running.decrementAndGet();
        }
    }

    @Test
    void aPoolOfAHubTakesGreenletsFromManyThreads() throws Exception {
        try (Hub hub = Hub.start("pooled")) {
            var pool = new Pool(3, hub);
            var done = new AtomicInteger();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 200; i++) {
                        pool.spawn(() -> {
                            Loomlet.yieldNow();
                            done.incrementAndGet();
                        });
                    }
                }));
            }
            for (Thread each : threads) {
                each.join();
            }
            assertThat(pool.join(LONG)).isTrue();
            assertThat(done.get()).isEqualTo(800);
            assertThat(pool.free()).isEqualTo(3);
        }
    }
}
