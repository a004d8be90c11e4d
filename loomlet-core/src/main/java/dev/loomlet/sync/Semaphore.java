package dev.loomlet.sync;

import dev.loomlet.Waitable;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Watchable;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A number of permits: {@link #acquire} takes one and waits while there is none, {@link #release} gives one back.
 *
 * {@snippet :
 * var connections = new Semaphore(10);
 * connections.acquire();
 * try {
 *     query();
 * } finally {
 *     connections.release();
 * }
 * }
 *
 * <p>It is fair: a permit is handed to the one who has waited longest, so that one who releases and acquires in a loop
 * cannot take it back from under those who wait. {@code release} never waits, and whoever likes may call it, also more
 * often than {@code acquire} was; {@link BoundedSemaphore} takes that for the mistake it mostly is.
 *
 * <p>gevent's {@code Semaphore}.
 */
public sealed class Semaphore implements Waitable permits BoundedSemaphore {
    final State state;

    /** All in the guard. While permits are left nobody alive waits for one. */
    static final class State extends Watchable implements Waitable.Signal, Owned {
        final String kind;
        final WaitQueue acquiring = new WaitQueue(this);
        final WaitQueue watching = new WaitQueue(this); // those of awaitPermit
        int permits;
        @Nullable Thread last; // who acquired last and has not released: all that is known of who owes a permit

        State(String kind) {
            this.kind = kind;
        }

        @Override
        public boolean isReady() {
            return permits > 0; // a look without the guard; who wants to be sure watches
        }

        @Override
        public boolean watch(Watcher watcher) {
            enter();
            boolean none = permits == 0;
            if (none) {
                watching.add(watcher);
            }
            leave();
            return none;
        }

        @Override
        public void unwatch(Watcher watcher) {
            enter();
            watching.remove(watcher);
            leave();
        }

        boolean take() {
            enter();
            int left = permits;
            if (left > 0) {
                permits = left - 1;
                last = Thread.currentThread();
            }
            leave();
            return left > 0;
        }

        @Override
        public List<?> owners() {
            Thread last = this.last;
            return last == null ? List.of() : List.of(last);
        }

        @Override
        public boolean alone() {
            return false; // anybody may release
        }

        @Override
        public String owned() {
            return "last acquired by";
        }

        @Override
        public String toString() {
            enter();
            int permits = this.permits;
            int waiting = acquiring.size();
            leave();
            return kind + " with " + permits + " permits left and " + waiting + " waiting";
        }
    }

    /** One with a single permit. */
    public Semaphore() {
        this(1);
    }

    /**
     * One with so many permits.
     *
     * @throws IllegalArgumentException if that is negative
     */
    public Semaphore(int permits) {
        if (permits < 0) {
            throw new IllegalArgumentException("a semaphore cannot begin with " + permits + " permits");
        }
        state = new State(getClass().getSimpleName());
        state.permits = permits;
    }

    /** Takes a permit; waits for one if there is none. */
    public void acquire() {
        acquire(-1);
    }

    /** Takes a permit if there is one. */
    public boolean tryAcquire() {
        return acquire(0);
    }

    /**
     * Takes a permit; waits for one at most so long.
     *
     * @return whether it got one
     */
    public boolean tryAcquire(Duration timeout) {
        return acquire(Nanos.of(timeout));
    }

    private boolean acquire(long nanos) {
        State state = this.state;
        if (state.take()) {
            return true;
        }
        if (nanos == 0) {
            return false;
        }
        var node = new WaitQueue.Node(new Waiter(state));
        state.enter();
        boolean taken = state.permits > 0;
        if (taken) {
            state.permits--;
            state.last = Thread.currentThread();
        } else {
            state.acquiring.add(node);
        }
        state.leave();
        return taken || Parking.await(state, state.acquiring, node, nanos);
    }

    /**
     * Gives a permit: to the one who waits longest, or else back.
     *
     * @return how many permits are left
     */
    public int release() {
        return release(Integer.MAX_VALUE);
    }

    final int release(int most) {
        State state = this.state;
        state.enter();
        WaitQueue.Node heir = state.acquiring.claim(null);
        if (heir != null) {
            state.last = Parking.waiterOf(heir).thread();
        } else {
            if (state.last == Thread.currentThread()) {
                state.last = null;
            }
            if (state.permits == most) {
                state.leave();
                throw new IllegalStateException(
                        this + " was released more often than it was acquired: it began with " + most + " permits");
            }
            state.permits++;
            state.watching.claimAll(null);
        }
        int left = state.permits;
        state.leave();
        return left;
    }

    /**
     * Waits until there is a permit, at most so long, without taking it: another may be quicker.
     *
     * @return how many there are; 0 if the time is over
     */
    public int awaitPermit(Duration timeout) {
        State state = this.state;
        long nanos = Nanos.of(timeout);
        int left = permits();
        if (left > 0 || nanos == 0) {
            return left;
        }
        var node = new WaitQueue.Node(new Waiter(state));
        state.enter();
        left = state.permits;
        if (left == 0) {
            state.watching.add(node);
        }
        state.leave();
        if (left == 0) {
            Parking.await(state, state.watching, node, nanos);
            left = permits();
        }
        return left;
    }

    /** How many permits are left. */
    public final int permits() {
        state.enter();
        int permits = state.permits;
        state.leave();
        return permits;
    }

    /** Whether there is a permit. */
    @Override
    public final boolean ready() {
        return permits() > 0;
    }

    /** Its inside, for the library. */
    @Override
    public final Signal signal() {
        return state;
    }

    /** Whether no permit is left. */
    public final boolean isLocked() {
        return permits() == 0;
    }

    /** How many wait for a permit. */
    public final int waiters() {
        state.enter();
        int waiting = state.acquiring.size();
        state.leave();
        return waiting;
    }

    @Override
    public String toString() {
        return state.toString();
    }
}
