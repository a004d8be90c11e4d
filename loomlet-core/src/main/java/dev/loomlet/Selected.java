package dev.loomlet;

import java.time.Duration;

/**
 * What a {@link Loomlet#select} came to, made to be switched over:
 *
 * {@snippet :
 * switch (select(jobs.receiving(), stop.waiting(), after(ofSeconds(1)))) {
 *     case Received(Job job) -> work(job);
 *     case Ready _ -> goHome();
 *     case Elapsed _ -> lookAround();
 *     default -> throw new IllegalStateException();
 * }
 * }
 */
public sealed interface Selected {
    /**
     * An item came out of a channel or queue.
     *
     * @param value the item
     */
    record Received<T>(T value) implements Selected {}

    /**
     * An item went into a channel or queue.
     *
     * @param value the item
     */
    record Sent<T>(T value) implements Selected {}

    /**
     * Something is ready: an event set, a greenlet ended.
     *
     * @param what that
     */
    record Ready(Waitable what) implements Selected {}

    /**
     * Nothing came in time.
     *
     * @param after the time
     */
    record Elapsed(Duration after) implements Selected {}

    /**
     * A channel or queue is closed: nothing will ever come out of it, or can go into it.
     *
     * @param what that
     */
    record Closed(Object what) implements Selected {}
}
