package dev.loomlet.pool;

import java.lang.ref.Reference;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What {@link Group#mapOrdered} and {@link Group#mapUnordered} give: results that are still coming. To be read once, by one
 * reader.
 *
 * {@snippet :
 * try (Results<Page> pages = pool.mapUnordered(urls, this::fetch)) {
 *     for (Page each : pages) {
 *         if (each.contains(wanted)) {
 *             return each;                      // the rest is killed
 *         }
 *     }
 * }
 * }
 *
 * <p>The iterator waits in {@code hasNext} and {@code next}. An error of the function is thrown by {@code next}, as
 * {@link dev.loomlet.Greenlet#value} throws it, and one may go on reading. Whoever is killed there loses no result.
 *
 * <p>Read to the end, it needs no closing. {@link #close} kills what still runs and waits until it is dead; errors that
 * nobody has read are reported to {@link dev.loomlet.Hub#onError}. Results that are neither closed nor read to the end
 * work on until they are as far ahead of their reader as they may be.
 *
 * @param <R> type of a result
 */
public final class Results<R> implements Iterable<R>, AutoCloseable {
    private final Mapping<?, R> mapping;
    private boolean taken;

    Results(Mapping<?, R> mapping) {
        this.mapping = mapping;
    }

    /**
     * The results as they come.
     *
     * @throws IllegalStateException the second time: they can be read only once
     */
    @Override
    public Iterator<R> iterator() {
        if (taken) {
            throw new IllegalStateException("these results are being read already, and can be read only once");
        }
        taken = true;
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                try {
                    return mapping.awaitNext();
                } finally {
                    Reference.reachabilityFence(Results.this); // it is being read
                }
            }

            @Override
            public R next() throws NoSuchElementException {
                try {
                    return mapping.next();
                } finally {
                    Reference.reachabilityFence(Results.this);
                }
            }
        };
    }

    /** The results as they come. Closing the stream closes them; end it early only in a try-with-resources. */
    public Stream<R> stream() {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), Spliterator.ORDERED), false)
                .onClose(this::close);
    }

    /** Kills what still runs for them and waits until it is dead. Any thread; twice is harmless. */
    @Override
    public void close() {
        mapping.close();
    }
}
