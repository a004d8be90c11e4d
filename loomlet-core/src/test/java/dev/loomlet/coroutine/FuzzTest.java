package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Random programs ({@link Fuzz}), on platform threads, virtual threads and greenlets at the same time, while somebody takes
 * thread dumps. A second in the ordinary build; {@code -Psoak -Dsoak.seconds=600} goes on as long as one likes, under each
 * collector. A failure names its seed: {@code -Dsoak.seed=...} repeats the programs, if not their interleaving.
 */
@ExtendWith(EndLeftovers.class)
class FuzzTest {
    private static final Duration DURATION = Duration.ofSeconds(Integer.getInteger("soak.seconds", 1));
    private static final long SEED = Long.getLong("soak.seed", new Random().nextLong());

    /** How long one program may take before it counts as hung; most take a few milliseconds. */
    private static final Duration HUNG = Duration.ofMinutes(Long.getLong("soak.patience", 2));

    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicLong programs = new AtomicLong();
    private final AtomicLong steps = new AtomicLong();

    @Test
    @Timeout(value = 10, unit = TimeUnit.HOURS)
    void randomProgramsFindNothing() throws Exception {
        assumeTrue(Suspendable.NATIVE, "a body with a thread of its own does not own its consumer's monitors");
        long end = System.nanoTime() + DURATION.toNanos();
        var seeds = new Random(SEED);
        for (int round = 0; failure.get() == null && (round == 0 || System.nanoTime() < end); round++) {
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < 3; i++) {
                threads.add(Thread.ofPlatform().name("fuzz-platform-" + i).start(program(seeds.nextLong(), true)));
            }
            List<Runnable> onHub = List.of(program(seeds.nextLong(), true), program(seeds.nextLong(), true));
            threads.add(Thread.ofPlatform().name("fuzz-hub").start(() -> {
                Loomlet.joinAll(onHub.stream().map(each -> Loomlet.spawn(each::run)).toList());
                Hub.current().close();
            }));
            for (int i = 0; i < 4; i++) {
                threads.add(Thread.ofVirtual().name("fuzz-virtual-" + i).start(program(seeds.nextLong(), true)));
            }
            watch(threads);
        }
        System.out.println("fuzz: " + programs + " programs, " + steps + " steps, seed " + SEED);
        Throwable found = failure.get();
        if (found != null) {
            throw new AssertionError("seed " + SEED, found);
        }
        assertThat(steps.get()).isPositive();
    }

    private Runnable program(long seed, boolean mayPark) {
        return () -> {
            try {
                steps.addAndGet(new Fuzz(seed, 3000, mayPark).run());
                programs.incrementAndGet();
            } catch (Throwable t) {
                failure.compareAndSet(null, new AssertionError("program with seed " + seed, t));
            }
        };
    }

    /** Takes dumps of what is suspended until all have ended. */
    private void watch(List<Thread> threads) throws InterruptedException {
        long deadline = System.nanoTime() + HUNG.toNanos();
        for (Thread each : threads) {
            while (!each.join(Duration.ofMillis(20))) {
                for (Thread looked : threads) {
                    assertThat(looked.getStackTrace()).isNotNull();
                }
                if (System.nanoTime() > deadline) {
                    var hung = new AssertionError(each + " hangs");
                    hung.setStackTrace(each.getStackTrace());
                    failure.compareAndSet(null, hung);
                    return;
                }
            }
        }
    }
}
