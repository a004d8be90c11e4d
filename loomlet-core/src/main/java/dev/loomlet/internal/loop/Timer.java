package dev.loomlet.internal.loop;

/**
 * Something that happens at a time, if it is not cancelled before. Armed and cancelled on the loop's thread only; a
 * waiter is its own timer, so that a wait with a deadline allocates nothing more.
 */
public abstract class Timer {
    /** Position in {@link Timers}, or -1 while not armed. */
    int position = -1;

    /** When, on the loop's clock. */
    long due;

    /** Order of arming, modulo 2^32: of two timers that are due at once the one armed first fires first. */
    int sequence;

    /** Runs on the bare loop: short, and never user code. */
    protected abstract void fire();

    /** Whether it is waiting to fire. */
    public final boolean armed() {
        return position >= 0;
    }
}
