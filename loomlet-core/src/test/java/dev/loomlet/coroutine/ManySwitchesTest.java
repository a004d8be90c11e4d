package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A ring of coroutines at different depths, each with a generator of its own, for as many switches as one likes. */
@ExtendWith(EndLeftovers.class)
class ManySwitchesTest {
    /** {@code -Psoak} makes it a hundred million. */
    private static final long SWITCHES = Long.getLong("soak.switches", Suspendable.NATIVE ? 1_000_000 : 20_000);

    private static final int RING = 50;

    private long switches;
    private @Nullable Object garbage;

    @Test
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void everyOneOfThemFindsItsPlaceAgain() {
        assertThat(turn(SWITCHES)).isGreaterThanOrEqualTo(SWITCHES);
    }

    @Test
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    void onAVirtualThreadToo() throws InterruptedException {
        var done = new AtomicLong();
        Thread.ofVirtual().start(() -> done.set(turn(SWITCHES / 10))).join();
        assertThat(done.get()).isGreaterThanOrEqualTo(SWITCHES / 10);
    }

    private long turn(long wanted) {
        switches = 0;
        Coroutine<Object> main = Coroutine.main();
        List<Coroutine<Object>> ring = new ArrayList<>();
        for (int i = 0; i < RING; i++) {
            int me = i;
            ring.add(Coroutine.of((Object first) -> below(me * 7, () -> {
                Generator<Long> own = Generator.of(out -> {
                    for (long n = 0;; n++) {
                        out.yield(n);
                    }
                });
                for (long n = 0; switches < wanted; n++) {
                    long local = n * 31 + me;
                    switches += 2;
                    if (own.next() != n) {
                        throw new AssertionError("generator " + me + " lost its place");
                    }
                    if (n % 64 == 0) {
                        garbage = new byte[1000];
                    }
                    Object got = ring.get((me + 1) % RING).switchTo(me);
                    if (got != null && (int) got != (me + RING - 1) % RING) {
                        throw new AssertionError(me + " got " + got);
                    }
                    if (local != n * 31 + me) {
                        throw new AssertionError("locals of " + me);
                    }
                }
                main.switchTo();
            })));
        }
        ring.getFirst().switchTo(RING - 1);
        for (Coroutine<Object> each : ring) {
            each.throwInto();
        }
        assertThat(garbage).isNotNull();
        return switches;
    }

    private static int below(int frames, Runnable work) {
        if (frames == 0) {
            work.run();
            return 0;
        }
        return 1 + below(frames - 1, work);
    }
}
