package dev.loomlet.inspect;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static dev.loomlet.inspect.AssertSwitches.assertSwitches;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.Action;
import dev.loomlet.Hub;
import dev.loomlet.sync.Event;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AssertSwitchesTest {
    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static void compute(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static void both(Action check) throws Exception {
        check.run();
        run(check);
    }

    @Test
    void aBlockThatWaitsPasses() throws Exception {
        both(() -> {
            try (var _ = assertSwitches()) {
                yieldNow();
            }
            try (var _ = assertSwitches(ofSeconds(20))) {
                sleep(ofMillis(1));
            }
        });
    }

    @Test
    void aBlockThatNeverGivesWayFails() throws Exception {
        both(() -> assertThatThrownBy(() -> {
            try (var _ = assertSwitches()) {
                new Event().set();
                var done = new Event();
                done.set();
                done.await();
            }
        }).isInstanceOf(AssertionError.class).hasMessageContaining("did not give way"));
    }

    @Test
    void whoKeepsTheHubForTooLongIsNamed() {
        assertThatThrownBy(() -> {
            try (var _ = assertSwitches(ofMillis(20))) {
                joinAll(spawn("quick", () -> yieldNow()), spawn("greedy", () -> compute(ofMillis(60))));
            }
        }).isInstanceOf(AssertionError.class).hasMessageContaining("greedy").hasMessageContaining("at most 20 ms");
    }

    @Test
    void itsOwnComputingCountsBeforeAndAfterItsWaits() throws Exception {
        both(() -> {
            assertThatThrownBy(() -> {
                try (var _ = assertSwitches(ofMillis(20))) {
                    compute(ofMillis(60));
                    yieldNow();
                }
            }).hasMessageContaining("without giving way");
            assertThatThrownBy(() -> {
                try (var _ = assertSwitches(ofMillis(20))) {
                    yieldNow();
                    compute(ofMillis(60));
                }
            }).hasMessageContaining("without giving way");
        });
    }

    @Test
    void anErrorOfTheBlockIsNotHidden() {
        Throwable thrown = catchThrowable(() -> {
            try (var _ = assertSwitches()) {
                throw new IOException("of the block");
            }
        });
        assertThat(thrown).isInstanceOf(IOException.class);
        assertThat(thrown.getSuppressed()).hasSize(1).allMatch(each -> each instanceof AssertionError);
    }

    @Test
    void blocksNest() {
        try (var _ = assertSwitches()) {
            yieldNow();
            assertThatThrownBy(() -> {
                try (var inner = assertSwitches()) {
                    assertThat(inner).isNotNull();
                }
            }).isInstanceOf(AssertionError.class);
        }
    }
}
