package dev.loomlet;

/**
 * Something that becomes ready, and that can be waited for together with others: {@link Loomlet#waitAll},
 * {@link Loomlet#waitAny}, {@link Loomlet#asCompleted}, {@link Loomlet#select}.
 *
 * <p>Greenlets are (when they have ended), and events, results and semaphores. To make a class of yours one, have an
 * {@code Event} or the like in it and hand its {@link #signal} on.
 *
 * <p>gevent's wait protocol, {@code rawlink} and {@code unlink}.
 */
public interface Waitable {
    /** The inside of a waitable, for the library only. */
    interface Signal {}

    /** Whether it is ready now. */
    boolean ready();

    /** Its inside, which the library's waits link to. */
    Signal signal();

    /** A case for {@link Loomlet#select}: it is ready. Gives {@link Selected.Ready}. */
    default Case<Selected> waiting() {
        return new WatchCase(this);
    }
}
