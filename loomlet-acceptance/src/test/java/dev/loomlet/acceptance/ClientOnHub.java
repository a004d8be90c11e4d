package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.TimeoutExpired;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import program.ThreadProgram;

/** A client: each call is a greenlet, its peer is elsewhere. */
public abstract class ClientOnHub extends OnOneHub {
    @Override
    protected <T> Future<T> start(Callable<T> call) {
        Callable<T> watched = () -> {
            seen();
            T result = call.call();
            seen();
            return result;
        };
        return underAgent() ? ThreadProgram.start(watched) : hub().spawn(watched);
    }

    @Override
    protected void killInMidCall() throws Exception {
        until("the end of earlier calls", () -> inside() == 0);
        Greenlet<Void> victim = hub().spawn("victim", () -> slowCall(0, VERY_LONG));
        until("the middle of a call", () -> inside() > 0);
        long start = System.nanoTime();
        victim.kill(PATIENCE);
        assertThat(victim.ready()).as("the killed call has ended").isTrue();
        assertThat(victim.exit()).as("how it ended: " + victim.exception()).isPresent();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(VERY_LONG.dividedBy(3));
    }

    @Override
    protected void timeoutInMidCall() throws Exception {
        Greenlet<Void> late = hub().spawn("late", () -> {
            long start = System.nanoTime();
            assertThatThrownBy(() -> Loomlet.withTimeout(LATENCY, () -> {
                slowCall(0, VERY_LONG);
                return true;
            })).isInstanceOf(TimeoutExpired.class);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(VERY_LONG.dividedBy(3));
        });
        finish(late);
    }
}
