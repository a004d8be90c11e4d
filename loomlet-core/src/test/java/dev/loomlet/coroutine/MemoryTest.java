package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What suspended coroutines and generators take, and that they give it back. */
class MemoryTest {
    private static final int COUNT = 100_000;

    /** Generous: about 700 bytes are measured, see docs/design/coroutines.md; with frames of the interpreter a little more. */
    private static final long MOST_BYTES_EACH = 2_000;

    @Test
    void aHundredThousandSuspendedGeneratorsAreSmallAndLeaveNothing() {
        assumeTrue(Suspendable.NATIVE, "a body with a thread of its own is larger, and stays");
        assertSmallAndGone(() -> {
            Generator<Integer> generator = Generator.of(out -> {
                for (int n = 0;; n++) {
                    out.yield(n);
                }
            });
            generator.next();
            return generator;
        });
    }

    @Test
    void aHundredThousandSuspendedCoroutinesAreSmallAndLeaveNothing() {
        assumeTrue(Suspendable.NATIVE, "a body with a thread of its own is larger, and stays");
        Coroutine<Object> main = Coroutine.main();
        assertSmallAndGone(() -> {
            var coroutine = Coroutine.of((Integer x) -> main.switchTo(x));
            coroutine.switchTo(1);
            return coroutine;
        });
    }

    private static void assertSmallAndGone(Supplier<Object> maker) {
        for (int i = 0; i < 1000; i++) {
            assertThat(maker.get()).isNotNull(); // classes, and code that is compiled
        }
        long before = used();
        List<Object> all = new ArrayList<>(COUNT);
        for (int i = 0; i < COUNT; i++) {
            all.add(maker.get());
        }
        long each = (used() - before) / COUNT;
        System.out.println("bytes each: " + each);
        assertThat(each).isBetween(50L, MOST_BYTES_EACH);
        var last = new WeakReference<>(all.get(COUNT - 1));
        assertThat(all).hasSize(COUNT);
        all.clear();
        long left = used() - before;
        assertThat(last.get()).isNull();
        assertThat(left).as("bytes left behind by " + COUNT).isLessThan(COUNT * 20L);
    }

    /** The heap in use once collections find nothing more. */
    private static long used() {
        var heap = ManagementFactory.getMemoryMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 20; i++) {
            System.gc();
            long now = heap.getHeapMemoryUsage().getUsed();
            if (now >= least && i > 2) {
                break;
            }
            least = Math.min(least, now);
        }
        return least;
    }
}
