package dev.loomlet.sync;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The inside of queues and channels. Fields belong to the guard. While an item is there nobody alive waits to take; while
 * somebody alive waits to put it is full.
 *
 * <p>Putting and taking have two steps, so that a priority queue can call a comparator, which is code of the program,
 * outside the guard: inside, a place is taken ({@link #accept}) or an item promised ({@link #next}); outside, that is made
 * true ({@link #finishPut}, {@link #finishTake}). Here the second step has nothing to do.
 */
class Items<T> extends Guard {
    /** Handed to those who wait when it is shut down. */
    static final Object SHUT = new Object();

    final WaitQueue taking = new WaitQueue(this);
    final WaitQueue putting = new WaitQueue(this);
    final WaitQueue joining = new WaitQueue(this); // those who wait until nothing is unfinished
    private final ArrayDeque<T> items = new ArrayDeque<>();
    private final boolean lastFirst;
    int capacity;
    boolean shut;
    int unfinished; // accepted, and not reported as done

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

    Items(int capacity, boolean lastFirst) {
        this.capacity = capacity;
        this.lastFirst = lastFirst;
    }

    // --- inside the guard

    /** Gives the item to one who waits for it, or keeps it if there is room. False if there is neither. */
    boolean accept(T item) {
        if (!taking.isEmpty() && hand(item)) {
            unfinished++;
            return true;
        }
        if (size() >= capacity) {
            return false;
        }
        keep(item);
        return true;
    }

    /** Hands something to all who want to see it and to the first who takes it; false if there is no such one. */
    final boolean hand(Object item) {
        WaitQueue.Node taker;
        while ((taker = taking.claim(item)) != null) {
            if (!taker.watches()) {
                return true;
            }
        }
        return false;
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
    Object next() {
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
        return putter.item;
    }

    /** Takes the items of those who wait to put, while there is room. */
    void admit() {
        WaitQueue.Node putter;
        while (!putting.isEmpty() && items.size() < capacity && (putter = putting.claim()) != null) {
            keep(Items.<T>cast(putter.item));
        }
    }

    /** The item that {@link #next} would give, or null. */
    @Nullable
    Object first() {
        T item = items.peekFirst();
        if (item != null) {
            return item;
        }
        WaitQueue.Node putter = putting.first();
        while (putter != null && putter.dead()) {
            putting.remove(putter);
            putter = putting.first();
        }
        return putter == null ? null : putter.item;
    }

    int size() {
        return items.size();
    }

    /** Forgets all. */
    int clear(List<T> into) {
        int size = items.size();
        into.addAll(items);
        items.clear();
        return size;
    }

    // --- outside the guard

    /** After {@link #accept}, or after having been served as one who waits to put. */
    void finishPut(T item) {}

    /** After {@link #next}, or after having been served as one who waits to take. */
    T finishTake(Object token) {
        return Items.<T>cast(token);
    }

    /** After {@link #first}, or after having been served as one who wants to see; null if it has gone meanwhile. */
    @Nullable
    T see(Object token) {
        return Items.<T>cast(token);
    }

    /** Ends it as {@link Channel#close} says. */
    void close() {
        shutDown(null);
    }

    /** After {@link #clear}. */
    void finishClear(List<T> into, int count) {}

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // what is on a node of ours is a T
    static <T> T cast(@Nullable Object item) {
        return (T) Objects.requireNonNull(item);
    }

    // --- the operations

    final boolean put(T item, long nanos, Object who) {
        Objects.requireNonNull(item, "an item is not null");
        // Made outside the guard: before the first round if it looks as if it will be needed, else before the second.
        WaitQueue.Node node = nanos != 0 && looksFull() ? bringing(item, who) : null;
        for (;;) {
            boolean accepted = false;
            enter();
            boolean shut = this.shut;
            try {
                if (!shut) {
                    accepted = accept(item);
                    if (!accepted && node != null) {
                        putting.add(node);
                    }
                }
            } finally {
                leave();
            }
            if (shut) {
                throw isShut(who);
            }
            if (accepted) {
                break;
            }
            if (nanos == 0) {
                return false;
            }
            if (node != null) {
                if (!Parking.await(this, putting, node, nanos)) {
                    return false;
                }
                if (node.item == SHUT) {
                    throw isShut(who);
                }
                break;
            }
            node = bringing(item, who);
        }
        finishPut(item);
        return true;
    }

    /** As {@link #looksEmpty}, for somebody who puts. */
    private boolean looksFull() {
        return taking.isEmpty() && !shut && size() >= capacity;
    }

    private static WaitQueue.Node bringing(Object item, Object who) {
        var node = new WaitQueue.Node(new Waiter(who));
        node.item = item;
        return node;
    }

    /**
     * Whether somebody who takes will probably have to wait. Looked at without the guard, so it may be wrong in both ways;
     * then it only costs: an object too many, or a second round.
     */
    private boolean looksEmpty() {
        return putting.isEmpty() && !shut && size() == 0;
    }

    private static WaitQueue.Node node(boolean peek, Object who) {
        Waiter waiter = new Waiter(who);
        return peek ? new Peeker(waiter) : new WaitQueue.Node(waiter);
    }

    final @Nullable T take(long nanos, boolean peek, Object who) {
        // Made outside the guard: before the first round if it looks as if it will be needed, else before the second.
        WaitQueue.Node node = nanos != 0 && looksEmpty() ? node(peek, who) : null;
        for (;;) {
            enter();
            Object token = peek ? first() : next();
            boolean shut = this.shut;
            if (token == null && !shut && node != null) {
                taking.add(node);
            }
            leave();
            if (token == null) {
                if (shut) {
                    throw isShut(who);
                }
                if (nanos == 0) {
                    return null;
                }
                if (node == null) {
                    node = node(peek, who);
                    continue;
                }
                if (!Parking.await(this, taking, node, nanos)) {
                    return null;
                }
                token = Objects.requireNonNull(node.item);
                if (token == SHUT) {
                    throw isShut(who);
                }
            }
            T item = peek ? see(token) : finishTake(token);
            if (item != null) {
                return item;
            }
            node = null;
        }
    }

    /** Ends it; with a list, what is left goes there. */
    final void shutDown(@Nullable List<T> left) {
        int count = 0;
        enter();
        try {
            shut = true;
            if (left != null) {
                count = clear(left);
                unfinished -= count;
                if (unfinished <= 0) {
                    joining.claimAll(null);
                }
            }
            putting.claimAll(SHUT);
            taking.claimAll(SHUT); // somebody waits only if there is nothing to take
        } finally {
            leave();
        }
        if (left != null) {
            finishClear(left, count);
        }
    }

    ShutDown isShut(Object who) {
        return new ShutDown(who + " was shut down");
    }

    List<T> toList() {
        List<T> all = new ArrayList<>();
        enter();
        try {
            all.addAll(items);
        } finally {
            leave();
        }
        return all;
    }
}
