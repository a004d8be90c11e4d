package dev.loomlet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;

/** For tests on the hub of their own thread: it is closed after each, so that LeakCheck sees what it leaves behind. */
abstract class OnHub {
    /** Long enough for anything that ought to happen on the slowest machine; never waited for in vain. */
    static final Duration LONG = Duration.ofSeconds(30);

    /** What a step of a test did, in order. */
    final List<String> log = Collections.synchronizedList(new ArrayList<>());

    final void note(Object step) {
        log.add(String.valueOf(step));
    }

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
        assertThat(Hub.all()).as("hubs left open").isEmpty();
    }

    static Duration millis(long n) {
        return Duration.ofMillis(n);
    }

    /** Collects the errors that the hub of the calling thread is told of. */
    static List<Throwable> errors() {
        List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());
        Hub.current().onError((greenlet, error) -> errors.add(error));
        return errors;
    }

    /** Waits in the way of its caller (parks a greenlet, runs the hub, blocks a thread) until something has happened. */
    static void until(java.util.function.BooleanSupplier happened) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!happened.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("did not happen in " + LONG);
            }
            Loomlet.sleep(millis(1));
        }
    }

    /** The current greenlet. */
    static Greenlet<?> me() {
        return Loomlet.current().orElseThrow();
    }

    /** Turns that are counted while something else waits, and the OS threads that steps of the test ran on. */
    static final class Witness implements AutoCloseable {
        private final Greenlet<Void> ticker;
        private final Set<Thread> carriers = ConcurrentHashMap.newKeySet();
        private volatile int ticks;

        @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
        Witness(Hub hub) {
            ticker = hub.spawn("ticker", () -> {
                for (;;) {
                    seen();
                    ticks++;
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            });
        }

        /** To be called by each step of user code. */
        void seen() {
            carriers.add(VirtualThreads.currentCarrier());
        }

        int ticks() {
            return ticks;
        }

        Set<Thread> carriers() {
            return carriers;
        }

        /** Runs a wait, in a greenlet, and checks that others had their turns meanwhile, all on one OS thread. */
        <T> T during(java.util.concurrent.Callable<T> wait) throws Exception {
            seen();
            int before = ticks;
            T result = wait.call();
            seen();
            assertThat(ticks - before).as("turns of another greenlet during the wait").isPositive();
            return result;
        }

        @Override
        public void close() {
            ticker.kill();
            assertThat(carriers).as("OS threads that ran the program's code").hasSize(1);
        }
    }

    /** What a greenlet's end was, as text: for tests of many ends. */
    static String end(Greenlet<?> greenlet) {
        Optional<Throwable> error = greenlet.exception();
        return !greenlet.ready() ? "alive" : greenlet.exit().isPresent() ? "killed"
                : error.map(e -> e.getClass().getSimpleName()).orElse("value");
    }
}
