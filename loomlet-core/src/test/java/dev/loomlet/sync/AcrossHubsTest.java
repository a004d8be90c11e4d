package dev.loomlet.sync;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Several hubs and foreign threads use one object at the same time while some of their greenlets are killed. */
class AcrossHubsTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final int ROUNDS = Integer.getInteger("loomlet.schedules", 400) / 4;

    /** Runs a body in greenlets of two hubs and in two foreign threads; kills every second greenlet on the way. */
    private static void everywhere(long seed, Action body) throws Exception {
        Random random = new Random(seed);
        try (Hub left = Hub.start("left"); Hub right = Hub.start("right")) {
            List<Greenlet<?>> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                all.add((i % 2 == 0 ? left : right).spawn(body));
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                Runnable foreign = () -> {
                    try {
                        body.run();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                };
                threads.add(i == 0 ? Thread.ofPlatform().start(foreign) : Thread.ofVirtual().start(foreign));
            }
            for (int i = 0; i < all.size(); i += 2) {
                for (int spin = random.nextInt(2_000); spin > 0; spin--) {
                    Thread.onSpinWait();
                }
                all.get(i + random.nextInt(2)).kill(new GreenletExit("random"), false, Duration.ZERO);
            }
            assertThat(joinAll(all, LONG)).as("with seed " + seed).hasSize(all.size())
                    .allMatch(Greenlet::successful, "ended without an error");
            for (Thread each : threads) {
                assertThat(each.join(LONG)).as("with seed " + seed).isTrue();
            }
        }
    }

    @Test
    void aSemaphoreLosesNoPermit() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Semaphore semaphore = new Semaphore(2);
            AtomicInteger inside = new AtomicInteger();
            AtomicInteger most = new AtomicInteger();
            everywhere(System.nanoTime(), () -> {
                for (int i = 0; i < 200; i++) {
                    semaphore.acquire();
                    try {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        if (i % 8 == 0 && Hub.ifPresent().isPresent()) {
                            yieldNow();
                        }
                    } finally {
                        inside.decrementAndGet();
                        semaphore.release();
                    }
                }
            });
            assertThat(most.get()).isLessThanOrEqualTo(2);
            assertThat(semaphore.permits()).isEqualTo(2);
            assertThat(semaphore.waiters()).isZero();
        }
    }

    @Test
    void anRLockHasOneOwner() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            RLock lock = new RLock();
            int[] plain = new int[1];
            AtomicInteger counted = new AtomicInteger();
            everywhere(System.nanoTime(), () -> {
                for (int i = 0; i < 200; i++) {
                    lock.lock();
                    try {
                        plain[0]++;
                        counted.incrementAndGet();
                    } finally {
                        lock.unlock();
                    }
                }
            });
            assertThat(plain[0]).isEqualTo(counted.get());
            assertThat(lock.isLocked()).isFalse();
        }
    }

    @Test
    void whatGoesIntoAQueueIsInItOrCameOut() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Queue<Integer> queue = round % 2 == 0 ? new Queue<>(3) : new PriorityQueue<>(3);
            AtomicLong in = new AtomicLong();
            AtomicLong out = new AtomicLong();
            everywhere(System.nanoTime(), () -> {
                for (int i = 1; i <= 200; i++) {
                    if (queue.offer(i, Duration.ofMillis(1))) {
                        in.addAndGet(i);
                    }
                    queue.poll(Duration.ofNanos(100_000)).ifPresent(out::addAndGet);
                }
            });
            long left = queue.shutDownNow().stream().mapToLong(Integer::longValue).sum();
            assertThat(out.get() + left).isEqualTo(in.get());
            assertThat(queue.waitingToPut() + queue.waitingToTake()).isZero();
        }
    }
}
