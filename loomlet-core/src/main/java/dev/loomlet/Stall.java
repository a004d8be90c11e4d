package dev.loomlet;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A greenlet that did not give way: while it goes on, no other greenlet of its hub has a turn.
 *
 * <p>One thread, {@code loomlet-watchdog}, looks at all hubs every 50 ms; the hubs do nothing for it. What holds up a hub for
 * 100 ms ({@code -Dloomlet.stall=}, in milliseconds; 0 turns it off) is logged as a warning to the system logger
 * {@code dev.loomlet.stall}, recorded as the JFR event {@code dev.loomlet.Stall}, and handed to {@link Hub#onStall}: once for
 * each place in the program, and again only after 10 seconds, 20, 40...
 *
 * <p>Under the agent a native call that the JDK itself marks as one that may block is reported exactly, from 50 ms on
 * ({@code -Dloomlet.stall.native=}), when it is over.
 *
 * <p>gevent's {@code EventLoopBlocked}.
 *
 * @param hub whose turn it holds up
 * @param greenlet the greenlet, if it is one; a virtual thread that the program started by itself is none
 * @param thread the greenlet's thread
 * @param duration for how long, when it was looked at
 * @param cause why, as far as can be told
 * @param stack what it was doing; empty if that was the body of a coroutine or generator
 */
public record Stall(
        Hub hub, Optional<Greenlet<?>> greenlet, Thread thread, Duration duration, Cause cause,
        List<StackTraceElement> stack) {

    /** Why a greenlet does not give way. */
    public enum Cause {
        /** In a native method, of the JDK or of somebody's driver: give it to {@link Hub#threadPool}. */
        NATIVE_CALL("in a native call; hub.threadPool() is for such"),
        /** It computes. */
        CPU("computing; give way now and then, or use hub.threadPool()"),
        /** It goes round in a loop at one place, perhaps for what only another greenlet could bring. */
        SPIN_LOOP("going round in one place; if it waits for another greenlet, that one cannot run: let the loop call"
                + " Thread.yield(), or leave a program's threads real (./loomlet run --threads none)"),
        /** It waits, but cannot leave its thread: a native method has called it. */
        PINNED_PARK("waiting with a native method on its stack, so that it cannot leave the thread"),
        /** It waits within the initialisation of a class. */
        CLASS_INITIALISATION("in the initialisation of a class, which it cannot leave while it waits"),
        /** It waits to enter a monitor and cannot leave its thread. */
        MONITOR("waiting to enter a monitor that another thread holds");

        private final String text;

        Cause(String text) {
            this.text = text;
        }

        /** For people. */
        @Override
        public String toString() {
            return text;
        }
    }

    /** The library that is known for it, and the remedy, if one is met in the stack. */
    public Optional<KnownOffender> known() {
        return KnownOffender.in(stack);
    }

    /** How much of a stack a report shows; {@link #stack()} has all of it. */
    private static final int SHOWN = 16;

    /** The report, in several lines. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder().append(hub.name()).append(" has been held up for ")
                .append(duration.toMillis()).append(" ms by ")
                .append(greenlet.<Object>map(each -> each).orElse(thread)).append(", ").append(cause);
        if (stack.isEmpty()) {
            text.append("\n    in the body of a coroutine or generator, whose stack cannot be looked at from outside");
        }
        int shown = Math.min(stack.size(), SHOWN);
        for (StackTraceElement each : stack.subList(0, shown)) {
            text.append("\n    at ").append(each);
        }
        if (shown < stack.size()) {
            text.append("\n    ... and ").append(stack.size() - shown).append(" more");
        }
        known().ifPresent(each -> text.append("\n  known: ").append(each));
        return text.toString();
    }
}
