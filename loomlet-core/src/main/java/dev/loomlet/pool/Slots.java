package dev.loomlet.pool;

import dev.loomlet.GreenletExit;
import dev.loomlet.internal.loop.Waiter;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A number of free places, given out in the order of asking. Any thread; no locks, because a place may be given back on the
 * bare loop.
 *
 * <p>Why no wake-up is lost: who waits joins the queue first and looks for a free place after; who gives one back frees it
 * first and looks at the queue after. Both steps are volatile on both sides, so at least one of them brings the two
 * together in {@link #match}, which may be run by any number of threads at once: a place is claimed before a waiter is
 * taken out, and freed again (and everything looked at once more) if that waiter was gone.
 */
final class Slots {
    private final AtomicInteger free;
    private final ConcurrentLinkedQueue<Waiter> waiting = new ConcurrentLinkedQueue<>();
    private final Object reason;

    /**
     * Free places.
     *
     * @param reason what they are places of, for whoever asks what somebody waits for
     */
    Slots(int places, Object reason) {
        this.free = new AtomicInteger(places);
        this.reason = reason;
    }

    int free() {
        return Math.max(0, free.get());
    }

    boolean anybodyWaits() {
        return !waiting.isEmpty();
    }

    /** Takes a place if one is free that nobody waits for. */
    boolean tryTake() {
        return waiting.isEmpty() && claim();
    }

    private boolean claim() {
        for (;;) {
            int now = free.get();
            if (now <= 0) {
                return false;
            }
            if (free.compareAndSet(now, now - 1)) {
                return true;
            }
        }
    }

    /**
     * Takes a place, and waits for it if need be.
     *
     * @param nanos longest time to wait; negative means for ever
     * @return whether the caller has a place now
     */
    boolean take(long nanos) {
        if (tryTake()) {
            return true;
        }
        if (nanos == 0) {
            return false;
        }
        Waiter waiter = new Waiter(reason);
        waiting.add(waiter);
        match();
        boolean taken = false;
        try {
            taken = waiter.await(nanos);
            return taken;
        } catch (InterruptedException e) {
            throw new GreenletExit(e);
        } finally {
            if (!taken) {
                waiting.remove(waiter);
                match(); // it may have stood before one for whom there is a place
            }
        }
    }

    void giveBack() {
        free.incrementAndGet();
        match();
    }

    /** More places, or fewer: those that are taken stay so. */
    void change(int by) {
        free.addAndGet(by);
        match();
    }

    private void match() {
        while (!waiting.isEmpty() && claim()) {
            Waiter first = waiting.poll();
            if (first == null || !first.resume(null)) {
                free.incrementAndGet();
            }
        }
    }
}
