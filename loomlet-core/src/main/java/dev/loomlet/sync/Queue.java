package dev.loomlet.sync;

import dev.loomlet.Case;
import dev.loomlet.Selected;
import dev.loomlet.internal.loop.Nanos;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Items on their way from those who put them in to those who take them out, in that order.
 *
 * {@snippet :
 * var jobs = new Queue<Job>(100);
 * spawn(() -> {
 *     for (Job job : jobs) {      // until it is shut down and empty
 *         work(job);
 *     }
 * });
 * jobs.put(job);                  // waits while there are 100 of them
 * jobs.shutDown();
 * }
 *
 * <p>{@code new Queue<>()} takes any number of items, {@code new Queue<>(n)} makes {@link #put} wait while it holds
 * {@code n}, and {@link #rendezvous} makes one that holds none: {@code put} waits for a {@code take}.
 *
 * <p>Those who wait to put and those who wait to take are served in the order in which they came; an item that comes while
 * somebody waits for it is handed to that one. One who was killed or timed out has no item and takes none. Items are not
 * null.
 *
 * <p>gevent's {@code Queue}; {@code take} is its {@code get}. Its {@code Queue(0)} is {@code new Queue<>()} here.
 *
 * @param <T> type of the items
 */
public sealed class Queue<T> implements Iterable<T> permits LifoQueue, PriorityQueue, JoinableQueue {
    final Items<T> state;

    /** One that takes any number of items. */
    public Queue() {
        this(new Items<>(Integer.MAX_VALUE, false));
    }

    /**
     * One that holds so many items at most.
     *
     * @throws IllegalArgumentException if that is less than 1
     */
    public Queue(int capacity) {
        this(new Items<>(positive(capacity), false));
    }

    Queue(Items<T> state) {
        this.state = state;
    }

    /** One that holds nothing: who puts waits until somebody takes, and the other way round. */
    public static <T> Queue<T> rendezvous() {
        return new Queue<>(new Items<>(0, false));
    }

    static int positive(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a queue cannot hold " + capacity
                    + " items. new Queue<>() takes any number, Queue.rendezvous() holds none");
        }
        return capacity;
    }

    // --- in

    /**
     * Puts an item in; waits while the queue is full.
     *
     * @throws ShutDown if the queue is shut down, before or meanwhile; the item is then not in it
     */
    public void put(T item) {
        put(item, -1);
    }

    /**
     * Puts an item in if there is room, or somebody who waits for it.
     *
     * @return whether it did
     * @throws ShutDown if the queue is shut down
     */
    public boolean offer(T item) {
        return put(item, 0);
    }

    /**
     * Puts an item in; waits at most so long while the queue is full.
     *
     * @return whether it did; if not, the item is the caller's
     * @throws ShutDown if the queue is shut down, before or meanwhile; the item is then not in it
     */
    public boolean offer(T item, Duration timeout) {
        return put(item, Nanos.of(timeout));
    }

    private boolean put(T item, long nanos) {
        return state.put(item, nanos, this);
    }

    /** A case for {@code select}: to put that item in. Gives {@link Selected.Sent}, or {@link Selected.Closed}. */
    public Case<Selected> putting(T item) {
        return new PutCase<>(state, this, item, false);
    }

    // --- out

    /**
     * Takes the next item; waits for one.
     *
     * @throws ShutDown if the queue is shut down and empty, before or meanwhile
     */
    public T take() {
        return Objects.requireNonNull(take(-1, false));
    }

    /**
     * Takes the next item, if there is one.
     *
     * @throws ShutDown if the queue is shut down and empty
     */
    public Optional<T> poll() {
        return Optional.ofNullable(take(0, false));
    }

    /**
     * Takes the next item; waits for one at most so long.
     *
     * @return the item, or nothing if the time is over
     * @throws ShutDown if the queue is shut down and empty, before or meanwhile
     */
    public Optional<T> poll(Duration timeout) {
        return Optional.ofNullable(take(Nanos.of(timeout), false));
    }

    /**
     * The next item, which stays in the queue; waits for one.
     *
     * @throws ShutDown if the queue is shut down and empty, before or meanwhile
     */
    public T peek() {
        return Objects.requireNonNull(take(-1, true));
    }

    /**
     * The next item, which stays in the queue; waits for one at most so long.
     *
     * @return the item, or nothing if the time is over
     * @throws ShutDown if the queue is shut down and empty, before or meanwhile
     */
    public Optional<T> peek(Duration timeout) {
        return Optional.ofNullable(take(Nanos.of(timeout), true));
    }

    private @Nullable T take(long nanos, boolean peek) {
        return state.take(nanos, peek, this);
    }

    /** A case for {@code select}: to take the next item. Gives {@link Selected.Received}, or {@link Selected.Closed}. */
    public Case<Selected> taking() {
        return new TakeCase<>(state, this, null);
    }

    /**
     * The same with a function for the item; the select throws {@link ShutDown} if the queue is shut down and empty.
     */
    public <R> Case<R> taking(Function<? super T, ? extends R> function) {
        return new TakeCase<>(state, this, function);
    }

    /**
     * Takes items until the queue is shut down and empty. Several may do so at once, and each item goes to one of them;
     * {@code hasNext} waits, and takes the item.
     */
    @Override
    public Iterator<T> iterator() {
        return new Iterator<>() {
            private @Nullable T item;

            @Override
            public boolean hasNext() {
                if (item == null) {
                    try {
                        item = take();
                    } catch (ShutDown e) {
                        return false;
                    }
                }
                return true;
            }

            @Override
            public T next() {
                if (!hasNext()) {
                    throw new NoSuchElementException(Queue.this + " is shut down");
                }
                T next = Objects.requireNonNull(item);
                item = null;
                return next;
            }
        };
    }

    // --- the end

    /**
     * Lets nothing in any more; what is in it can still be taken. Those who wait to put, and those who wait to take what
     * will never come, get {@link ShutDown}.
     */
    public void shutDown() {
        state.shutDown(null);
    }

    /**
     * {@link #shutDown()}, and throws away what is in it.
     *
     * @return what was
     */
    public List<T> shutDownNow() {
        List<T> left = new ArrayList<>(size() + 16);
        state.shutDown(left);
        return left;
    }

    /** Whether it was shut down. */
    public boolean isShutDown() {
        state.enter();
        boolean shut = state.shut;
        state.leave();
        return shut;
    }

    // --- how it is

    /** How many items are in it. */
    public int size() {
        state.enter();
        int size = state.size();
        state.leave();
        return size;
    }

    /** Whether no item is in it. */
    public boolean isEmpty() {
        return size() == 0;
    }

    /** Whether {@link #put} would wait. */
    public boolean isFull() {
        return size() >= capacity();
    }

    /** How many items it holds at most; {@link Integer#MAX_VALUE} if there is no bound. */
    public int capacity() {
        state.enter();
        int capacity = state.capacity;
        state.leave();
        return capacity;
    }

    /**
     * Sets how many items it holds at most. Those who wait to put get in if that makes room; if it holds more already, they
     * stay.
     *
     * @throws IllegalArgumentException if that is less than 1
     */
    public void capacity(int capacity) {
        positive(capacity);
        state.enter();
        state.capacity = capacity;
        state.admit();
        state.leave();
    }

    /** How many wait to take or to see an item. */
    public int waitingToTake() {
        state.enter();
        int waiting = state.taking.size();
        state.leave();
        return waiting;
    }

    /** How many wait to put an item. */
    public int waitingToPut() {
        state.enter();
        int waiting = state.putting.size();
        state.leave();
        return waiting;
    }

    /** What is in it now, the next to be taken first. */
    public List<T> toList() {
        return state.toList();
    }

    @Override
    public String toString() {
        int capacity = capacity();
        return getClass().getSimpleName() + " with " + size()
                + (capacity == Integer.MAX_VALUE ? "" : " of " + capacity) + " items, " + waitingToTake()
                + " waiting to take and " + waitingToPut() + " to put";
    }
}
