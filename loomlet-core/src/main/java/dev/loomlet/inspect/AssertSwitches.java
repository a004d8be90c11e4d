package dev.loomlet.inspect;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.SwitchObserver;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Holds, for tests, that a block of code lets the others run: that it gives way at all, and that nobody keeps the hub to
 * himself for longer than a time.
 *
 * {@snippet :
 * try (var _ = assertSwitches(ofMillis(20))) {
 *     handler.handle(request);
 * }
 * }
 *
 * <p>{@link #close} throws an {@link AssertionError} if that was not so, with the greenlet that was worst. An error of the
 * block itself is not hidden by it: then the other is suppressed in it. Blocks may nest and overlap.
 *
 * <p>The time is that of the clock, so on a machine with other work to do it should not be too short.
 *
 * <p>gevent's {@code util.assert_switches}.
 */
public final class AssertSwitches implements AutoCloseable {
    private final Hub hub = Hub.current();
    private final Loop loop = Greenlets.inside().loop(hub);
    private final Watch watch = new Watch();
    private final @Nullable Duration most;
    private boolean closed;

    /** Looks at the clock when somebody begins and when he gives way. On the loop. */
    private static final class Watch implements SwitchObserver {
        private long begun = System.nanoTime();
        private long longest;
        private @Nullable Fiber worst;
        private boolean switched;

        @Override
        public void begins(Fiber fiber, boolean thrown) {
            begun = System.nanoTime();
        }

        @Override
        public void ends(Fiber fiber) {
            switched = true;
            look(fiber);
        }

        void look(@Nullable Fiber fiber) {
            long held = System.nanoTime() - begun;
            if (held > longest) {
                longest = held;
                worst = fiber;
            }
        }
    }

    private AssertSwitches(@Nullable Duration most) {
        this.most = most;
        loop.observe(watch);
    }

    /** Begins a block that has to give way at least once. */
    public static AssertSwitches assertSwitches() {
        return new AssertSwitches(null);
    }

    /** Begins a block that has to give way at least once, and in which nobody may hold the hub for longer than that. */
    public static AssertSwitches assertSwitches(Duration most) {
        return new AssertSwitches(most);
    }

    /**
     * Ends the block. Closing twice is harmless.
     *
     * @throws AssertionError if the hub was not given way to, or not in time
     * @throws IllegalStateException on another hub than it was begun on
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        if (!loop.onLoop()) {
            throw new IllegalStateException("it was begun on " + hub + " and is closed elsewhere");
        }
        closed = true;
        loop.unobserve(watch);
        watch.look(loop.running());
        if (!watch.switched) {
            throw new AssertionError(who(loop.running()) + " did not give way: nothing in this block has waited");
        }
        if (most != null && watch.longest > most.toNanos()) {
            throw new AssertionError(who(watch.worst) + " kept " + hub + " for "
                    + watch.longest / 1_000_000 + " ms without giving way; at most " + most.toMillis()
                    + " ms were asserted");
        }
    }

    private String who(@Nullable Fiber fiber) {
        if (fiber == null || fiber == loop.homeFiber()) {
            return "thread " + hub.thread().getName();
        }
        return fiber.owner() instanceof Greenlet<?> greenlet ? greenlet.toString() : fiber.thread().toString();
    }
}
