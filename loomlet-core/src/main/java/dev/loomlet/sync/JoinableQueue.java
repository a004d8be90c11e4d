package dev.loomlet.sync;

import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;

/**
 * A {@link Queue} that knows what has been done: whoever takes an item reports with {@link #taskDone} when it is dealt
 * with, and {@link #join} waits until all are.
 *
 * {@snippet :
 * var jobs = new JoinableQueue<Job>();
 * for (Job job : jobs) {
 *     try {
 *         work(job);
 *     } finally {
 *         jobs.taskDone();
 *     }
 * }
 * }
 *
 * <p>gevent's {@code JoinableQueue}.
 *
 * @param <T> type of the items
 */
public final class JoinableQueue<T> extends Queue<T> {
    /** What {@link #join} waits for: says where the items are that are missing. */
    private record AllDone(Items<?> state, String name) {
        @Override
        public String toString() {
            state.enter();
            int unfinished = state.unfinished;
            int there = state.size();
            state.leave();
            return "the " + unfinished + " unfinished items of " + name + ", of which " + there
                    + " are not taken and " + (unfinished - there) + " not reported as done";
        }
    }

    /** One that takes any number of items. */
    public JoinableQueue() {
        super();
    }

    /** One that holds so many items at most. */
    public JoinableQueue(int capacity) {
        super(capacity);
    }

    /**
     * Reports that an item which was taken has been dealt with.
     *
     * @throws IllegalStateException if it is called more often than items were put in
     */
    public void taskDone() {
        state.enter();
        boolean tooOften = state.unfinished <= 0;
        if (!tooOften && --state.unfinished == 0) {
            state.joining.claimAll(null);
        }
        state.leave();
        if (tooOften) {
            throw new IllegalStateException("taskDone() was called more often than items were put into " + this);
        }
    }

    /** How many items were put in and not reported as done. */
    public int unfinished() {
        state.enter();
        int unfinished = state.unfinished;
        state.leave();
        return unfinished;
    }

    /** Waits until every item that was put in has been reported as done. */
    public void join() {
        join(-1);
    }

    /**
     * Waits until every item that was put in has been reported as done, at most so long.
     *
     * @return whether they are
     */
    public boolean join(Duration timeout) {
        return join(Nanos.of(timeout));
    }

    private boolean join(long nanos) {
        if (unfinished() == 0) {
            return true;
        }
        if (nanos == 0) {
            return false;
        }
        var node = new WaitQueue.Node(new Waiter(new AllDone(state, getClass().getSimpleName())));
        state.enter();
        boolean done = state.unfinished == 0;
        if (!done) {
            state.joining.add(node);
        }
        state.leave();
        return done || Parking.await(state, state.joining, node, nanos);
    }
}
