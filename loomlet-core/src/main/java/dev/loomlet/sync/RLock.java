package dev.loomlet.sync;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A lock that belongs to the greenlet, or thread, that took it, which may take it again: it is free when it was unlocked
 * as often.
 *
 * {@snippet :
 * lock.lock();
 * try {
 *     index(page);        // may wait
 * } finally {
 *     lock.unlock();
 * }
 * }
 *
 * <p>Greenlets of one hub need no lock as long as they do not wait in between; this is for when they do, and for several
 * hubs. It is fair: {@code unlock} hands it to the one who has waited longest.
 *
 * <p>gevent's {@code RLock}.
 */
public final class RLock {
    final State state = new State();

    /** In the guard; but whether it is one's own anybody may ask of {@code owner}, since only oneself makes it so. */
    static final class State extends Guard implements Owned {
        final WaitQueue waiting = new WaitQueue(this);
        @Nullable Thread owner;
        int holds;

        @Override
        public List<?> owners() {
            Thread owner = this.owner;
            return owner == null ? List.of() : List.of(owner);
        }

        @Override
        public String toString() {
            enter();
            Thread owner = this.owner;
            int waiting = this.waiting.size();
            leave();
            return "RLock "
                    + (owner == null ? "free" : "held by " + (owner.getName().isEmpty() ? owner : owner.getName()))
                    + " with " + waiting + " waiting";
        }
    }

    /** One that is free. */
    public RLock() {}

    /** Takes it; waits until it is free. */
    public void lock() {
        lock(-1);
    }

    /** Takes it if it is free or one's own. */
    public boolean tryLock() {
        return lock(0);
    }

    /**
     * Takes it; waits at most so long until it is free.
     *
     * @return whether it was taken
     */
    public boolean tryLock(Duration timeout) {
        return lock(Nanos.of(timeout));
    }

    private boolean lock(long nanos) {
        State state = this.state;
        Thread self = Thread.currentThread();
        if (state.owner == self) {
            state.holds++;
            return true;
        }
        WaitQueue.Node node = null;
        for (;;) {
            state.enter();
            boolean taken = state.owner == null;
            if (taken) {
                state.owner = self;
                state.holds = 1;
            } else if (node != null) {
                state.waiting.add(node);
            }
            state.leave();
            if (taken) {
                return true;
            }
            if (nanos == 0) {
                return false;
            }
            if (node != null) {
                boolean inherited = Parking.await(state, state.waiting, node, nanos);
                if (inherited) {
                    state.pass(); // the one before has claimed us, and only then writes that the lock is ours
                }
                return inherited;
            }
            node = new WaitQueue.Node(new Waiter(state));
        }
    }

    /**
     * Gives it back, or away to the one who waits longest, once it was unlocked as often as locked.
     *
     * @throws IllegalMonitorStateException if it is not the caller's
     */
    public void unlock() {
        State state = this.state;
        checkOwner("unlocked");
        if (state.holds > 1) {
            state.holds--;
        } else {
            release();
        }
    }

    void checkOwner(String what) {
        if (state.owner != Thread.currentThread()) {
            throw new IllegalMonitorStateException(
                    this + " cannot be " + what + " by " + Thread.currentThread() + ", which does not hold it");
        }
    }

    /** Lets go whatever the number of holds, which it returns. */
    int release() {
        State state = this.state;
        int holds = state.holds;
        state.enter();
        WaitQueue.Node heir = state.waiting.claim(null);
        state.owner = heir == null ? null : Parking.waiterOf(heir).thread();
        state.holds = heir == null ? 0 : 1;
        state.leave();
        return holds;
    }

    /** Takes it back after a {@link Condition} has waited, whatever is thrown at the waiting greenlet. */
    void restore(int holds) {
        State state = this.state;
        Waiter waiter = new Waiter(state);
        var node = new WaitQueue.Node(waiter);
        state.enter();
        boolean taken = state.owner == null;
        if (taken) {
            state.owner = Thread.currentThread();
        } else {
            state.waiting.add(node);
        }
        state.leave();
        if (!taken) {
            waiter.awaitShielded();
            state.pass();
        }
        state.holds = holds;
    }

    /** A condition of what this lock guards. */
    public Condition newCondition() {
        return new Condition(this);
    }

    /** Whether somebody holds it. */
    public boolean isLocked() {
        state.enter();
        boolean locked = state.owner != null;
        state.leave();
        return locked;
    }

    /** Whether the caller holds it. */
    public boolean isMine() {
        return state.owner == Thread.currentThread();
    }

    @Override
    public String toString() {
        return state.toString();
    }
}
