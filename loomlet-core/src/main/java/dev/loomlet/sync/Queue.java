package dev.loomlet.sync;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
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
public sealed class Queue<T> implements Iterable<T> permits LifoQueue, JoinableQueue {
    /** Handed to those who wait when the queue is shut down. */
    private static final Object SHUT = new Object();

    final State<T> state;

    /**
     * All in the guard. While an item is there nobody alive waits to take; while somebody alive waits to put it is full.
     */
    static class State<T> extends Guard {
        final WaitQueue taking = new WaitQueue(this);
        final WaitQueue putting = new WaitQueue(this);
        final ArrayDeque<T> items = new ArrayDeque<>();
        final boolean lastFirst;
        int capacity;
        boolean shut;
        int unfinished; // accepted, and not reported as done
        final WaitQueue joining = new WaitQueue(this); // those who wait until nothing is unfinished

        State(int capacity, boolean lastFirst) {
            this.capacity = capacity;
            this.lastFirst = lastFirst;
        }

        /** Gives the item to one who waits for it, or keeps it if there is room. False if there is neither. */
        boolean accept(T item) {
            WaitQueue.Node taker;
            while ((taker = taking.claim(item)) != null) {
                if (!taker.watches()) {
                    unfinished++;
                    return true;
                }
            }
            if (items.size() >= capacity) {
                return false;
            }
            keep(item);
            return true;
        }

        private void keep(T item) {
            unfinished++;
            if (lastFirst) {
                items.addFirst(item);
            } else {
                items.addLast(item);
            }
        }

        /** The next item, or null; makes room for those who wait to put. */
        @Nullable
        T next() {
            T item = items.pollFirst();
            if (item != null) {
                admit();
                return item;
            }
            WaitQueue.Node putter = putting.claim(); // somebody is there only if it never holds any
            if (putter == null) {
                return null;
            }
            unfinished++;
            return State.<T>item(putter);
        }

        /** Takes the items of those who wait to put, while there is room. */
        void admit() {
            WaitQueue.Node putter;
            while (items.size() < capacity && (putter = putting.claim()) != null) {
                keep(State.<T>item(putter));
            }
        }

        /** The item that {@link #next} would give, or null. */
        @Nullable
        T first() {
            T item = items.peekFirst();
            if (item != null) {
                return item;
            }
            WaitQueue.Node putter = putting.first();
            while (putter != null && putter.dead()) {
                putting.remove(putter);
                putter = putting.first();
            }
            return putter == null ? null : State.<T>item(putter);
        }

        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // what is on a node of ours is a T
        static <T> T item(WaitQueue.Node node) {
            return (T) Objects.requireNonNull(node.item);
        }
    }

    /** One who only wants to see the next item. */
    private static final class Peeker extends WaitQueue.Node {
        Peeker(Waiter waiter) {
            super(waiter);
        }

        @Override
        public boolean watches() {
            return true;
        }
    }

    /** One that takes any number of items. */
    public Queue() {
        this(new State<>(Integer.MAX_VALUE, false));
    }

    /**
     * One that holds so many items at most.
     *
     * @throws IllegalArgumentException if that is less than 1
     */
    public Queue(int capacity) {
        this(new State<>(positive(capacity), false));
    }

    Queue(State<T> state) {
        this.state = state;
    }

    /** One that holds nothing: who puts waits until somebody takes, and the other way round. */
    public static <T> Queue<T> rendezvous() {
        return new Queue<>(new State<>(0, false));
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
        Objects.requireNonNull(item, "an item of a queue is not null");
        State<T> state = this.state;
        WaitQueue.Node node = null;
        for (;;) {
            boolean accepted = false;
            state.enter();
            boolean shut = state.shut;
            if (!shut) {
                accepted = state.accept(item);
                if (!accepted && node != null) {
                    state.putting.add(node);
                }
            }
            state.leave();
            if (shut) {
                throw new ShutDown(this + " was shut down");
            }
            if (accepted) {
                return true;
            }
            if (nanos == 0) {
                return false;
            }
            if (node != null) {
                break;
            }
            node = new WaitQueue.Node(new Waiter(this)); // made outside the guard, hence the second round
            node.item = item;
        }
        boolean served = Parking.await(state, state.putting, node, nanos);
        if (served && node.item == SHUT) {
            throw new ShutDown(this + " was shut down");
        }
        return served;
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
        State<T> state = this.state;
        WaitQueue.Node node = null;
        for (;;) {
            state.enter();
            T item = peek ? state.first() : state.next();
            boolean shut = state.shut;
            if (item == null && !shut && node != null) {
                state.taking.add(node);
            }
            state.leave();
            if (item != null) {
                return item;
            }
            if (shut) {
                throw new ShutDown(this + " was shut down");
            }
            if (nanos == 0) {
                return null;
            }
            if (node != null) {
                break;
            }
            Waiter waiter = new Waiter(this); // made outside the guard, hence the second round
            node = peek ? new Peeker(waiter) : new WaitQueue.Node(waiter);
        }
        if (!Parking.await(state, state.taking, node, nanos)) {
            return null;
        }
        if (node.item == SHUT) {
            throw new ShutDown(this + " was shut down");
        }
        return State.<T>item(node);
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
        state.enter();
        state.shut = true;
        state.putting.claimAll(SHUT);
        state.taking.claimAll(SHUT); // somebody waits only if there is nothing to take
        state.leave();
    }

    /**
     * {@link #shutDown()}, and throws away what is in it.
     *
     * @return what was
     */
    public List<T> shutDownNow() {
        List<T> left = new java.util.ArrayList<>(size() + 16);
        state.enter();
        state.shut = true;
        left.addAll(state.items);
        state.items.clear();
        state.unfinished -= left.size();
        if (state.unfinished <= 0) {
            state.joining.claimAll(null);
        }
        state.putting.claimAll(SHUT);
        state.taking.claimAll(SHUT);
        state.leave();
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
        int size = state.items.size();
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
        List<T> items = new java.util.ArrayList<>(size() + 16);
        state.enter();
        items.addAll(state.items);
        state.leave();
        return items;
    }

    @Override
    public String toString() {
        int capacity = capacity();
        return getClass().getSimpleName() + " with " + size()
                + (capacity == Integer.MAX_VALUE ? "" : " of " + capacity) + " items, " + waitingToTake()
                + " waiting to take and " + waitingToPut() + " to put";
    }
}
