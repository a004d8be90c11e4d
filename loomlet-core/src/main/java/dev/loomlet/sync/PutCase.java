package dev.loomlet.sync;

import dev.loomlet.Case;
import dev.loomlet.Selected;
import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Loop;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** To put an item into a queue or channel. */
final class PutCase<T> extends Alternative implements Case<Selected> {
    private final Items<T> items;
    private final Object who;
    private final T item;
    private final boolean receiverFirst;

    PutCase(Items<T> items, Object who, T item, boolean receiverFirst) {
        this.items = items;
        this.who = who;
        this.item = Objects.requireNonNull(item, "an item is not null");
        this.receiverFirst = receiverFirst;
    }

    @Override
    public Guard guard() {
        return items;
    }

    @Override
    public @Nullable Object attempt() {
        return items.shut ? Items.SHUT : items.accept(item) ? item : null;
    }

    @Override
    public void join(Place place) {
        place.item = item;
        items.putting.add(place);
    }

    @Override
    public void leave(Place place) {
        items.putting.remove(place);
    }

    @Override
    public Object conclude(@Nullable Object token) {
        if (token == Items.SHUT) {
            return new Selected.Closed(who);
        }
        items.finishPut(item);
        if (receiverFirst) {
            Loop.giveWay();
        }
        return new Selected.Sent<>(item);
    }

    @Override
    public String toString() {
        return who.toString();
    }
}
