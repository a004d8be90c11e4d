package dev.loomlet;

import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** Virtual threads that the program itself starts inside a greenlet: they run on the same hub. */
class AdoptedThreadsTest extends OnHub {

    @Test
    void runOnTheSameHubAndMayUseEveryWait() throws Exception {
        Hub hub = Hub.current();
        Thread main = Thread.currentThread();
        Greenlet<Void> g = spawn(() -> {
            Thread child = Thread.startVirtualThread(() -> {
                note(VirtualThreads.currentCarrier() == main);
                note(Hub.current() == hub);
                sleep(millis(3));
                yieldNow();
                note(spawn(() -> 5).value());
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                note(VirtualThreads.currentCarrier() == main);
            });
            child.join();
        });
        assertThat(g.join(LONG)).isTrue();
        assertThat(log).containsExactly("true", "true", "5", "true");
    }

    @Test
    void ofAnExecutorToo() {
        Greenlet<Integer> g = spawn(() -> {
            try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
                Future<Integer> a = executor.submit(() -> {
                    sleep(millis(2));
                    return 1;
                });
                Future<Integer> b = executor.submit(() -> spawn(() -> 2).get());
                return a.get() + b.get();
            }
        });
        assertThat(g.value()).isEqualTo(3);
    }

    @Test
    void outliveTheirGreenlet() {
        LinkedBlockingQueue<String> queue = new LinkedBlockingQueue<>();
        spawn(() -> {
            Thread.startVirtualThread(() -> {
                sleep(millis(5));
                queue.add("alive");
            });
        });
        Greenlet<String> g = spawn(queue::take);
        assertThat(g.value()).isEqualTo("alive");
    }

    @Test
    void leaveNothingBehindHoweverManyThereWere() {
        Greenlet<Long> g = spawn(() -> {
            long before = 0;
            for (int i = 0; i < 60_000; i++) {
                if (i == 20_000) {
                    before = used();
                }
                Thread child = Thread.startVirtualThread(() -> sleep(java.time.Duration.ofNanos(1)));
                child.join();
            }
            return (used() - before) / 40_000;
        });
        assertThat(g.value()).as("bytes for each").isLessThan(50);
    }

    private static long used() {
        Runtime runtime = Runtime.getRuntime();
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
        }
        return used;
    }
}
