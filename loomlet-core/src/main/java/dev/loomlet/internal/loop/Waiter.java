package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one suspension primitive. A waiter belongs to the thread that made it ({@link #here}), is waited for once, and is
 * ended once: with a value, with an exception, or by its deadline. Whoever comes first wins; the others are told so, and
 * may then offer what they hold to somebody else, which is why nothing is lost when a kill and a value meet.
 *
 * <pre>
 *             resume ──▶ RESUMED
 *            ╱
 *   WAITING ── fail ──▶ FAILED          (CLAIMED for an instant in between, while the result is written)
 *            ╲
 *             deadline ──▶ EXPIRED
 * </pre>
 *
 * The waiting side is a greenlet (its thread parks), a hub's own thread (it runs the loop meanwhile), or a thread that has
 * nothing to do with hubs (it blocks). The ending side is any thread.
 */
public class Waiter extends Timer {
    private static final int WAITING = 0;
    private static final int CLAIMED = 1;
    private static final int RESUMED = 2;
    private static final int FAILED = 3;
    private static final int EXPIRED = 4;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Waiter.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object party; // who waits: a Fiber, the Loop whose home it is, or a foreign Thread
    private Object reason;
    private volatile int state;
    private @Nullable Object result; // written between CLAIMED and RESUMED or FAILED
    private long since;
    private boolean shielded;
    private boolean byInterrupt;

    /**
     * A waiter for the calling thread.
     *
     * @param reason what is waited for; its {@code toString} is read when somebody asks why nothing goes on
     */
    public Waiter(Object reason) {
        Thread current = Thread.currentThread();
        Object owner = current.isVirtual() ? Fiber.of(current) : Loop.ofHome(current);
        this.party = owner == null ? current : owner;
        this.reason = reason;
    }

    public static Waiter here(Object reason) {
        return new Waiter(reason);
    }

    /**
     * As {@code new Waiter(reason)}, but a greenlet that waits again and again gets the one it has given back.
     */
    public static Waiter again(Object reason) {
        Thread current = Thread.currentThread();
        Fiber fiber = current.isVirtual() ? Fiber.of(current) : null;
        Waiter spare = fiber == null ? null : fiber.spare;
        if (fiber == null || spare == null) {
            return new Waiter(reason);
        }
        fiber.spare = null;
        spare.reason = reason;
        spare.result = null;
        spare.shielded = false;
        spare.byInterrupt = false;
        spare.state = WAITING;
        return spare;
    }

    /**
     * The wait is over and nobody has this waiter any more: it may be used for another wait. Only for waiters that nobody on
     * another thread was given, since one who came late would end that other wait.
     */
    public final void giveBack() {
        if (party instanceof Fiber fiber) {
            fiber.spare = this;
        }
    }

    public final Object reason() {
        return reason;
    }

    /** Who waits: a fiber, or null for a hub's own thread and for a foreign one. */
    public final @Nullable Fiber fiber() {
        return party instanceof Fiber fiber ? fiber : null;
    }

    /** The loop it waits on, or null for a thread that belongs to none. */
    public final @Nullable Loop loop() {
        return party instanceof Fiber fiber ? fiber.loop() : party instanceof Loop loop ? loop : null;
    }

    public final Thread thread() {
        return party instanceof Fiber fiber ? fiber.thread() : party instanceof Loop loop ? loop.home()
                : (Thread) party;
    }

    /** When the wait began, on {@link System#nanoTime}'s clock; 0 if it has not. */
    public final long since() {
        return since;
    }

    /** Whether it was ended, in whatever way. */
    public final boolean ended() {
        return state > CLAIMED;
    }

    /**
     * Waits until somebody ends this waiter. Kill and timeout of the greenlet are thrown here.
     *
     * @param nanos longest time to wait; negative means for ever, 0 gives no time but still throws what is due
     * @return true if resumed ({@link #value} is set), false if the time is over
     * @throws InterruptedException if the thread is interrupted; its interrupt status is cleared
     */
    public final boolean await(long nanos) throws InterruptedException {
        if (state == WAITING) {
            if (party instanceof Fiber fiber) {
                awaitFiber(fiber, nanos);
            } else if (party instanceof Loop loop) {
                awaitHome(loop, nanos);
            } else {
                awaitForeign(nanos);
            }
        }
        while (state == CLAIMED) {
            Thread.onSpinWait(); // the winner is between two instructions
        }
        int ended = state;
        if (ended == FAILED) {
            throw Loop.<RuntimeException>sneak(Deferred.resolve(Objects.requireNonNull((Throwable) result), reason));
        }
        return ended == RESUMED;
    }

    /**
     * Waits for {@link #resume} and nothing else: what is thrown at the greenlet meanwhile, an interrupt too, stays pending
     * for its next wait. Only for waits that are sure to end soon and in which giving up would break something.
     */
    public final void awaitShielded() {
        shielded = true;
        try {
            await(-1);
        } catch (InterruptedException e) {
            throw new AssertionError("an interrupt got through", e);
        }
    }

    /**
     * What is thrown at the greenlet in this wait is to arrive as it does in waits of the JDK, by an interrupt. For waits on
     * behalf of code that knows nothing of greenlets.
     */
    public final void reachByInterrupt() {
        byInterrupt = party instanceof Fiber fiber && fiber.owner() != null;
    }

    /** Whether only an interrupt reaches it. */
    final boolean byInterrupt() {
        return byInterrupt;
    }

    /** Whether nothing may be thrown at it. */
    final boolean shielded() {
        return shielded;
    }

    /** What {@link #resume} was given. */
    public final @Nullable Object value() {
        return result;
    }

    private void awaitFiber(Fiber fiber, long nanos) {
        Throwable due = shielded || byInterrupt ? null : fiber.takePending();
        if (due != null) {
            if (!fail(due)) {
                fiber.putBack(due); // a value was faster: this is for the next wait
            }
            return;
        }
        if (nanos == 0) {
            expire();
            return;
        }
        Loop loop = fiber.loop();
        Thread thread = fiber.thread();
        if (nanos > 0) {
            loop.arm(this, nanos);
        }
        since = loop.lastTime();
        fiber.waiting(this);
        try {
            while (state <= CLAIMED) {
                if (!shielded && thread.isInterrupted()) {
                    failInterrupted();
                } else if (!VirtualThreads.park(thread)) {
                    loop.awaitPinned(this);
                }
            }
        } catch (Throwable t) { // there is no room on the stack for one more call
            fiber.waitOver(this);
            throw t;
        }
        // Usually the turn that goes on here has seen to it. What stays in this method is on every greenlet's stack.
        if (fiber.waiting() == this) {
            fiber.waitOver(this);
        }
        if (Recording.on()) {
            Recording.waited(this);
        }
    }

    private void awaitHome(Loop loop, long nanos) {
        Throwable due = shielded ? null : loop.homeFiber().takePending();
        if (due != null) {
            if (!fail(due)) {
                loop.homeFiber().putBack(due);
            }
            return;
        }
        if (nanos == 0) {
            expire();
            return;
        }
        since = System.nanoTime();
        loop.awaitHome(this, nanos);
    }

    private void awaitForeign(long nanos) {
        Thread thread = (Thread) party;
        since = System.nanoTime();
        long end = since + nanos;
        boolean interrupted = false;
        while (state <= CLAIMED) {
            if (shielded) {
                interrupted |= Thread.interrupted(); // left set, park would spin
            } else if (thread.isInterrupted()) {
                failInterrupted();
                return;
            }
            if (nanos < 0) {
                LockSupport.park(this);
            } else {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    expire();
                    return;
                }
                LockSupport.parkNanos(this, left);
            }
        }
        if (interrupted) {
            thread.interrupt();
        }
    }

    /**
     * Ends the wait with a value. Any thread.
     *
     * @return false if it was ended before; the value is then still the caller's
     */
    public final boolean resume(@Nullable Object value) {
        if (!settle(value)) {
            return false;
        }
        wake();
        return true;
    }

    /**
     * Ends the wait with a value as {@link #resume} does, but leaves it to the caller to {@link #wake} the thread when it
     * has left the {@link Guard} it is in. Until then the thread may have gone on by itself; a late wake-up does no harm.
     */
    public final boolean settle(@Nullable Object value) {
        if (value == null) {
            return state == WAITING && STATE.compareAndSet(this, WAITING, RESUMED);
        }
        if (!claim()) {
            return false;
        }
        result = value;
        state = RESUMED;
        return true;
    }

    /** Ends the wait with an exception, thrown there as it is. Any thread. */
    public final boolean fail(Throwable cause) {
        if (!claim()) {
            return false;
        }
        result = cause;
        state = FAILED;
        wake();
        return true;
    }

    /** Whether something is thrown at who waits. */
    final boolean failed() {
        return state == FAILED;
    }

    /** Whether an interrupt has ended it. */
    final boolean interrupted() {
        return state == FAILED && result instanceof InterruptedException;
    }

    /** The waiting thread was interrupted. Takes the interrupt, unless the wait has ended anyway: then the next wait does. */
    final void failInterrupted() {
        if (fail(Loop.interrupted(this))) {
            boolean taken = Thread.interrupted();
            assert taken : "interrupt status vanished";
        }
    }

    final boolean expire() {
        if (!claim()) {
            return false;
        }
        state = EXPIRED;
        wake();
        return true;
    }

    /** Lets one caller through, ever. What it writes after is published by its write of the final state. */
    private boolean claim() {
        return state == WAITING && STATE.compareAndSet(this, WAITING, CLAIMED);
    }

    /** Lets the thread see that its wait has ended. Any thread. */
    public final void wake() {
        if (party instanceof Fiber fiber) {
            fiber.wake();
        } else if (party instanceof Loop loop) {
            loop.wakeHome();
        } else {
            LockSupport.unpark((Thread) party);
        }
    }

    @Override
    protected void fire() {
        expire();
    }

    @Override
    public String toString() {
        return String.valueOf(reason);
    }
}
