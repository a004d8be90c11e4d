package dev.loomlet.sync;

import dev.loomlet.Case;
import dev.loomlet.Selected;
import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Guard;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** To take an item from a queue or channel. */
final class TakeCase<T, R> extends Alternative implements Case<R> {
    private final Items<T> items;
    private final Object who;
    private final @Nullable Function<? super T, ? extends R> function; // null: the result is a Selected

    TakeCase(Items<T> items, Object who, @Nullable Function<? super T, ? extends R> function) {
        this.items = items;
        this.who = who;
        this.function = function;
    }

    @Override
    public Guard guard() {
        return items;
    }

    @Override
    public @Nullable Object attempt() {
        Object token = items.next();
        return token == null && items.shut ? Items.SHUT : token;
    }

    @Override
    public void join(Place place) {
        items.taking.add(place);
    }

    @Override
    public void leave(Place place) {
        items.taking.remove(place);
    }

    @Override
    public @Nullable Object conclude(@Nullable Object token) {
        if (token == Items.SHUT) {
            if (function == null) {
                return new Selected.Closed(who);
            }
            throw items.isShut(who);
        }
        T item = items.finishTake(Objects.requireNonNull(token));
        return function == null ? new Selected.Received<>(item) : function.apply(item);
    }

    @Override
    public String toString() {
        return who.toString();
    }
}
