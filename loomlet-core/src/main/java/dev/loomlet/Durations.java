package dev.loomlet;

import dev.loomlet.internal.loop.Nanos;
import java.time.Duration;

/** How this library reads durations: anything beyond some 292 years is for ever, anything below zero is no time at all. */
final class Durations {
    static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    private Durations() {}

    /** Nanoseconds for a {@link dev.loomlet.internal.loop.Waiter}: negative means for ever. */
    static long nanos(Duration duration) {
        return Nanos.of(duration);
    }
}
