package dev.loomlet;

import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Watchable;
import org.jspecify.annotations.Nullable;

/** The case that something is ready. */
final class WatchCase extends Alternative implements Case<Selected> {
    private final Waitable what;
    private final Watchable inside;

    WatchCase(Waitable what) {
        this.what = what;
        this.inside = inside(what);
    }

    static Watchable inside(Waitable what) {
        if (what.signal() instanceof Watchable inside) {
            return inside;
        }
        throw new IllegalArgumentException("signal() of " + what
                + " must be that of something the library can wait for, such as an Event");
    }

    @Override
    public @Nullable Guard guard() {
        return null;
    }

    @Override
    public @Nullable Object attempt() {
        return inside.isReady() ? this : null;
    }

    @Override
    public Watchable watched() {
        return inside;
    }

    @Override
    public Object conclude(@Nullable Object token) {
        return new Selected.Ready(what);
    }

    @Override
    public String toString() {
        return what.toString();
    }
}
