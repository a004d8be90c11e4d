package dev.loomlet.coroutine;

import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A suspendable body where continuations are not accessible: the body has a virtual thread of its own, and control is handed over,
 * so that exactly one of the two sides runs.
 *
 * <p>What differs from a continuation, and cannot be hidden: the body sees another {@code Thread.currentThread()}, other
 * thread locals, and does not own its caller's locks; a body that is dropped while suspended stays parked for the life
 * of the VM, for the JDK keeps track of virtual threads.
 */
final class HandOff {
    /** The hand-off whose body the calling thread runs; absent on ordinary threads. */
    private static final ThreadLocal<@Nullable HandOff> CURRENT = new ThreadLocal<>();

    /** Whether {@link #abandonAll} has to find them. */
    private static final boolean KEEP_TRACK = Boolean.getBoolean("loomlet.coroutines.portable.track");

    /** For how long {@link #abandonAll} waits for each. */
    private static final long GRACE_NANOS = 10_000_000_000L;

    private static final Set<HandOff> LIVE = ConcurrentHashMap.newKeySet();

    /** How often one that waits for a body on another hub looks whether that hub is still there. */
    private static final long LOOK_AGAIN_NANOS = 50_000_000;

    private final Suspendable body;
    private volatile @Nullable Thread bodyThread;
    /** The loop that gives the body its turns, if one does. */
    private volatile @Nullable Loop loop;

    // Written by the side that has the turn, before it gives it away through bodysTurn.
    private @Nullable Thread resumer;
    private @Nullable Thread suspended;
    private @Nullable HandOff outer;
    private @Nullable Strand strand;
    private @Nullable Throwable failure;
    private boolean ended;
    private boolean interruptedAtReturn;
    private volatile boolean abandoned;

    private volatile boolean bodysTurn;
    private volatile @Nullable Waiter hubWaiter;

    HandOff(Suspendable body) {
        this.body = body;
    }

    /** The strand of the thread that the calling body works for, or null on an ordinary thread. */
    static @Nullable Strand strandOfCaller() {
        HandOff own = CURRENT.get();
        if (own == null) {
            return null;
        }
        while (own.outer != null) {
            own = own.outer;
        }
        return own.strand;
    }

    void resume() {
        if (stranded()) {
            throw hubIsGone(null);
        }
        outer = CURRENT.get();
        strand = outer == null ? Strand.current() : null;
        Thread here = Thread.currentThread();
        resumer = here;
        bodysTurn = true;
        Optional<Hub> hub = here.isVirtual() ? Optional.empty() : Hub.ifPresent();
        try {
            if (bodyThread == null) {
                if (KEEP_TRACK) {
                    LIVE.add(this);
                }
                if (hub.isPresent()) {
                    hub.get().spawn(this::startBody); // for a thread on the hub, as one that a greenlet starts is
                } else {
                    startBody();
                }
            } else {
                LockSupport.unpark(suspended);
            }
        } catch (RejectedExecutionException e) {
            bodysTurn = false;
            resumer = null;
            throw hubIsGone(e);
        }
        if (hub.isPresent()) {
            runHubUntilReturned();
        } else {
            await(false);
        }
        resumer = null;
        if (interruptedAtReturn) {
            interruptedAtReturn = false;
            here.interrupt();
        }
        Throwable thrown = failure;
        failure = null;
        if (thrown != null) {
            throw Strand.sneak(thrown);
        }
    }

    /** Whether its hub has ended, which alone could let it go on. */
    private boolean stranded() {
        Loop on = loop;
        return on != null && on.closed();
    }

    private IllegalStateException hubIsGone(@Nullable Throwable cause) {
        return new IllegalStateException(body.describe() + " began on a hub that is closed now, and cannot go on"
                + " without it", cause);
    }

    private void startBody() {
        bodyThread = Thread.ofVirtual().name(body.describe()).start(this::runBody);
    }

    boolean ended() {
        return ended;
    }

    private void runBody() {
        CURRENT.set(this);
        Fiber here = Fiber.current();
        loop = here == null ? null : here.loop();
        try {
            body.run();
        } catch (Throwable t) {
            failure = t;
        }
        ended = true;
        handBack();
    }

    private void handBack() {
        Thread next = resumer;
        synchronized (this) { // so that an interrupt is passed on either before this or not at all
            interruptedAtReturn = Thread.interrupted();
            bodysTurn = false;
        }
        Waiter home = hubWaiter;
        if (home != null) {
            home.resume(null);
        }
        LockSupport.unpark(next);
    }

    /**
     * Waits for the body as the hub's own thread does, by running the loop: the body may have begun in a greenlet of this
     * hub, and then its thread needs that loop.
     */
    private void runHubUntilReturned() {
        while (bodysTurn) {
            var waiter = new Waiter("a step of a coroutine");
            hubWaiter = waiter;
            if (bodysTurn) { // else the hand-back may have come before it could see the waiter
                waiter.awaitShielded();
            }
        }
        hubWaiter = null;
    }

    void suspend() {
        refuseUnlessInside();
        if (abandoned) {
            throw new GreenletExit("abandoned"); // once more: nobody will resume it
        }
        suspended = Thread.currentThread();
        handBack();
        await(true);
        if (abandoned) {
            throw new GreenletExit("abandoned");
        }
    }

    /**
     * Ends the bodies that are still suspended, for tests: a parked thread is not collected. One whose hub has ended stays.
     *
     * @throws IllegalStateException if one does not end, because it goes on after the exit or nobody runs its hub
     */
    static void abandonAll() {
        var left = List.copyOf(LIVE);
        LIVE.clear();
        for (HandOff each : left) {
            each.abandon();
        }
    }

    private void abandon() {
        Thread waiting = suspended;
        if (bodysTurn || waiting == null || ended || stranded()) {
            return;
        }
        abandoned = true;
        bodysTurn = true;
        LockSupport.unpark(waiting);
        long start = System.nanoTime();
        while (waiting.isAlive() && !stranded()) {
            if (System.nanoTime() - start > GRACE_NANOS) {
                throw new IllegalStateException(body.describe() + " does not end: " + List.of(waiting.getStackTrace()));
            }
            Loomlet.sleep(Duration.ofMillis(1)); // on a hub's thread: runs what its loop has to
        }
    }

    /**
     * Waits for the turn. An interrupt of the resumer, a kill of its greenlet too, is for the body, which would have got it
     * if it ran on the resumer's thread; at the end of the step it comes back if the body has not taken it.
     */
    private void await(boolean wanted) {
        boolean interrupted = false;
        while (bodysTurn != wanted) {
            if (wanted || loop == null || onItsLoop()) {
                LockSupport.park(this);
            } else if (stranded()) {
                resumer = null;
                throw hubIsGone(null);
            } else {
                LockSupport.parkNanos(this, LOOK_AGAIN_NANOS);
            }
            if (Thread.interrupted()) {
                synchronized (this) {
                    Thread running = bodyThread;
                    if (wanted || running == null || !bodysTurn) {
                        interrupted = true;
                    } else {
                        running.interrupt();
                    }
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean onItsLoop() {
        Fiber here = Fiber.here();
        return here != null && here.loop() == loop;
    }

    boolean inside() {
        for (HandOff each = CURRENT.get(); each != null; each = each.outer) {
            if (each == this) {
                return true;
            }
        }
        return false;
    }

    private void refuseUnlessInside() {
        for (HandOff each = CURRENT.get(); each != this; each = each.outer) {
            if (each == null) {
                throw new IllegalStateException(
                        body.describe() + " can only be suspended by its own body, on the thread"
                                + " that runs it; this is " + Thread.currentThread());
            }
            if (each.body.closed()) {
                throw new IllegalStateException(body.describe() + " cannot be suspended from inside another coroutine,"
                        + " to which its body has switched");
            }
        }
    }

    List<StackTraceElement> stackTrace() {
        Thread thread = suspended;
        return thread == null || ended ? List.of() : List.of(thread.getStackTrace());
    }
}
