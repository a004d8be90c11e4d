package dev.loomlet.sync;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A place where a fixed number of greenlets wait for one another; when the last has come, all go on, and it can be used
 * again.
 *
 * {@snippet :
 * var barrier = new Barrier(3);
 * for (Part part : parts) {
 *     spawn(() -> { first(part); barrier.await(); second(part); });
 * }
 * }
 *
 * <p>If one of those who wait is killed or has no more time, the others would wait for ever: the barrier is broken, all get
 * {@link BarrierBroken}, and so does who comes later, until {@link #reset}.
 *
 * <p>Python's {@code threading.Barrier}, the JDK's {@code CyclicBarrier}.
 */
public final class Barrier {
    private final State state = new State();
    private final int parties;

    private static final class State extends Guard {
        final WaitQueue waiting = new WaitQueue(this);
        int arrived;
        boolean broken;
        Generation generation = new Generation();

        void over(End how) {
            generation.end = how;
            generation = new Generation();
            arrived = 0;
            waiting.claimAll(how);
        }

        void broken() {
            broken = true;
            over(End.BROKEN);
        }
    }

    private enum End {
        PASSED,
        BROKEN
    }

    /** Those who come until all have come: one whose wait ended by itself a moment before must know what became of them. */
    private static final class Generation {
        @Nullable End end; // in the guard
    }

    /**
     * One for so many.
     *
     * @throws IllegalArgumentException if that is less than 1
     */
    public Barrier(int parties) {
        if (parties < 1) {
            throw new IllegalArgumentException("a barrier for " + parties);
        }
        this.parties = parties;
    }

    /**
     * Waits for the others.
     *
     * @return how many came after: 0 for the last
     * @throws BarrierBroken if one of the others was killed or ran out of time
     */
    public int await() {
        return await(-1);
    }

    /**
     * Waits for the others, at most so long.
     *
     * @return how many came after: 0 for the last
     * @throws BarrierBroken if the time is over, or one of the others was killed or ran out of time
     */
    public int await(Duration timeout) {
        return await(Nanos.of(timeout));
    }

    private int await(long nanos) {
        State state = this.state;
        var node = new WaitQueue.Node(new Waiter(this));
        int after = -1;
        state.enter();
        Generation generation = state.generation;
        boolean broken = state.broken;
        if (!broken) {
            after = parties - ++state.arrived;
            if (after == 0) {
                state.over(End.PASSED);
            } else {
                state.waiting.add(node);
            }
        }
        state.leave();
        if (broken) {
            throw new BarrierBroken(this + " is broken");
        }
        if (after == 0) {
            return 0;
        }
        @Nullable End end = null;
        try {
            Parking.await(state, state.waiting, node, nanos);
        } finally {
            state.enter();
            end = generation.end; // there if we were served, or somebody ended it between the end of our wait and our turn
            if (end == null) {
                state.broken(); // we are one of those who were counted
            }
            state.leave();
        }
        if (end == null) {
            throw new BarrierBroken("no time left to wait at " + this);
        }
        if (end == End.BROKEN) {
            throw new BarrierBroken(this + " was broken by another");
        }
        return after;
    }

    /**
     * Breaks it: those who wait, and who come later, get {@link BarrierBroken}, until {@link #reset}. For one who knows that
     * he will not come.
     */
    public void abort() {
        state.enter();
        state.broken();
        state.leave();
    }

    /** Makes it as new. Those who wait get {@link BarrierBroken}. */
    public void reset() {
        state.enter();
        state.broken();
        state.broken = false;
        state.leave();
    }

    /** Whether it is broken. */
    public boolean isBroken() {
        state.enter();
        boolean broken = state.broken;
        state.leave();
        return broken;
    }

    /** How many it waits for in all. */
    public int parties() {
        return parties;
    }

    /** How many wait. */
    public int waiters() {
        state.enter();
        int waiting = state.arrived;
        state.leave();
        return waiting;
    }

    @Override
    public String toString() {
        return "Barrier with " + waiters() + " of " + parties + " waiting" + (isBroken() ? ", broken" : "");
    }
}
