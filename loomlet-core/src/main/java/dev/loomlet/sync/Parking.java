package dev.loomlet.sync;

import dev.loomlet.GreenletExit;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;

/** The one way in which everything in this package waits. */
final class Parking {
    private Parking() {}

    /**
     * Waits in a line that the node has joined already.
     *
     * @return true if it was served, false if the time is over; then, and when something is thrown, it is out of the line
     */
    static boolean await(Guard guard, WaitQueue line, WaitQueue.Node node, long nanos) {
        boolean served = false;
        try {
            served = await(waiterOf(node), nanos);
            return served;
        } finally {
            if (!served) {
                guard.enter();
                line.remove(node);
                guard.leave();
            }
        }
    }

    static boolean await(Waiter waiter, long nanos) {
        try {
            return waiter.await(nanos);
        } catch (InterruptedException e) {
            // Asks the waiting code to end, so it becomes what a kill is.
            GreenletExit exit = new GreenletExit(e.getMessage() == null ? "interrupted" : e.getMessage());
            exit.initCause(e);
            throw exit;
        }
    }

    static Waiter waiterOf(WaitQueue.Node node) {
        Waiter waiter = node.waiter();
        if (waiter == null) {
            throw new AssertionError("a node that does not wait");
        }
        return waiter;
    }
}
