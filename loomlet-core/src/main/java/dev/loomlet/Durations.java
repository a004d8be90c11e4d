package dev.loomlet;

import java.time.Duration;

/** How this library reads durations: anything beyond some 292 years is for ever, anything below zero is no time at all. */
final class Durations {
    static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    private Durations() {}

    /** Nanoseconds for a {@link dev.loomlet.internal.loop.Waiter}: negative means for ever. */
    static long nanos(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        if (duration.toSeconds() >= Long.MAX_VALUE / 1_000_000_000L) {
            return -1;
        }
        return duration.toNanos();
    }
}
