package dev.loomlet;

import java.util.Optional;

/**
 * A turn that a hub gave, as {@link Hub#trace} tells it.
 *
 * @param nanos when, on {@link System#nanoTime}'s clock
 * @param from who had the turn before; nobody for the hub's own thread, and for a virtual thread that is no greenlet
 * @param to who has it now
 * @param thrown whether {@code to} goes on with something that is thrown at it, a kill or a timeout, instead of with what
 *     it waited for
 */
public record Switch(long nanos, Optional<Greenlet<?>> from, Optional<Greenlet<?>> to, boolean thrown) {
    @Override
    public String toString() {
        return name(from) + (thrown ? " throws into " : " -> ") + name(to);
    }

    private static String name(Optional<Greenlet<?>> greenlet) {
        return greenlet.map(Greenlet::name).orElse("hub");
    }
}
