package dev.loomlet;

import java.util.function.Function;

/**
 * One of the things that a {@link Loomlet#select} waits for. Channels, queues, events and greenlets make them, and
 * {@link Loomlet#after}. It may be used in several selects, one after the other or at once.
 *
 * @param <R> what the select gives if it is this one
 */
public interface Case<R> {
    /**
     * This case with something done to its result, by the greenlet that selects, after all is over: of the cases of a
     * select only the function of the one that was selected runs.
     */
    default <S> Case<S> then(Function<? super R, ? extends S> function) {
        return new MappedCase<>(this, function);
    }
}
