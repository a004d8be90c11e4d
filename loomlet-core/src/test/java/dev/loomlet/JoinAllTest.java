package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class JoinAllTest extends OnHub {
    private final Greenlet<String> slow = spawn(() -> {
        sleep(millis(40));
        return "slow";
    });
    private final Greenlet<String> quick = spawn(() -> {
        sleep(millis(5));
        return "quick";
    });
    private final Greenlet<String> never = spawn(() -> {
        sleep(LONG);
        return "never";
    });

    @Test
    void givesThemInTheOrderInWhichTheyEnd() {
        assertThat(joinAll(List.of(slow, quick))).containsExactly(quick, slow);
        assertThat(joinAll(List.of(slow, quick))).as("once more").containsExactlyInAnyOrder(slow, quick);
    }

    @Test
    void aTimeShortensTheList() {
        quick.join();
        assertThat(joinAll(List.of(never, quick), millis(5))).containsExactly(quick);
        assertThat(joinAll(List.of(never), Duration.ZERO)).isEmpty();
        assertThat(never.isAlive()).isTrue();
    }

    @Test
    void goesOnWhenSoManyHaveEnded() {
        assertThat(joinAll(List.of(never, slow, quick), LONG, false, 1)).containsExactly(quick);
        assertThat(joinAll(List.of(never, slow, quick), LONG, false, 2)).containsExactly(quick, slow);
        assertThat(joinAll(List.of(never, slow, quick), LONG, false, 0)).isEmpty();
    }

    @Test
    void throwsTheFirstErrorAtOnceIfAskedToAndCancelsNobody() {
        errors();
        java.io.IOException error = new java.io.IOException("the first");
        Greenlet<String> failing = spawn(() -> {
            sleep(millis(1));
            throw error;
        });
        Greenlet<String> failingLater = spawn(() -> {
            failing.join();
            throw new IllegalStateException("the second");
        });
        assertThatThrownBy(() -> joinAll(List.of(never, failingLater, failing), LONG, true, 3))
                .isInstanceOf(CompletionException.class).hasCause(error);
        assertThat(never.isAlive()).isTrue();
        assertThat(joinAll(List.of(failing, failingLater), LONG)).as("nothing is thrown if not asked to").hasSize(2);
    }

    @Test
    void ofNoneReturnsAtOnceAndOneThatIsThereTwiceIsWaitedForOnce() {
        joinAll();
        assertThat(joinAll(List.<Greenlet<String>>of(), LONG)).isEmpty();
        assertThat(joinAll(List.of(quick, quick), LONG)).contains(quick);
    }

    @Test
    void aKillEndsTheWaitAndLeavesNoLinks() {
        Greenlet<Void> waiting = spawn(() -> joinAll(never, slow));
        sleep(millis(2));
        waiting.kill();
        assertThat(waiting.exit()).isPresent();
        assertThat(never.hasLinks()).isFalse();
        assertThat(slow.hasLinks()).isFalse();
    }
}
