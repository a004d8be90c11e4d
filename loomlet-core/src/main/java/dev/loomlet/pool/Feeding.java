package dev.loomlet.pool;

import dev.loomlet.Action;
import dev.loomlet.internal.loop.Wrapper;

/** What the feeder of a {@link Mapping} does. */
record Feeding<A, R>(Mapping<A, R> mapping, Iterable<? extends A> inputs) implements Action, Wrapper {
    @Override
    public void run() {
        mapping.feed(inputs);
    }

    @Override
    public Object wrapped() {
        return mapping.function();
    }
}
