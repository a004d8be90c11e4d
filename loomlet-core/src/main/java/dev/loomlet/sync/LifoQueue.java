package dev.loomlet.sync;

/**
 * A {@link Queue} that gives out the newest item first.
 *
 * <p>gevent's {@code LifoQueue}.
 *
 * @param <T> type of the items
 */
public final class LifoQueue<T> extends Queue<T> {
    /** One that takes any number of items. */
    public LifoQueue() {
        super(new Items<>(Integer.MAX_VALUE, true));
    }

    /** One that holds so many items at most. */
    public LifoQueue(int capacity) {
        super(new Items<>(positive(capacity), true));
    }
}
