package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Timeout;
import dev.loomlet.TimeoutExpired;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every wait of this library has in common, whatever it waits for: how its own time ends it, that other people's
 * timeouts come out as theirs, what a kill and an interrupt do, and that nothing of it is left behind.
 *
 * <p>A subclass lists the waiting calls, each on an object that nothing else will ever end the wait of.
 */
public abstract class WaitContract extends HubTest {
    protected static final Duration LONG = Duration.ofSeconds(20);
    protected static final Duration SHORT = Duration.ofMillis(4);

    /**
     * One waiting call.
     *
     * @param name for people
     * @param make makes the object and gives the call on it
     */
    public record Wait(String name, Supplier<Call> make) {}

    /** A call on an object of its own. */
    public interface Call {
        /** Waits at most so long; gives what the call gives. */
        Object await(Duration timeout) throws Exception;

        /** Whether that is what it gives when its own time is over. */
        default boolean isExpiry(Object result) {
            return result.equals(false);
        }

        /** How many are in its lines. */
        int waiters();

        /** Whether threads that have nothing to do with hubs may call it too, and an interrupt there is a kill. */
        default boolean foreign() {
            return true;
        }

        /** The end of what it was made with. */
        default void close() {}
    }

    protected abstract List<Wait> waits();

    private interface Check {
        void of(Call call) throws Exception;
    }

    private Stream<DynamicTest> each(Check check) {
        return each(call -> true, check);
    }

    private Stream<DynamicTest> each(Predicate<Call> which, Check check) {
        return waits().stream().map(wait -> DynamicTest.dynamicTest(wait.name(), () -> {
            Call call = wait.make().get();
            try {
                if (which.test(call)) {
                    check.of(call);
                }
                if (Hub.ifPresent().isPresent()) {
                    idle(); // whom the call has killed has its last turn
                }
                assertThat(call.waiters()).as("left in line").isZero();
                assertThat(Hub.ifPresent().map(Hub::liveGreenlets).orElse(0)).as("greenlets left").isZero();
            } finally {
                call.close();
                closeTheHub();
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> itsOwnTimeEndsItQuietly() {
        return each(call -> {
            assertThat(call.isExpiry(call.await(SHORT))).as("in the hub's own thread").isTrue();
            run(() -> assertThat(call.isExpiry(call.await(SHORT))).as("in a greenlet").isTrue());
        });
    }

    @TestFactory
    Stream<DynamicTest> noTimeAndLessOnlyTry() {
        return each(call -> run(() -> {
            assertThat(call.isExpiry(call.await(Duration.ZERO))).isTrue();
            assertThat(call.isExpiry(call.await(Duration.ofSeconds(-1)))).isTrue();
        }));
    }

    @TestFactory
    Stream<DynamicTest> aTimeoutAroundItIsThrownAndIsItsOwn() {
        return each(call -> {
            timesOut(call);
            run(() -> timesOut(call));
        });
    }

    private static void timesOut(Call call) {
        try (Timeout timeout = Timeout.after(SHORT)) {
            Throwable thrown = catchThrowable(() -> call.await(LONG));
            assertThat(thrown).isInstanceOfSatisfying(TimeoutExpired.class,
                    expired -> assertThat(expired.timeout()).isSameAs(timeout));
        }
    }

    @TestFactory
    Stream<DynamicTest> anOuterTimeoutIsNotTakenForAnInnerOne() {
        return each(call -> run(() -> {
            try (Timeout outer = Timeout.after(SHORT)) {
                Throwable thrown = catchThrowable(() -> withTimeout(LONG, () -> call.await(LONG), "inner"));
                assertThat(thrown).isInstanceOfSatisfying(TimeoutExpired.class,
                        expired -> assertThat(expired.timeout()).isSameAs(outer));
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> anInnerTimeoutIsTheInnersOwn() {
        return each(call -> run(() -> {
            try (Timeout outer = Timeout.after(LONG)) {
                assertThat(withTimeout(SHORT, () -> call.await(LONG), "inner")).isEqualTo("inner");
                assertThat(outer.pending()).isTrue();
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> anExceptionOfYourChoiceComesOutOfIt() {
        return each(call -> run(() -> {
            try (Timeout _ = Timeout.after(SHORT, () -> new IOException("chosen"))) {
                assertThat(catchThrowable(() -> call.await(LONG))).isInstanceOf(IOException.class)
                        .hasMessage("chosen");
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> aKillEndsIt() {
        return each(call -> {
            Greenlet<Object> waiter = spawn(() -> call.await(LONG));
            idle();
            assertThat(waiter.kill(LONG)).isTrue();
            assertThat(waiter.exit()).isPresent();
        });
    }

    @TestFactory
    Stream<DynamicTest> aKillThatIsCaughtLeavesItUsable() {
        return each(call -> {
            Greenlet<Boolean> waiter = spawn(() -> {
                Throwable thrown = catchThrowable(() -> call.await(LONG));
                return thrown instanceof GreenletExit && call.isExpiry(call.await(SHORT));
            });
            idle();
            waiter.kill();
            assertThat(waiter.value()).isTrue();
        });
    }

    @TestFactory
    Stream<DynamicTest> anInterruptOfAForeignThreadEndsItAsAKillDoes() {
        return each(Call::foreign, call -> {
            Throwable[] thrown = new Throwable[1];
            Thread foreign = Thread.ofVirtual().start(() -> thrown[0] = catchThrowable(() -> call.await(LONG)));
            foreign.interrupt();
            foreign.join();
            assertThat(thrown[0]).isInstanceOf(GreenletExit.class);
        });
    }

    @TestFactory
    Stream<DynamicTest> itsOwnTimeEndsItInAForeignThread() {
        return each(Call::foreign, call -> {
            Object[] result = new Object[1];
            Thread foreign = Thread.ofPlatform().start(() -> {
                try {
                    result[0] = call.await(SHORT);
                } catch (Exception e) {
                    result[0] = e;
                }
            });
            foreign.join();
            assertThat(call.isExpiry(result[0])).isTrue();
        });
    }
}
