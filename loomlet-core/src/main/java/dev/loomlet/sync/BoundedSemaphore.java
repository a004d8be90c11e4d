package dev.loomlet.sync;

/**
 * A {@link Semaphore} that never has more permits than it began with: a release too many is an error at once, where it
 * happens, instead of one permit too many for ever.
 *
 * <p>gevent's {@code BoundedSemaphore}.
 */
public final class BoundedSemaphore extends Semaphore {
    private final int most;

    /** One with a single permit. */
    public BoundedSemaphore() {
        this(1);
    }

    /** One with so many permits, now and at most. */
    public BoundedSemaphore(int permits) {
        super(permits);
        most = permits;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if all permits are back already
     */
    @Override
    public int release() {
        return release(most);
    }
}
