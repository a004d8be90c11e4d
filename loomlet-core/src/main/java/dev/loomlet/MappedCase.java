package dev.loomlet;

import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Watchable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A case with something done to its result. */
final class MappedCase<R, S> extends Alternative implements Case<S> {
    private final Alternative of;
    private final Function<? super R, ? extends S> function;

    MappedCase(Case<R> of, Function<? super R, ? extends S> function) {
        this.of = inside(of);
        this.function = function;
    }

    static Alternative inside(Case<?> of) {
        if (of instanceof Alternative inside) {
            return inside;
        }
        throw new IllegalArgumentException(of + " was not made by a channel, queue, event, greenlet or after()");
    }

    @Override
    public @Nullable Guard guard() {
        return of.guard();
    }

    @Override
    public @Nullable Object attempt() {
        return of.attempt();
    }

    @Override
    public void join(Place place) {
        of.join(place);
    }

    @Override
    public void leave(Place place) {
        of.leave(place);
    }

    @Override
    public @Nullable Watchable watched() {
        return of.watched();
    }

    @Override
    public long nanos() {
        return of.nanos();
    }

    @Override
    @SuppressWarnings({"unchecked", "NullAway"})
    public @Nullable Object conclude(@Nullable Object token) {
        return function.apply((R) of.conclude(token));
    }

    @Override
    public String toString() {
        return of.toString();
    }
}
