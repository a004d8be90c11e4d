package dev.loomlet.pool;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.LoopExit;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ThreadPoolTest {
    private final List<Object> log = java.util.Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    @Test
    void aJobBlocksItsThreadAndNotTheHub() throws Exception {
        var threads = Hub.current().threadPool();
        var blocked = new CountDownLatch(1);
        run(() -> {
            var job = spawn(() -> threads.call(() -> {
                blocked.await();
                return Thread.currentThread();
            }));
            for (int i = 0; i < 5; i++) {
                Loomlet.sleep(Duration.ofMillis(1));
            }
            assertThat(job.ready()).isFalse();
            blocked.countDown();
            assertThat(job.value().isVirtual()).isFalse();
            assertThat(job.value()).isNotSameAs(Hub.current().thread());
        });
    }

    @Test
    void errorsComeBackAsTheyAre() {
        var threads = Hub.current().threadPool();
        var error = new IOException("disk");
        assertThatThrownBy(() -> threads.call(() -> {
            throw error;
        })).isSameAs(error);
    }

    @Test
    void aSpawnedJobIsAGreenletToWaitFor() {
        var threads = Hub.current().threadPool();
        Greenlet<Integer> job = threads.spawn(() -> 5);
        assertThat(job.value()).isEqualTo(5);
        assertThat(job.spawnSite()).get().extracting(StackTraceElement::getMethodName)
                .isEqualTo("aSpawnedJobIsAGreenletToWaitFor");
        assertThat(threads.map(List.of(1, 2, 3), n -> n * 2)).containsExactly(2, 4, 6);
        List<Integer> seen = new ArrayList<>();
        threads.mapUnordered(List.of(1, 2, 3), n -> n * 2).forEach(seen::add);
        assertThat(seen).containsExactlyInAnyOrder(2, 4, 6);
    }

    @Test
    void itGrowsToItsBoundAndUsesIdleThreadsAgain() throws Exception {
        try (var threads = new ThreadPool(3)) {
            for (int i = 0; i < 10; i++) {
                threads.call(() -> 1);
            }
            assertThat(threads.threads()).isBetween(1, 2);
            var most = new AtomicInteger();
            var running = new AtomicInteger();
            threads.map(IntStream.range(0, 30).boxed().toList(), n -> {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                Thread.sleep(2);
                return running.decrementAndGet();
            });
            assertThat(most.get()).isEqualTo(3);
            assertThat(threads.threads()).isEqualTo(3);
            threads.resize(5);
            assertThat(threads.free()).isEqualTo(5);
        }
    }

    @Test
    void aJobThatWaitsForAPlaceIsCancelledWithItsGreenlet() throws Exception {
        try (var threads = new ThreadPool(1)) {
            var go = new CountDownLatch(1);
            var first = threads.spawn(() -> go.await());
            var second = spawn(() -> threads.call(() -> log.add("never")));
            var third = spawn(() -> threads.call(() -> log.add("third")));
            Loomlet.yieldNow();
            assertThat(threads.full()).isTrue();
            second.kill();
            go.countDown();
            joinAll(first, third);
            assertThat(log).containsExactly("third");
        }
    }

    @Test
    void aSpawnedJobKilledBeforeItsFirstTurnGivesItsPlaceBack() throws Exception {
        try (var threads = new ThreadPool(1)) {
            threads.spawn(() -> log.add("never")).kill();
            assertThat(threads.call(() -> 1)).isEqualTo(1);
            assertThat(log).isEmpty();
        }
    }

    @Test
    void aRunningJobGoesOnWithoutItsGreenletAndKeepsItsThread() throws Exception {
        try (var threads = new ThreadPool(1)) {
            var begun = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            var job = spawn(() -> threads.call(() -> {
                begun.countDown();
                go.await();
                return log.add("done");
            }));
            Loomlet.yieldNow();
            begun.await();
            job.kill();
            assertThat(threads.full()).isTrue();
            go.countDown();
            threads.call(() -> log.add("next"));
            assertThat(log).containsExactly("done", "next");
        }
    }

    @Test
    void aRunningJobIsInterruptedIfThatWasAskedFor() throws Exception {
        try (var threads = new ThreadPool(1).interruptAbandoned(true)) {
            var begun = new CountDownLatch(1);
            var job = spawn(() -> threads.call(() -> {
                begun.countDown();
                try {
                    Thread.sleep(Duration.ofDays(1));
                } catch (InterruptedException e) {
                    log.add("interrupted");
                }
                return 1;
            }));
            Loomlet.yieldNow();
            begun.await();
            job.kill();
            boolean left = threads.call(() -> Thread.currentThread().isInterrupted());
            assertThat(left).isFalse();
            assertThat(log).containsExactly("interrupted");
        }
    }

    @Test
    void aCallInsideAJobRunsRightThere() throws Exception {
        try (var threads = new ThreadPool(1)) {
            assertThat(threads.<Boolean>call(() -> {
                Thread outer = Thread.currentThread();
                return threads.call(() -> Thread.currentThread() == outer);
            })).isTrue();
        }
    }

    @Test
    void aHubThatWaitsForAJobIsNotStuck() throws Exception {
        var threads = Hub.current().threadPool();
        assertThat(threads.call(() -> {
            Thread.sleep(300); // longer than a hub waits before it looks whether it is stuck
            return 1;
        })).isEqualTo(1);
    }

    @Test
    void idleThreadsDoNotHideThatAHubIsStuck() throws Exception {
        var threads = Hub.current().threadPool();
        threads.call(() -> 1);
        var never = spawn(() -> {
            current().orElseThrow().join();
        });
        assertThatThrownBy(never::join).isInstanceOf(LoopExit.class);
        never.kill();
    }

    @Test
    void aClosedPoolTakesNoJobsAndItsThreadsEnd() throws Exception {
        var threads = new ThreadPool(2);
        var job = threads.spawn(() -> {
            Thread.sleep(20);
            return 1;
        });
        threads.close();
        assertThat(job.value()).isEqualTo(1);
        assertThatThrownBy(() -> threads.call(() -> 1)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> new ThreadPool(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void manyJobsFromManyGreenletsAllComeBack() throws Exception {
        try (var threads = new ThreadPool(4)) {
            var sum = new AtomicInteger();
            List<Greenlet<?>> callers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                callers.add(spawn(() -> {
                    for (int j = 0; j < 10; j++) {
                        sum.addAndGet(threads.call(() -> 1));
                    }
                }));
            }
            joinAll(callers);
            assertThat(sum.get()).isEqualTo(2000);
            assertThat(threads.free()).isEqualTo(4);
        }
    }
}
