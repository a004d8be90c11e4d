package dev.loomlet;

import java.util.Iterator;

/**
 * Things in the order in which they become ready: {@link Loomlet#asCompleted}. To be gone through once; close it if you may
 * leave early, so that nothing stays linked to what you did not wait for.
 *
 * @param <W> type of the things
 */
public final class Completions<W extends Waitable> implements Iterable<W>, AutoCloseable {
    private final Arrivals<W> arrivals;

    Completions(Arrivals<W> arrivals) {
        this.arrivals = arrivals;
    }

    /** Waits for the next in {@code hasNext}; ends when all were ready or the time is over. The same one each time. */
    @Override
    public Iterator<W> iterator() {
        return arrivals;
    }

    /** Unlinks it from what is not ready. */
    @Override
    public void close() {
        arrivals.close();
    }
}
