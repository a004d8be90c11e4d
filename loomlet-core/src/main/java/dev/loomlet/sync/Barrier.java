package dev.loomlet.sync;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;

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
    private static final Object BROKEN = new Object();

    private final State state = new State();
    private final int parties;

    private static final class State extends Guard {
        final WaitQueue waiting = new WaitQueue(this);
        int arrived;
        boolean broken;
        int generation; // counts how often it was passed, broken or reset

        void broken() {
            broken = true;
            generation++;
            arrived = 0;
            waiting.claimAll(BROKEN);
        }
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
        int generation = state.generation;
        boolean broken = state.broken;
        if (!broken) {
            after = parties - ++state.arrived;
            if (after == 0) {
                state.generation++;
                state.arrived = 0;
                state.waiting.claimAll(null);
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
        boolean served = false;
        boolean passed = false;
        try {
            served = Parking.await(state, state.waiting, node, nanos);
        } finally {
            if (!served) {
                state.enter();
                passed = state.generation != generation; // the last came between the end of our wait and our turn
                if (!passed) {
                    state.broken(); // we are one of those who were counted
                }
                state.leave();
            }
        }
        if (passed) {
            return after;
        }
        if (!served) {
            throw new BarrierBroken("no time left to wait at " + this);
        }
        if (node.item == BROKEN) {
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
