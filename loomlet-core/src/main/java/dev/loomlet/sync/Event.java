package dev.loomlet.sync;

import dev.loomlet.Waitable;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Watchable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Something that happens, and that any number of greenlets can wait for: a flag that is set and cleared.
 *
 * {@snippet :
 * var ready = new Event();
 * spawn(() -> { ready.await(); serve(); });
 * loadConfiguration();
 * ready.set();
 * }
 *
 * <p>{@link #set} releases all who wait, in the order in which they came. One who was released has seen the event, even if
 * it is cleared again before that one gets its turn. One who comes to {@link #await} while those before it are released but
 * have not had their turn yet goes on after them.
 *
 * <p>{@code set}, {@code clear} and {@code isSet} never wait.
 *
 * <p>gevent's {@code Event}.
 */
public final class Event implements Waitable {
    private final State state = new State();

    /** All fields in the guard, but {@code set} may be read anywhere, and {@code released} by whoever has seen it set. */
    private static final class State extends Watchable implements Waitable.Signal {
        final WaitQueue waiting = new WaitQueue(this);
        volatile boolean set;
        int released; // how many are released but have not gone on yet
        @Nullable WaitQueue watching; // made for the first: most events are never watched

        @Override
        public boolean isReady() {
            return set;
        }

        @Override
        public boolean watch(Watcher watcher) {
            enter();
            boolean set = this.set;
            if (!set) {
                WaitQueue watching = this.watching;
                if (watching == null) {
                    watching = new WaitQueue(this);
                    this.watching = watching;
                }
                watching.add(watcher);
            }
            leave();
            return !set;
        }

        @Override
        public void unwatch(Watcher watcher) {
            enter();
            if (watching != null) {
                watching.remove(watcher);
            }
            leave();
        }
    }

    /** One that is not set. */
    public Event() {}

    /** Whether it is set. */
    public boolean isSet() {
        return state.set;
    }

    /** Sets it, and releases all who wait. Setting it twice is setting it once. */
    public void set() {
        State state = this.state;
        if (state.set) {
            return;
        }
        state.enter();
        if (!state.set) {
            state.released += state.waiting.claimAll(null);
            if (state.watching != null) {
                state.watching.claimAll(null);
            }
            state.set = true; // publishes the line before
        }
        state.leave();
    }

    /** Clears it: who comes from now on waits. Those who were released stay so. */
    public void clear() {
        state.enter();
        state.set = false;
        state.leave();
    }

    /** Waits until it is set; returns at once if it is. */
    public void await() {
        await(-1);
    }

    /**
     * Waits until it is set, at most so long.
     *
     * @return whether it was set at any time during the wait
     */
    public boolean await(Duration timeout) {
        return await(Nanos.of(timeout));
    }

    private boolean await(long nanos) {
        State state = this.state;
        if (state.set) {
            return seen(nanos);
        }
        if (nanos == 0) {
            return false;
        }
        var node = new WaitQueue.Node(new Waiter(this));
        state.enter();
        boolean set = state.set;
        if (!set) {
            state.waiting.add(node);
        }
        state.leave();
        if (set) {
            return seen(nanos);
        }
        boolean served = Parking.await(state, state.waiting, node, nanos);
        if (served) {
            state.enter();
            state.released--;
            state.leave();
        }
        return served || state.set; // set between the end of the time and our turn: that is during the wait as well
    }

    /** It is set. Those who were released by that and have not gone on yet came before us. */
    private boolean seen(long nanos) {
        if (nanos != 0 && state.released > 0) {
            Loop.giveWay();
        }
        return true;
    }

    /** How many wait. */
    public int waiters() {
        state.enter();
        int waiting = state.waiting.size() + (state.watching == null ? 0 : state.watching.size());
        state.leave();
        return waiting;
    }

    /** Whether it is set. */
    @Override
    public boolean ready() {
        return isSet();
    }

    /** Its inside, for the library. */
    @Override
    public Signal signal() {
        return state;
    }

    @Override
    public String toString() {
        return "Event " + (isSet() ? "set" : "not set") + " with " + waiters() + " waiting";
    }
}
