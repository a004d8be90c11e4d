package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One virtual thread of a loop: the scheduling side of a greenlet.
 *
 * <p>It is its thread's scheduler at the same time ({@link #execute}), which answers two questions for the price of a field
 * read: the loop knows which fiber a turn belongs to, and {@link #current} knows which fiber a thread belongs to. Virtual
 * threads that are started inside a fiber inherit that scheduler and so run on the same loop.
 *
 * <pre>
 *   NEW ──start──▶ QUEUED ──run──▶ RUNNING ──park──▶ PARKED ──wake──▶ QUEUED ...
 *                                     │ end                 (in a Loomlet wait: waiting != null; else in a wait of the JDK)
 *                                     ▼
 *                                   DONE
 * </pre>
 *
 * Except where said otherwise, fields and methods belong to the loop's thread, which is also the thread the fiber's own
 * code runs on.
 */
public final class Fiber implements Executor, Runnable {
    private static final ThreadLocal<@Nullable Fiber> ADOPTED = new ThreadLocal<>();

    private final Loop loop;
    private final Thread thread;
    private final @Nullable Object owner;
    private @Nullable Runnable turn; // the thread's own "run until it gives way"; set by its start
    private boolean queued;
    private boolean done;
    private @Nullable Waiter waiting;
    private @Nullable Object locals; // of GreenletLocal
    private @Nullable Pending pending;

    /** Whether it was put in front of those that were ready, after a send: {@link Sends}. */
    boolean wentFirst;

    /** A waiter that it needs no more: {@link Waiter#again}. */
    @Nullable Waiter spare;

    /** Neighbours in the loop's list of live fibers, which starts with its anchor. */
    @Nullable Fiber previous;

    @Nullable Fiber next;

    /** A throwable on its way to this fiber, to be thrown at its next wait. First in, first out. */
    private static final class Pending {
        final Throwable cause;
        boolean poked; // an interrupt was sent for it
        @Nullable Pending next;

        Pending(Throwable cause) {
            this.cause = cause;
        }
    }

    Fiber(Loop loop, @Nullable Object owner, String name, Runnable body) {
        this.loop = loop;
        this.owner = owner;
        this.thread = loop.createThread(this, name, body);
    }

    /** For a virtual thread that the program started inside a fiber: it runs on the loop, but nobody spawned it. */
    Fiber(Loop loop, Thread thread) {
        this.loop = loop;
        this.owner = null;
        this.thread = thread;
    }

    public Loop loop() {
        return loop;
    }

    public Thread thread() {
        return thread;
    }

    /**
     * Its stack, for any thread. Empty if another thread asks while the body of a coroutine or generator runs in it: should
     * that body park in a wait of the JDK at that moment, the question would end the VM ({@code docs/design/coroutines.md}).
     */
    public StackTraceElement[] stackTrace() {
        if (inBody() && Thread.currentThread() != thread) {
            return new StackTraceElement[0];
        }
        return thread.getStackTrace();
    }

    /** Whether it has its turn and is in the body of a coroutine or generator. Any thread, as of a moment ago. */
    public boolean inBody() {
        return loop.running() == this && VirtualThreads.runsBody(loop.runner());
    }

    /** What it was created for (the greenlet), or null for an adopted one. */
    public @Nullable Object owner() {
        return owner;
    }

    public boolean done() {
        return done;
    }

    /** For whoever keeps something for each fiber; other threads see it as it was a moment ago. */
    public @Nullable Object locals() {
        return locals;
    }

    public void locals(@Nullable Object locals) {
        this.locals = locals;
    }

    /** What it waits for in a wait of ours, or null. For a look from another thread: may be out of date. */
    public @Nullable Waiter waiting() {
        return waiting;
    }

    void waiting(@Nullable Waiter waiter) {
        waiting = waiter;
    }

    /** Its wait has ended, though the code that waits may not have gone on yet. */
    void waitOver(Waiter waiter) {
        waiting = null;
        loop.cancel(waiter);
    }

    /** Whether it is parked in a wait of the JDK, where only an interrupt reaches it. */
    public boolean inForeignWait() {
        if (turn == null) { // home's, which is never out of reach, or adopted: the loop does not see its turns
            return owner == null && thread.isVirtual() && waiting == null && loop.running() != null
                    && Thread.currentThread() != thread && parked(thread.getState()) && !Away.is(thread);
        }
        return !queued && !done && waiting == null && loop.running() != this && !Away.is(thread);
    }

    /** Whether it is in such a wait, or in one of ours that is to be like those. */
    private boolean reachedByInterrupt() {
        Waiter waiter = waiting;
        return waiter == null ? inForeignWait()
                : waiter.byInterrupt() && !queued && !done && loop.running() != this && !Away.is(thread);
    }

    private static boolean parked(Thread.State state) {
        return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
    }

    /** The fiber of the calling thread, or null if it belongs to no loop. */
    public static @Nullable Fiber current() {
        Thread thread = Thread.currentThread();
        return thread.isVirtual() ? of(thread) : null;
    }

    /**
     * The fiber of the calling thread, or on a hub's own thread the one that stands for it, in which nothing runs but to
     * which things can be raised; null if the thread belongs to no loop.
     */
    public static @Nullable Fiber here() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            return of(thread);
        }
        Loop loop = Loop.ofHome(thread);
        return loop == null ? null : loop.homeFiber();
    }

    /** The fiber that stands for a virtual thread which the program itself started on this loop. In that thread. */
    private static Fiber adopted(Loop loop, Thread thread) {
        Fiber known = ADOPTED.get();
        if (known == null) {
            known = new Fiber(loop, thread);
            ADOPTED.set(known); // with the thread it becomes garbage
        }
        return known;
    }

    /** The fiber of the calling virtual thread, or null if it belongs to no loop, or has left its loop ({@link Away}). */
    public static @Nullable Fiber of(Thread thread) {
        if (VirtualThreads.scheduler(thread) instanceof Fiber fiber && !Away.is(thread)) {
            return fiber.thread == thread ? fiber : adopted(fiber.loop, thread);
        }
        return null;
    }

    /** Called by the JDK, on any thread, each time a virtual thread with this scheduler has become runnable. */
    @Override
    public void execute(Runnable turn) {
        if (this.turn == null) {
            if (loop.closed()) {
                throw new RejectedExecutionException("hub " + loop.name() + " is closed");
            }
            this.turn = turn;
        }
        if (!Away.takes(turn)) {
            loop.ready(turn == this.turn ? this : turn);
        }
    }

    /** One turn, on the loop. */
    @Override
    public void run() {
        queued = false;
        Runnable turn = this.turn;
        if (turn != null && Away.is(turn)) {
            return; // one too many
        }
        loop.enter(this);
        Waiter over = waiting;
        if (over != null && over.ended()) {
            waitOver(over);
        }
        if (turn != null) {
            turn.run();
        }
        loop.leave(this);
        Pending due = pending;
        if (due != null && !due.poked && reachedByInterrupt()) {
            loop.pokeSoon(this);
        }
    }

    boolean begun() {
        return turn != null;
    }

    void markQueued() {
        queued = true;
    }

    /** Its body has ended; called by the body itself, as the last thing it does. */
    public void finish() {
        done = true;
        pending = null;
        locals = null; // an ended greenlet may be kept for its result
        loop.forget(this);
    }

    /** Makes it runnable after a wait of ours. Any thread. */
    void wake() {
        if (thread == Thread.currentThread()) {
            return; // it ends its own wait before it has begun to wait, or while it looks at an interrupt
        }
        // An adopted one's turns are not ours to queue: its scheduler is the fiber that started it.
        if (turn != null && loop.onLoop() && VirtualThreads.claimParked(thread)) {
            loop.ready(this);
        } else {
            LockSupport.unpark(thread);
        }
    }

    /**
     * Throws {@code cause} into the fiber: at once if it waits in a wait of ours, else at the next one it comes to. Loop's
     * thread only.
     *
     * @return false if it is parked in a wait of the JDK: the caller, who must not be the bare loop, then has to interrupt
     *     the thread, which may run code of the program
     */
    public boolean raise(Throwable cause) {
        if (done) {
            return true;
        }
        Waiter waiter = waiting;
        if (waiter != null && !waiter.shielded() && !waiter.byInterrupt() && waiter.fail(cause)) {
            return true;
        }
        Pending last = new Pending(cause);
        if (pending == null) {
            pending = last;
        } else {
            Pending at = pending;
            while (at.next != null) {
                at = at.next;
            }
            at.next = last;
        }
        return !reachedByInterrupt();
    }

    /**
     * Interrupts it if it is parked in a wait of the JDK while something is due to be thrown: once for each thing that is
     * due, since code that goes on waiting in spite of an interrupt (for a lock, say) would be woken for ever. Not on the
     * bare loop: an interrupt may run code of the program.
     */
    public void poke() {
        if (pending == null || !reachedByInterrupt()) {
            return;
        }
        boolean news = false;
        for (Pending each = pending; each != null; each = each.next) {
            news |= !each.poked;
            each.poked = true;
        }
        if (news) {
            thread.interrupt();
        }
    }

    /** Takes {@code cause} back if it has not been thrown yet. */
    public boolean retract(Throwable cause) {
        Pending before = null;
        for (Pending at = pending; at != null; before = at, at = at.next) {
            if (at.cause == cause) {
                if (before == null) {
                    pending = at.next;
                } else {
                    before.next = at.next;
                }
                unpoke(at);
                return true;
            }
        }
        return false;
    }

    /** Whether {@code cause} is still on its way and an interrupt was sent for it. */
    public boolean interruptedFor(Throwable cause) {
        for (Pending at = pending; at != null; at = at.next) {
            if (at.cause == cause) {
                return at.poked;
            }
        }
        return false;
    }

    /** Throws what is due, if anything is: for waits that do not use a waiter. */
    public void checkPending() {
        Throwable due = takePending();
        if (due != null) {
            throw Loop.<RuntimeException>sneak(Deferred.resolve(due, null));
        }
    }

    /** The next throwable that is due at a wait, taken out, or null. In the fiber itself. */
    public @Nullable Throwable takePending() {
        Pending first = pending;
        if (first == null) {
            return null;
        }
        pending = first.next;
        unpoke(first);
        return first.cause;
    }

    /** What was taken could not be thrown after all: it is the first to be thrown at the next wait. In the fiber itself. */
    void putBack(Throwable cause) {
        Pending first = new Pending(cause);
        first.next = pending;
        pending = first;
    }

    /** What the interrupt was sent for is thrown in another way, or not at all: it must not hit a later wait. */
    private void unpoke(Pending done) {
        if (done.poked && (pending == null || !pending.poked) && Thread.currentThread() == thread) {
            var _ = Thread.interrupted();
        }
    }

    @Override
    public String toString() {
        return owner != null ? owner.toString() : thread.toString();
    }
}
