package dev.loomlet.sync;

import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Waiting, under an {@link RLock}, for something that others change under it. Made by {@link RLock#newCondition}.
 *
 * {@snippet :
 * lock.lock();
 * try {
 *     notEmpty.awaitUntil(() -> !list.isEmpty());
 *     return list.removeFirst();
 * } finally {
 *     lock.unlock();
 * }
 * }
 *
 * <p>{@link #await()} gives the lock back, waits for a {@link #signal}, and takes it again before it returns or throws: a
 * killed waiter waits for the lock too, and then gets its kill. A signal goes to the one who has waited longest; it is not
 * lost on one who was killed.
 *
 * <p>gevent programs use {@code threading.Condition}.
 */
public final class Condition {
    private final RLock lock;
    private final WaitQueue waiting; // in the lock's guard

    /** What is waited for. Nobody owes a signal, but while the lock is held nobody but its owner can give one. */
    private record Signal(Condition condition) implements Owned {
        @Override
        public List<?> owners() {
            return condition.lock.state.owners();
        }

        @Override
        public String owned() {
            return "which needs the lock of";
        }

        @Override
        public String toString() {
            return "a signal of " + condition;
        }
    }

    Condition(RLock lock) {
        this.lock = lock;
        waiting = new WaitQueue(lock.state);
    }

    /**
     * Waits for a signal.
     *
     * @throws IllegalMonitorStateException if the caller does not hold the lock
     */
    public void await() {
        await(-1);
    }

    /**
     * Waits for a signal, at most so long, not counting the time to get the lock again.
     *
     * @return whether there was one
     * @throws IllegalMonitorStateException if the caller does not hold the lock
     */
    public boolean await(Duration timeout) {
        return await(Nanos.of(timeout));
    }

    /** Waits for signals until the condition is true. It is asked under the lock. */
    public void awaitUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            await(-1);
        }
    }

    /**
     * Waits for signals until the condition is true, at most so long.
     *
     * @return whether it is
     */
    public boolean awaitUntil(BooleanSupplier condition, Duration timeout) {
        long nanos = Nanos.of(timeout);
        long end = System.nanoTime() + nanos;
        while (!condition.getAsBoolean()) {
            long left = nanos < 0 ? -1 : end - System.nanoTime();
            if (nanos >= 0 && left <= 0) {
                return false;
            }
            await(left);
        }
        return true;
    }

    private boolean await(long nanos) {
        lock.checkOwner("waited under");
        var node = new WaitQueue.Node(new Waiter(new Signal(this)));
        lock.state.enter();
        waiting.add(node);
        lock.state.leave();
        int holds = lock.release();
        try {
            return Parking.await(lock.state, waiting, node, nanos);
        } finally {
            lock.restore(holds);
        }
    }

    /**
     * Lets the one go on who has waited longest, if anybody waits.
     *
     * @throws IllegalMonitorStateException if the caller does not hold the lock
     */
    public void signal() {
        lock.checkOwner("signalled under");
        lock.state.enter();
        waiting.claim(null);
        lock.state.leave();
    }

    /**
     * Lets all go on who wait.
     *
     * @throws IllegalMonitorStateException if the caller does not hold the lock
     */
    public void signalAll() {
        lock.checkOwner("signalled under");
        lock.state.enter();
        waiting.claimAll(null);
        lock.state.leave();
    }

    @Override
    public String toString() {
        return "Condition of " + lock;
    }
}
