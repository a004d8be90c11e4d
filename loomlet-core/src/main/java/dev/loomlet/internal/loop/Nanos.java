package dev.loomlet.internal.loop;

import java.time.Duration;

/** Durations as a {@link Waiter} takes them: anything beyond some 292 years is for ever, below zero is no time at all. */
public final class Nanos {
    private Nanos() {}

    /** Nanoseconds; negative means for ever. */
    public static long of(Duration duration) {
        long seconds = duration.getSeconds();
        if (seconds < 0) {
            return 0;
        }
        if (seconds >= Long.MAX_VALUE / 1_000_000_000L) {
            return -1;
        }
        return seconds * 1_000_000_000L + duration.getNano();
    }
}
