package dev.loomlet.internal.loop;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What keeps the state of one shared object whole when several hubs and threads use it: a spin lock for sections of a few
 * instructions. A subclass holds the state.
 *
 * <p>Why a spin lock and not a lock: whoever holds it never waits, never calls code of the program and never wakes anybody
 * (a wake-up enters a scheduler: who was {@linkplain WaitQueue#claim claimed} is woken by {@link #leave}, after it has
 * left). So a holder is at most a few dozen instructions from leaving, a fiber is never unmounted while it holds it, and
 * the loop may enter it. On one hub it is never contended at all: entering is one compare-and-set, leaving a plain store
 * on most machines.
 *
 * <p>Memory: entering acquires, leaving releases, so plain fields read and written inside are seen by the next who enters.
 *
 * <p>Whoever needs several at once ({@code select}) enters them by ascending {@link #rank}, so no two can wait for each
 * other. Nobody else may enter a second one.
 */
public class Guard {
    private static final VarHandle HELD;
    private static final VarHandle RANK;
    private static final AtomicLong RANKS = new AtomicLong();

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            HELD = lookup.findVarHandle(Guard.class, "held", boolean.class);
            RANK = lookup.findVarHandle(Guard.class, "rank", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // by its handle
    private boolean held;

    private volatile long rank;
    private WaitQueue.@Nullable Node firstToWake;
    private WaitQueue.@Nullable Node lastToWake;

    public final void enter() {
        if (!HELD.compareAndSet(this, false, true)) {
            spin();
        }
    }

    /** Leaves, and wakes those who were claimed inside, in that order. */
    public final void leave() {
        WaitQueue.Node first = firstToWake;
        if (first == null) {
            HELD.setRelease(this, false);
        } else {
            wake(leaveOnly());
        }
    }

    /**
     * Waits until whoever is inside has left. For one who was claimed: he may go on as soon as he is, while the giver is
     * still inside and has not yet written down who was given what.
     */
    public final void pass() {
        enter();
        leave();
    }

    /** Leaves; the caller hands the result to {@link #wake} when it has left the others as well. */
    final WaitQueue.@Nullable Node leaveOnly() {
        WaitQueue.Node first = firstToWake;
        firstToWake = null;
        lastToWake = null;
        HELD.setRelease(this, false);
        return first;
    }

    static void wake(WaitQueue.@Nullable Node chain) {
        for (WaitQueue.Node each = chain; each != null;) {
            WaitQueue.Node next = each.next;
            each.next = null;
            each.wake();
            each = next;
        }
    }

    /** A node that was claimed and is in no line any more. Inside. */
    final void wakeOnLeaving(WaitQueue.Node node) {
        if (lastToWake == null) {
            firstToWake = node;
        } else {
            lastToWake.next = node;
        }
        lastToWake = node;
    }

    /** The holder is on another processor, or was taken off one: then it takes until the system runs it again. */
    private void spin() {
        Thread current = Thread.currentThread();
        boolean mayYield = !current.isVirtual(); // there a yield would be a switch, and who enters must not be switched
        int spins = 0;
        do {
            do {
                if (mayYield && (++spins & 1023) == 0) {
                    Thread.yield();
                } else {
                    Thread.onSpinWait();
                }
            } while ((boolean) HELD.getOpaque(this));
        } while (!HELD.compareAndSet(this, false, true));
    }

    /** Its place in the order in which several are entered; given out when first asked for. */
    public final long rank() {
        long known = rank;
        if (known == 0) {
            long next = RANKS.incrementAndGet();
            known = RANK.compareAndSet(this, 0L, next) ? next : rank;
        }
        return known;
    }
}
