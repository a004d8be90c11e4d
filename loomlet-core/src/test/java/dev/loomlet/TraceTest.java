package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class TraceTest extends OnHub {
    @SuppressWarnings("try") // closed twice
    @Test
    void everyTurnIsToldInOrderWithWhoHadItBefore() {
        List<String> told = new ArrayList<>(); // the trace's thread writes, and has ended when we read
        try (var trace = Hub.current().trace(turn -> told.add(turn.toString()))) {
            var one = spawn("one", () -> yieldNow());
            var two = spawn("two", () -> yieldNow());
            joinAll(one, two);
            trace.close(); // twice is harmless
            assertThat(trace.lost()).isZero();
        }
        assertThat(told).containsExactly("hub -> one", "one -> two", "two -> one", "one -> two", "two -> hub");
        spawn(() -> {}).join();
        assertThat(told).as("after the end").hasSize(5);
    }

    @Test
    void whatIsThrownIntoAGreenletIsToldFromWhatItWaitedFor() {
        List<Switch> told = new ArrayList<>();
        var victim = spawn("victim", () -> sleep(LONG));
        yieldNow();
        try (var _ = Hub.current().trace(told::add)) {
            victim.kill();
        }
        assertThat(told).anySatisfy(turn -> {
            assertThat(turn.to()).contains(victim);
            assertThat(turn.thrown()).isTrue();
        });
    }

    @Test
    void aTracerThatIsTooSlowMissesTurnsAndHoldsNobodyUp() throws Exception {
        var go = new CountDownLatch(1);
        var trace = Hub.current().trace(_ -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        try (trace) {
            for (int i = 0; i < 20_000; i++) {
                spawn(() -> {}).join();
            }
            assertThat(trace.lost()).isPositive();
            go.countDown();
        }
    }

    @Test
    void aTracerMayFailAndTheHubOfAnotherThreadMayBeTraced() throws Exception {
        var seen = new CountDownLatch(3);
        try (Hub far = Hub.start("far"); var _ = far.trace(_ -> {
            seen.countDown();
            throw new IllegalStateException("this is logged, and belongs to a test");
        })) {
            far.spawn(() -> {}).join();
            far.spawn(() -> {}).join();
            far.spawn(() -> {}).join();
            seen.await();
        }
    }

    @Test
    void aHubThatClosesEndsItsTraces() throws Exception {
        Hub far = Hub.start("far");
        var _ = far.trace(_ -> {});
        Thread thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("loomlet-trace-far")).findFirst().orElseThrow();
        far.close();
        thread.join(LONG);
        assertThat(thread.isAlive()).isFalse();
    }
}
