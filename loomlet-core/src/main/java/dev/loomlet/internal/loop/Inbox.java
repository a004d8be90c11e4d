package dev.loomlet.internal.loop;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What other threads hand to a loop: a linked queue for many producers and one consumer (Dmitry Vyukov's).
 *
 * <p>A producer swaps itself in as the last node and then links its predecessor to itself. Between the two steps the chain
 * is broken: {@link #poll} finds nothing although {@link #isEmpty} is false. That is why the loop asks {@code isEmpty}, and
 * not {@code poll}, before it goes to sleep: with a producer half-way in it looks once more instead of waiting for it.
 */
final class Inbox {
    private static final VarHandle LAST;

    static {
        try {
            LAST = MethodHandles.lookup().findVarHandle(Inbox.class, "last", Node.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final class Node {
        @Nullable Runnable task;
        volatile @Nullable Node next;

        Node(@Nullable Runnable task) {
            this.task = task;
        }
    }

    private static final Node CLOSED = new Node(null);

    private Node first = new Node(null); // consumer's; its task was taken already
    private volatile Node last = first;

    /**
     * Any thread. Happens-before the {@link #poll} that returns the task.
     *
     * @return false after {@link #close}
     */
    boolean add(Runnable task) {
        Node node = new Node(task);
        for (;;) {
            Node previous = last;
            if (previous == CLOSED) {
                return false;
            }
            if (LAST.compareAndSet(this, previous, node)) {
                previous.next = node;
                return true;
            }
        }
    }

    /** Consumer only. What was accepted before is still to be polled, until {@link #isEmpty}; nothing is accepted after. */
    void close() {
        for (;;) {
            Node previous = last;
            if (previous == CLOSED || LAST.compareAndSet(this, previous, CLOSED)) {
                if (previous != CLOSED) {
                    previous.next = CLOSED;
                }
                return;
            }
        }
    }

    /** Consumer only. Null when there is nothing, or nothing that has arrived whole. */
    @Nullable
    Runnable poll() {
        Node next = first.next;
        if (next == null) {
            return null;
        }
        first = next;
        if (next == CLOSED) {
            return null;
        }
        Runnable task = next.task;
        next.task = null;
        return task;
    }

    /** Consumer only. True only if every {@link #add} that began before has been polled. */
    boolean isEmpty() {
        return first == last;
    }
}
