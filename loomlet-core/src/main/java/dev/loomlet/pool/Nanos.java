package dev.loomlet.pool;

import java.time.Duration;

/** Durations as waiters want them: negative means for ever, and what was below zero is no time at all. */
final class Nanos {
    static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    private Nanos() {}

    static long of(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        return duration.toSeconds() >= Long.MAX_VALUE / 1_000_000_000L ? -1 : duration.toNanos();
    }
}
