package dev.loomlet.net;

import dev.loomlet.internal.loop.Waiter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * The right to use one direction of a socket, for one thread at a time, and the way in which the socket is closed only when
 * nobody uses its descriptor.
 *
 * <pre>
 *   free ⇄ owned ──▶ (free) ──shut──▶ shut, for ever
 * </pre>
 *
 * Who closes the socket first says so where every owner looks when it leaves, and then tries to shut the turn; an owner
 * first frees the turn, and then looks whether it has to shut it. Both are volatile, so one of the two shuts it, and only
 * one can.
 *
 * <p>One that waits first queues up, and then tries once more; an owner first frees the turn, and then looks at the queue.
 * So nobody is forgotten. One who comes at the right moment may overtake those who wait.
 */
final class Turn {
    private static final Object SHUT = "closed";
    private static final VarHandle OWNER;
    private static final VarHandle QUEUE;

    static {
        try {
            OWNER = MethodHandles.lookup().findVarHandle(Turn.class, "owner", Object.class);
            QUEUE = MethodHandles.lookup().findVarHandle(Turn.class, "queue", ConcurrentLinkedQueue.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile @Nullable Object owner; // null, a Thread, or SHUT
    private volatile @Nullable ConcurrentLinkedQueue<Waiter> queue;

    /** Takes it if it is free. */
    boolean tryTake() {
        return OWNER.compareAndSet(this, null, Thread.currentThread());
    }

    boolean isShut() {
        return owner == SHUT;
    }

    /**
     * Waits for it.
     *
     * @return false if it was shut or the time is over
     */
    boolean take(long nanos, Object reason) throws InterruptedException {
        ConcurrentLinkedQueue<Waiter> waiting = queue();
        long end = System.nanoTime() + nanos;
        for (;;) {
            if (isShut()) {
                return false;
            }
            Waiter waiter = new Waiter(reason);
            waiting.add(waiter);
            if (tryTake()) {
                if (!waiting.remove(waiter)) {
                    wakeNext(); // we were told to come, and need nobody to tell us
                }
                return true;
            }
            long left = nanos < 0 ? -1 : Math.max(0, end - System.nanoTime());
            try {
                if (!isShut() && !waiter.await(left)) {
                    return false;
                }
            } finally {
                waiting.remove(waiter);
            }
        }
    }

    /** Gives it back. */
    void leave() {
        owner = null;
        if (queue != null) {
            wakeNext();
        }
    }

    /** Shuts it for ever if it is free; true for the one caller who did. */
    boolean shut() {
        if (!OWNER.compareAndSet(this, null, SHUT)) {
            return false;
        }
        ConcurrentLinkedQueue<Waiter> waiting = queue;
        if (waiting != null) {
            for (Waiter each; (each = waiting.poll()) != null;) {
                each.resume(null);
            }
        }
        return true;
    }

    private void wakeNext() {
        ConcurrentLinkedQueue<Waiter> waiting = queue;
        if (waiting != null) {
            for (Waiter each; (each = waiting.poll()) != null;) {
                if (each.resume(null)) {
                    return; // one that was killed meanwhile says no: the next one then
                }
            }
        }
    }

    private ConcurrentLinkedQueue<Waiter> queue() {
        ConcurrentLinkedQueue<Waiter> waiting = queue;
        if (waiting == null) {
            waiting = new ConcurrentLinkedQueue<>();
            if (!QUEUE.compareAndSet(this, null, waiting)) {
                return java.util.Objects.requireNonNull(queue);
            }
        }
        return waiting;
    }

    /** Who has it, for people. */
    String owner() {
        return owner instanceof Thread thread ? describe(thread) : "somebody who has just left";
    }

    static String describe(Thread thread) {
        return (thread.isVirtual() ? "greenlet " : "thread ") + thread.getName() + " (#" + thread.threadId() + ")";
    }
}
