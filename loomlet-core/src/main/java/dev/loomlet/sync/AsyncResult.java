package dev.loomlet.sync;

import dev.loomlet.Greenlet;
import dev.loomlet.Waitable;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Watchable;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A value, or an error, that is there once: whoever has it {@linkplain #set sets} it, and any number of greenlets
 * {@linkplain #get wait} for it.
 *
 * {@snippet :
 * var answer = new AsyncResult<Integer>();
 * spawn(() -> say(answer.get()));
 * answer.set(42);
 *
 * greenlet.link(answer);       // a greenlet's result as another's
 * }
 *
 * <p>The first who sets it wins; nobody is told of what comes after. {@code set} never waits.
 *
 * <p>gevent's {@code AsyncResult}.
 *
 * @param <T> type of the value
 */
public final class AsyncResult<T> implements Waitable, Consumer<Greenlet<? extends T>> {
    private static final Object NULL = new Object();

    private final State state = new State();

    private record Failed(Throwable cause) {}

    /** Lists in the guard; {@code outcome} may be read anywhere. */
    private static final class State extends Watchable implements Waitable.Signal {
        final WaitQueue waiting = new WaitQueue(this);
        volatile @Nullable Object outcome;

        @Override
        public boolean isReady() {
            return outcome != null;
        }

        @Override
        public boolean watch(Watcher watcher) {
            return add(watcher);
        }

        /** False if the outcome is there already. */
        boolean add(WaitQueue.Node node) {
            enter();
            boolean open = outcome == null;
            if (open) {
                waiting.add(node);
            }
            leave();
            return open;
        }

        @Override
        public void unwatch(Watcher watcher) {
            enter();
            waiting.remove(watcher);
            leave();
        }
    }

    /** One that is not set. */
    public AsyncResult() {}

    /**
     * Sets the value.
     *
     * @return false if it had an outcome before, which it keeps
     */
    public boolean set(T value) {
        return end(value == null ? NULL : value);
    }

    /**
     * Sets an error: who waits gets it thrown.
     *
     * @return false if it had an outcome before, which it keeps
     */
    public boolean setException(Throwable error) {
        return end(new Failed(error));
    }

    private boolean end(Object outcome) {
        State state = this.state;
        state.enter();
        boolean first = state.outcome == null;
        if (first) {
            state.outcome = outcome;
            state.waiting.claimAll(null);
        }
        state.leave();
        return first;
    }

    /** Takes over what became of a greenlet, so that it can be given to {@link Greenlet#link}. */
    @Override
    public void accept(Greenlet<? extends T> greenlet) {
        Optional<Throwable> error = greenlet.exception();
        if (error.isPresent()) {
            setException(error.get());
        } else if (greenlet.exit().isPresent()) {
            setException(greenlet.exit().get());
        } else {
            set(greenlet.value());
        }
    }

    /**
     * The value; waits for it. An error is thrown: unchecked ones as they are, checked ones in a
     * {@link CompletionException}.
     */
    public T get() {
        await(-1);
        return value(state.outcome);
    }

    /**
     * The value; waits for it at most so long. An error is thrown as {@link #get()} does.
     *
     * @return the value, or nothing if the time is over (or the value is null)
     */
    public Optional<T> get(Duration timeout) {
        return await(Nanos.of(timeout)) ? Optional.ofNullable(value(state.outcome)) : Optional.empty();
    }

    /**
     * Waits until it has an outcome, at most so long, and throws nothing of it.
     *
     * @return whether it has
     */
    public boolean await(Duration timeout) {
        return await(Nanos.of(timeout));
    }

    private boolean await(long nanos) {
        State state = this.state;
        if (state.outcome != null) {
            return true;
        }
        if (nanos == 0) {
            return false;
        }
        var node = new WaitQueue.Node(new Waiter(this));
        return !state.add(node) || Parking.await(state, state.waiting, node, nanos) || state.outcome != null;
    }

    @SuppressWarnings({"unchecked", "NullAway"})
    private T value(@Nullable Object outcome) {
        if (outcome instanceof Failed failed) {
            switch (failed.cause) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new CompletionException(e);
            }
        }
        return (T) (outcome == NULL ? null : outcome); // null where it was set to that
    }

    /** Whether it has an outcome. */
    @Override
    public boolean ready() {
        return state.outcome != null;
    }

    /** Whether it has a value. */
    public boolean successful() {
        Object outcome = state.outcome;
        return outcome != null && !(outcome instanceof Failed);
    }

    /** The error, if it has one. */
    public Optional<Throwable> exception() {
        return state.outcome instanceof Failed failed ? Optional.of(failed.cause) : Optional.empty();
    }

    /** How many wait. */
    public int waiters() {
        state.enter();
        int waiting = state.waiting.size();
        state.leave();
        return waiting;
    }

    /** Its inside, for the library. */
    @Override
    public Signal signal() {
        return state;
    }

    @Override
    public String toString() {
        return "AsyncResult " + (ready() ? successful() ? "with a value" : "failed" : "not set");
    }
}
