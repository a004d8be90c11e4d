package dev.loomlet.internal.loop;

import org.jspecify.annotations.Nullable;

/**
 * Who waits for one thing, first come first served: a doubly linked list, so that one who gives up is taken out at once
 * and leaves nothing behind. It belongs to a {@link Guard}, inside which alone it may be touched; an object that has two
 * reasons to wait (a channel: to send, to receive) has two of these and one guard.
 *
 * <h2>Nothing is lost</h2>
 * A node is served in two steps: taken off the list, inside the guard, and {@linkplain Node#claim claimed}, which is the
 * compare-and-set that ends its {@link Waiter}. A kill, a timeout or another case of a {@code select} ends the same waiter
 * with the same compare-and-set, without the guard. Exactly one of them succeeds:
 *
 * <ul>
 * <li>The claim: the waiter has what it was handed, whatever comes after. A kill that is later finds the waiter ended and
 * stays pending for the next wait.
 * <li>The other: the claim says no, and {@link #claim} goes on to the next in line, still inside the guard; what was to be
 * handed over never left the hands of the giver.
 * </ul>
 *
 * One who was claimed may go on at once, before the giver has left the guard. What he needs must be in his node before the
 * claim; if he goes by anything that the giver writes after it, he has to {@link Guard#pass} first.
 *
 * <p>The waiter that was ended by something else takes its node off the list itself ({@link #remove}), unless a giver has
 * found it dead and done so before.
 */
public final class WaitQueue {
    /** One who waits. Its fields belong to the guard of the list it is on. */
    public static class Node {
        final @Nullable Waiter waiter;
        private @Nullable Node previous;

        @Nullable Node next; // in line; after it was claimed, the next to be woken

        private boolean linked;

        /** What is handed over, in either direction. Written by the giver before it claims, inside the guard. */
        public @Nullable Object item;

        /** Null for those who only want to be told ({@link #claim} and {@link #wake} are then theirs to override). */
        public Node(@Nullable Waiter waiter) {
            this.waiter = waiter;
        }

        /** Ends the wait, if nothing else has. Inside the guard. */
        protected boolean claim() {
            return waiter != null && waiter.settle(null);
        }

        /** Tells the thread behind a claimed node. Outside the guard. */
        protected void wake() {
            if (waiter != null) {
                waiter.wake();
            }
        }

        /** Whether it wants to be told only, and takes nothing. */
        public boolean watches() {
            return false;
        }

        public final @Nullable Waiter waiter() {
            return waiter;
        }

        /** Whether somebody else has ended the wait. */
        public final boolean dead() {
            return waiter != null && waiter.ended();
        }
    }

    private final Guard guard;
    private @Nullable Node first;
    private @Nullable Node last;

    public WaitQueue(Guard guard) {
        this.guard = guard;
    }

    public boolean isEmpty() {
        return first == null;
    }

    /** The first in line, dead or alive. */
    public @Nullable Node first() {
        return first;
    }

    public void add(Node node) {
        Node before = last;
        node.previous = before;
        node.linked = true;
        last = node;
        if (before == null) {
            first = node;
        } else {
            before.next = node;
        }
    }

    /** Takes a node out; harmless if it is not in. */
    public void remove(Node node) {
        if (!node.linked) {
            return;
        }
        Node before = node.previous;
        Node after = node.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        node.previous = null;
        node.next = null;
        node.linked = false;
    }

    /**
     * Hands {@code item} to the first in line who is still there to take it; {@link Guard#leave} wakes it.
     *
     * @return that one, or null if nobody was
     */
    public @Nullable Node claim(@Nullable Object item) {
        Node node;
        while ((node = first) != null) {
            remove(node);
            node.item = item;
            if (node.claim()) {
                guard.wakeOnLeaving(node);
                return node;
            }
            node.item = null;
        }
        return null;
    }

    /** The same for one who brings something in {@link Node#item}. */
    public @Nullable Node claim() {
        Node node;
        while ((node = first) != null) {
            remove(node);
            if (node.claim()) {
                guard.wakeOnLeaving(node);
                return node;
            }
        }
        return null;
    }

    /**
     * Hands {@code item} to all, in their order.
     *
     * @return how many took it
     */
    public int claimAll(@Nullable Object item) {
        int claimed = 0;
        while (first != null && claim(item) != null) {
            claimed++;
        }
        return claimed;
    }

    /** How many are in line and still there to be served. */
    public int size() {
        int size = 0;
        for (Node each = first; each != null; each = each.next) {
            if (!each.dead()) {
                size++;
            }
        }
        return size;
    }
}
