package dev.loomlet;

import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Nanos;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The case that nothing else came in time. */
final class AfterCase extends Alternative implements Case<Selected> {
    private final Duration duration;

    AfterCase(Duration duration) {
        this.duration = duration;
    }

    @Override
    public @Nullable Guard guard() {
        return null;
    }

    @Override
    public @Nullable Object attempt() {
        return null;
    }

    @Override
    public long nanos() {
        return Nanos.of(duration);
    }

    @Override
    public Object conclude(@Nullable Object token) {
        return new Selected.Elapsed(duration);
    }

    @Override
    public String toString() {
        return TimeoutExpired.inWords(duration);
    }
}
