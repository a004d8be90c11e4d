package dev.loomlet.coroutine;

import dev.loomlet.GreenletExit;
import dev.loomlet.internal.jdk.ScopedBindings;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The coroutines of one thread: which of them runs, and what is on its way to the next.
 *
 * <p>A switch from A to B is one step out and one step in. The main coroutine is the thread's own frames; when it
 * switches to another it becomes the trampoline in {@link #runOthers}, which enters one coroutine after the other:
 *
 * <pre>
 *   main      switchTo(A) -> next = A, runOthers: resume A ............. resume B .............. next == main: return
 *   A                                     switchTo(B) -> next = B, suspend
 *   B                                                            switchTo(main) -> next = main, suspend
 * </pre>
 *
 * <p>Confined to its thread: every field is written only by the coroutine that runs.
 */
final class Strand {
    private static final ThreadLocal<@Nullable Strand> STRANDS = new ThreadLocal<>();

    final Thread thread;
    final Coroutine<Object> main;

    private @Nullable Tracer tracer;

    private Coroutine<?> current;
    private Coroutine<?> next;
    private Coroutine<?> origin;
    /** Where the way to {@link #next} began, if that passes somebody over; it ends those who had not started. */
    private @Nullable Coroutine<?> passed;
    private @Nullable Object value;
    private @Nullable Throwable thrown;

    private Strand(Thread thread) {
        this.thread = thread;
        main = new Coroutine<>(this);
        current = main;
        next = main;
        origin = main;
    }

    /** The strand of the calling thread, made when first asked for. */
    static Strand current() {
        if (!Suspendable.NATIVE) {
            Strand worksFor = HandOff.strandOfCaller();
            if (worksFor != null) {
                return worksFor;
            }
        }
        Strand own = STRANDS.get();
        if (own == null) {
            own = new Strand(Thread.currentThread());
            STRANDS.set(own);
        }
        return own;
    }

    Coroutine<?> running() {
        return current;
    }

    /** Whether the thread has ended, and with it whatever was suspended on it. */
    boolean exited() {
        return thread != Thread.currentThread() && thread.getState() == Thread.State.TERMINATED;
    }

    /** Whether the calling thread may switch among these coroutines. */
    boolean isMine() {
        return thread == Thread.currentThread() || (!Suspendable.NATIVE && current() == this);
    }

    /**
     * Goes to {@code target}, where {@code value} becomes the result of its pending switch, or {@code thrown} is thrown
     * there. Returns, or throws, what is sent to the coroutine that called.
     */
    @Nullable
    Object transfer(Coroutine<?> target, @Nullable Object value, @Nullable Throwable thrown) {
        if (thread != Thread.currentThread() && !isMine()) {
            Strand home = target.home();
            if (home != this) {
                return home.transfer(target, value, thrown);
            }
            throw target.wrongThread();
        }
        Coroutine<?> me = current;
        this.value = value;
        this.thrown = thrown;
        if (target.state != Coroutine.STARTED) {
            Coroutine<?> asked = target;
            target = destination(target, false);
            passed = asked;
        }
        if (tracer != null) {
            origin = me; // not otherwise: it would keep a dropped coroutine alive
        }
        if (target == me) {
            return arrive();
        }
        next = target;
        try {
            if (me == main) {
                runOthers();
            } else {
                me.fiber().suspend();
            }
        } catch (Throwable t) {
            this.value = null;
            this.thrown = null;
            passed = null; // nothing has happened
            throw t;
        }
        return arrive();
    }

    /**
     * Who really gets what is sent to {@code target}: a dead coroutine passes it on to its parent, and so does one that
     * has not started and gets an exception, which ends it.
     *
     * @param ending whether the sender has ended. An ancestor that cannot be switched to is then the business of the next
     *     one; otherwise it is the caller's
     */
    private Coroutine<?> destination(Coroutine<?> target, boolean ending) {
        while (true) {
            RuntimeException problem = null;
            if (target.home() != this) {
                problem = target.wrongThread();
            } else if (target.state == Coroutine.STARTED) {
                return target;
            } else if (target.state == Coroutine.NEW && !target.hasBody()) {
                problem = target.noBody();
            } else if (target.state == Coroutine.NEW && thrown == null) {
                return target;
            } else if (thrown instanceof GreenletExit) {
                value = thrown;
                thrown = null;
            }
            if (problem != null) {
                value = null;
                if (!ending) {
                    thrown = null;
                    throw problem;
                }
                if (thrown != null) {
                    problem.addSuppressed(thrown);
                }
                thrown = problem;
            }
            target = heir(target);
        }
    }

    /** Who gets what {@code coroutine} passes on. */
    private Coroutine<?> heir(Coroutine<?> coroutine) {
        Coroutine<?> heir = coroutine.heirOrNull();
        return heir == null ? main : heir;
    }

    /** Called by a coroutine at the end of its body: what it leaves behind goes to its parent. */
    void finish(Coroutine<?> dead, @Nullable Object result, @Nullable Throwable failure) {
        dead.die();
        if (tracer != null) {
            origin = dead;
        }
        value = result;
        thrown = failure;
        passed = heir(dead);
        next = destination(passed, true);
    }

    private void runOthers() {
        Thread here = Thread.currentThread();
        Object mainBindings = ScopedBindings.get(here);
        try {
            do {
                Coroutine<?> entered = next;
                current = entered;
                Suspendable fiber = entered.fiber();
                if (entered.bindings != ScopedBindings.get(here)) {
                    ScopedBindings.set(here, entered.bindings);
                }
                try {
                    fiber.resume();
                } catch (Throwable t) {
                    // The body's own failures went to finish(). This one is the VM's: no stack, or no memory, to enter.
                    if (fiber.ended()) {
                        entered.die();
                    }
                    throw t;
                }
                entered.bindings = ScopedBindings.get(here);
            } while (next != main);
        } finally {
            if (ScopedBindings.get(here) != mainBindings) {
                ScopedBindings.set(here, mainBindings);
            }
            current = main;
        }
    }

    /** What the coroutine that runs now has been sent. */
    @Nullable
    Object arrive() {
        Object sent = value;
        Throwable failure = thrown;
        value = null;
        thrown = null;
        if (passed != null) {
            for (Coroutine<?> each = passed; each != current; each = heir(each)) {
                if (each.home() == this && each.hasBody()) {
                    each.die();
                }
            }
            passed = null;
        }
        if (tracer != null) {
            failure = trace(failure);
        }
        if (failure != null) {
            throw sneak(current == main ? Suspendable.withFramesOfCaller(failure) : failure);
        }
        return sent;
    }

    /** Tells the tracer; returns what is to be thrown at the place that was switched to. */
    private @Nullable Throwable trace(@Nullable Throwable failure) {
        Tracer told = Objects.requireNonNull(tracer);
        try {
            told.switched(failure == null ? Tracer.Event.SWITCH : Tracer.Event.THROW, origin, current);
        } catch (Throwable t) {
            if (tracer == told) {
                tracer = null;
            }
            if (failure != null && failure != t) {
                t.addSuppressed(failure);
            }
            return t;
        } finally {
            origin = main;
        }
        return failure;
    }

    @Nullable
    Tracer tracer() {
        return tracer;
    }

    @Nullable
    Tracer exchangeTracer(@Nullable Tracer replacement) {
        Tracer previous = tracer;
        tracer = replacement;
        return previous;
    }

    /** To whatever type the place wants that the value was sent to. */
    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
    static <R extends @Nullable Object> R cast(@Nullable Object sent) {
        return (R) sent;
    }

    /** Throws {@code t}, checked or not. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }
}
