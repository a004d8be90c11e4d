package dev.loomlet.coroutine;

import dev.loomlet.GreenletExit;
import dev.loomlet.internal.jdk.Overrides;
import dev.loomlet.internal.jdk.ScopedBindings;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A symmetric coroutine: code that hands control to another coroutine by name, and goes on from there when somebody
 * switches back to it. It never switches by itself.
 *
 * <p>{@snippet :
 * static Coroutine<String> eat, play;
 *
 * eat = Coroutine.of((String name) -> {
 *     System.out.println(name + " eats 1");
 *     play.switchTo("egon");
 *     System.out.println(name + " eats 2");
 *     play.switchTo();
 * });
 * play = Coroutine.of((String name) -> {
 *     System.out.println(name + " plays 1");
 *     eat.switchTo();
 *     System.out.println(name + " plays 2");
 * });
 * eat.switchTo("egon");
 * }
 *
 * <p><b>Switching.</b> The first {@link #switchTo(Object) switchTo} starts the body with the value as its argument. From
 * then on a switch to a coroutine becomes the <em>result</em> of the {@code switchTo} in which that one is waiting. The
 * type parameter {@code I} is what can be sent to this coroutine; what a {@code switchTo} returns was sent by whoever
 * switched back, and takes the type that the place asks for:
 *
 * <p>{@snippet :
 * int answer = worker.switchTo("question");   // a ClassCastException here, if something else comes back
 * }
 *
 * <p><b>Parents.</b> Each coroutine has a {@link #parent()}: the one that created it, unless you choose another. When the
 * body returns, its value becomes the result of the parent's pending {@code switchTo}; when it throws, the exception is
 * thrown there, the same object with the body's stack trace, checked ones included. {@link GreenletExit} is no failure: it
 * is delivered as a value. A switch to a dead coroutine goes to its nearest ancestor that lives, and an ancestor that has
 * not started is started by it.
 *
 * <p><b>Threads.</b> Every thread, and every greenlet and other virtual thread, has a main coroutine: its ordinary code.
 * Coroutines belong to the thread of their parent, and switching to one of another thread throws
 * {@link WrongThreadException}. The body runs on that thread: same {@link Thread#currentThread()}, thread locals and
 * reentrant locks for all coroutines of a thread. {@link ScopedValue} bindings are each coroutine's own, and it starts
 * without any. A body that blocks (sleeps, reads a socket, waits for a lock) blocks its thread with all of its
 * coroutines; inside a greenlet the whole greenlet parks.
 *
 * <p><b>What cannot be left in the middle.</b> A switch away from code that holds a monitor ({@code synchronized}), or
 * that has been called from native code or a class initialiser, throws {@link IllegalStateException} and names the frame;
 * nothing has been switched then. Switching <em>to</em> a coroutine while holding monitors is fine.
 *
 * <p><b>Unfinished ones.</b> A coroutine that is dropped while suspended is collected like any object, with all that only
 * it refers to; no line of its body runs any more, no {@code finally} and no {@code close()}. Where that matters, throw
 * {@link GreenletExit} into it ({@link #throwInto()}), or create it in a {@link CoroutineScope}, which does so.
 * {@code -Dloomlet.coroutines.leaks=true} reports each dropped one with the place that created it.
 *
 * <p>{@code docs/design/coroutines.md} has the figures of a switch. This is greenlet's {@code greenlet} class.
 *
 * @param <I> what can be sent to this coroutine
 */
public class Coroutine<I extends @Nullable Object> {
    /** The code of a coroutine that ends without a value. */
    @FunctionalInterface
    public interface Body<I extends @Nullable Object> {
        /**
         * Runs the coroutine.
         *
         * @param first what the first switch sent
         */
        void run(I first) throws Exception;
    }

    /** The code of a coroutine that ends with a value for its parent. */
    @FunctionalInterface
    public interface Computation<I extends @Nullable Object> {
        /**
         * Runs the coroutine.
         *
         * @param first what the first switch sent
         * @return what becomes the result of the parent's pending switch
         */
        @Nullable
        Object run(I first) throws Exception;
    }

    /** The code of a coroutine that takes nothing and ends without a value. */
    @FunctionalInterface
    public interface Task {
        /** Runs the coroutine. */
        void run() throws Exception;
    }

    /** Held while a parent is exchanged. */
    private static final Object PARENTS = new Object();

    private static final Overrides OF_RUN = new Overrides(Coroutine.class, "run");

    static final int NEW = 0;
    static final int STARTED = 1;
    static final int DEAD = 2;

    int state;
    /** Scoped-value bindings while it is suspended. */
    @Nullable Object bindings = ScopedBindings.NONE;

    /** Of the thread it belongs to; of no meaning before the start, see {@link #home}. */
    private Strand strand;
    /** Null for a main coroutine only. Written under {@link #PARENTS}, so that no cycle can come about. */
    private @Nullable Coroutine<?> parent;
    /** Who gets control at its end in place of its parent, while somebody ends it. */
    private @Nullable Coroutine<?> heir;
    private boolean startedOnce;

    private @Nullable Computation<? super I> body;
    private @Nullable Suspendable fiber;
    private final @Nullable Throwable createdAt = Leaks.site("coroutine");
    private Leaks.@Nullable Watch watch;

    /** For subclasses that override {@link #run}; the parent is the current coroutine. */
    protected Coroutine() {
        this(current());
    }

    /** For subclasses that override {@link #run}. */
    protected Coroutine(Coroutine<?> parent) {
        this.parent = parent;
        strand = parent.home();
    }

    /** A main coroutine. */
    Coroutine(Strand strand) {
        this.strand = strand;
        state = STARTED;
    }

    private Coroutine(Computation<? super I> body) {
        this(current());
        this.body = body;
    }

    /** A coroutine that runs {@code body}; its parent is the current coroutine. It starts when first switched to. */
    public static <I extends @Nullable Object> Coroutine<I> of(Body<I> body) {
        Objects.requireNonNull(body);
        return new Coroutine<>(new Plain<>(body));
    }

    /** A coroutine that runs {@code body} and leaves its result to its parent, the current coroutine. */
    public static <I extends @Nullable Object> Coroutine<I> returning(Computation<I> body) {
        return new Coroutine<>(Objects.requireNonNull(body));
    }

    /** A coroutine whose body does not look at what the first switch sent. */
    public static Coroutine<@Nullable Object> of(Task body) {
        Objects.requireNonNull(body);
        return new Coroutine<>(new Plain<@Nullable Object>(_ -> body.run()));
    }

    /** A coroutine whose body does not look at what the first switch sent, and leaves its result to its parent. */
    public static Coroutine<@Nullable Object> returning(Callable<?> body) {
        Objects.requireNonNull(body);
        return new Coroutine<>((@Nullable Object _) -> body.call());
    }

    private record Plain<I extends @Nullable Object>(Body<? super I> body) implements Computation<I> {
        @Override
        public @Nullable Object run(I first) throws Exception {
            body.run(first);
            return null;
        }
    }

    /**
     * The coroutine that runs now: the caller. In ordinary code that is the main coroutine of the thread. greenlet's
     * {@code getcurrent}.
     */
    @SuppressWarnings("unchecked") // what may be sent to it is known where it waits, not here
    public static Coroutine<Object> current() {
        return (Coroutine<Object>) Strand.current().running();
    }

    /** The main coroutine of the calling thread: its ordinary code, the last resort of every failure. */
    public static Coroutine<Object> main() {
        return Strand.current().main;
    }

    /**
     * The body, for subclasses: runs when the coroutine is first switched to.
     *
     * @param first what the first switch sent
     * @return what becomes the result of the parent's pending switch
     * @throws Exception thrown in the parent, at its pending switch
     */
    protected @Nullable Object run(I first) throws Exception {
        Computation<? super I> given = body;
        body = null; // so that the coroutine does not keep alive what only its start needed
        if (given == null) {
            throw noBody();
        }
        return given.run(first);
    }

    /**
     * Gives this coroutine another body; possible until it starts. As with a {@link Thread} and its {@link Runnable}, a
     * subclass that overrides {@link #run} comes to it with {@code super.run}.
     *
     * @throws IllegalStateException if it has started, or is a main coroutine
     */
    public final void body(Computation<? super I> replacement) {
        Objects.requireNonNull(replacement);
        if (state != NEW) {
            throw new IllegalStateException("The body of " + this + " cannot be replaced after its start");
        }
        body = replacement;
    }

    /**
     * Switches to this coroutine and sends it {@code value}. Returns when somebody switches back to the caller.
     *
     * @param <R> what the caller expects to be sent; nothing checks it but the cast at the call
     * @return what the caller was sent: by a {@code switchTo}, or as the result of a child that ended. Null if it was
     *     {@link #switchTo()}
     * @throws WrongThreadException if this coroutine belongs to another thread
     * @throws IllegalStateException if the caller cannot be left here (see above), or this coroutine has no body
     */
    @SuppressWarnings("TypeParameterUnusedInFormals") // typed as the place of the call says
    public final <R extends @Nullable Object> R switchTo(I value) {
        return Strand.cast(strand.transfer(this, value, null));
    }

    /** Switches to this coroutine and sends it nothing, which arrives as null. See {@link #switchTo(Object)}. */
    @SuppressWarnings("TypeParameterUnusedInFormals")
    public final <R extends @Nullable Object> R switchTo() {
        return Strand.cast(strand.transfer(this, null, null));
    }

    /**
     * Switches to this coroutine and throws {@code failure} there, at its pending switch. If it has not started it never
     * will: it is dead, and its parent gets the exception. If it is dead, so does its nearest living ancestor. A
     * {@link GreenletExit} that goes to an ancestor arrives as a value.
     *
     * @return as {@link #switchTo(Object)}
     */
    @SuppressWarnings("TypeParameterUnusedInFormals")
    public final <R extends @Nullable Object> R throwInto(Throwable failure) {
        return Strand.cast(strand.transfer(this, null, Objects.requireNonNull(failure)));
    }

    /** Ends this coroutine: throws {@link GreenletExit} into it. See {@link #throwInto(Throwable)}. */
    @SuppressWarnings("TypeParameterUnusedInFormals")
    public final <R extends @Nullable Object> R throwInto() {
        return Strand.cast(strand.transfer(this, null, new GreenletExit("thrown into " + this)));
    }

    /** Who gets the result of this coroutine when it ends; empty for a main coroutine only. */
    @SuppressWarnings("unchecked")
    public final Optional<Coroutine<Object>> parent() {
        return Optional.ofNullable((Coroutine<Object>) heirOrNull());
    }

    /**
     * Makes {@code newParent} the one that gets the result. A coroutine that has not started belongs to the thread of its
     * parent, and goes with it.
     *
     * @throws IllegalArgumentException if that would make a cycle, if this is a main coroutine, or if this one has started
     *     and {@code newParent} belongs to another thread
     */
    public final void parent(Coroutine<?> newParent) {
        if (parent == null) {
            throw new IllegalArgumentException("The main coroutine of a thread has no parent and cannot be given one");
        }
        if (parent == newParent) {
            return;
        }
        synchronized (PARENTS) { // two threads could close a cycle between them, and walk it for ever
            for (Coroutine<?> each = newParent; each != null; each = each.parent) {
                if (each == this) {
                    throw new IllegalArgumentException("Cyclic parent chain: " + newParent + " descends from " + this);
                }
            }
            Strand itsHome = newParent.home();
            if (itsHome != home() && state != NEW) {
                throw new IllegalArgumentException("Parent of another thread: " + this + " has started on "
                        + strand.thread + ", the new parent belongs to " + itsHome.thread);
            }
            parent = newParent;
        }
    }

    /** Whether the first switch has happened. Stays true after the end. */
    public final boolean started() {
        return startedOnce || parent == null;
    }

    /**
     * Whether it has ended, by returning, throwing, being ended before its start, or because the thread on which it started
     * has ended.
     */
    public final boolean dead() {
        return state == DEAD || (state == STARTED && strand.exited());
    }

    /** Whether it has started and not ended. greenlet's {@code bool(g)}. */
    public final boolean active() {
        return state == STARTED && !dead();
    }

    /** The thread it belongs to: the one on which it has started, until then that of its parent. */
    public final Thread thread() {
        return home().thread;
    }

    /**
     * Where this coroutine is suspended, innermost frame first, down to its own first frame; empty if it is running,
     * has not started, or is dead. To be called on its thread. greenlet's {@code gr_frame}.
     */
    public final List<StackTraceElement> stackTrace() {
        Suspendable suspended = fiber;
        if (suspended == null || state != STARTED || dead()) {
            return List.of();
        }
        if (!strand.isMine()) {
            throw wrongThread();
        }
        return suspended.inside() ? List.of() : suspended.stackTrace();
    }

    /**
     * Has {@code tracer} told of every switch between coroutines of the calling thread, from now on. Costs nothing when
     * there is none.
     *
     * @return the tracer it replaces
     */
    public static Optional<Tracer> trace(Tracer tracer) {
        return Optional.ofNullable(Strand.current().exchangeTracer(Objects.requireNonNull(tracer)));
    }

    /** Ends tracing on the calling thread; returns the tracer that was there. */
    public static Optional<Tracer> untrace() {
        return Optional.ofNullable(Strand.current().exchangeTracer(null));
    }

    /** The tracer of the calling thread. greenlet's {@code gettrace}. */
    public static Optional<Tracer> tracer() {
        return Optional.ofNullable(Strand.current().tracer());
    }

    /** Its class, and its state: pending, current, suspended, dead, main, and whether its thread has exited. */
    @Override
    public String toString() {
        var text = new StringBuilder(getClass() == Coroutine.class ? "Coroutine" : getClass().getName()).append('[');
        if (parent == null) {
            text.append("main, ");
        }
        Strand home = home();
        text.append(switch (dead() ? DEAD : state) {
            case NEW -> "pending";
            case DEAD -> "dead";
            default -> home.running() == this ? "current" : "suspended";
        });
        text.append(", thread ").append(home.thread.getName().isEmpty() ? "#" + home.thread.threadId()
                : home.thread.getName());
        if (home.exited()) {
            text.append(" (exited)");
        }
        return text.append("]@").append(Integer.toHexString(System.identityHashCode(this))).toString();
    }

    /** The fiber that runs it; makes it, which is the start. */
    final Suspendable fiber() {
        Suspendable own = fiber;
        if (own == null) {
            own = new SuspendableBody<>(this);
            fiber = own;
            strand = home();
            startedOnce = true;
            state = STARTED;
            watch = Leaks.watch(this, createdAt);
        }
        return own;
    }

    final void die() {
        strand = home();
        state = DEAD;
        if (watch != null) {
            watch.ended = true;
        }
        fiber = null;
        body = null;
    }

    /**
     * Throws {@link GreenletExit} into it as if {@code temporary} were its parent, to which control comes back. That may be a
     * descendant, therefore the parent stays.
     */
    final void endUnder(Coroutine<?> temporary) {
        heir = temporary;
        try {
            this.<@Nullable Object>throwInto();
        } finally {
            heir = null;
        }
    }

    /** Who gets what it leaves; null for a main coroutine only. */
    final @Nullable Coroutine<?> heirOrNull() {
        Coroutine<?> own = heir;
        return own == null ? parent : own;
    }

    /** The coroutines among which it runs: those of its parent until it starts. */
    final Strand home() {
        Coroutine<?> each = this;
        while (each.state == NEW) {
            each = Objects.requireNonNull(each.parent);
        }
        return each.strand;
    }

    /** Whether a switch can start it: a body was given, or this is a subclass that overrides {@link #run}. */
    final boolean hasBody() {
        return body != null || OF_RUN.in(getClass());
    }

    final IllegalStateException noBody() {
        return new IllegalStateException(this + " has no body: override run, or give it one with body(...)");
    }

    final WrongThreadException wrongThread() {
        Strand home = home();
        return new WrongThreadException("Cannot switch to a different thread"
                + (home.exited() ? " (which has exited)" : "") + ": " + this + " belongs to " + home.thread
                + ", the caller is " + Thread.currentThread());
    }

    private static final class SuspendableBody<I extends @Nullable Object> extends Suspendable {
        private final Coroutine<I> coroutine;

        SuspendableBody(Coroutine<I> coroutine) {
            super(coroutine.body == null ? coroutine.getClass()
                    : coroutine.body instanceof Plain<?> plain ? plain.body.getClass() : coroutine.body.getClass());
            this.coroutine = coroutine;
        }

        @Override
        public void run() {
            Strand strand = coroutine.strand;
            Object result = null;
            Throwable failure = null;
            try {
                result = coroutine.run(Strand.<I>cast(strand.arrive()));
            } catch (GreenletExit e) {
                result = e;
            } catch (Throwable t) {
                failure = t;
            }
            strand.finish(coroutine, result, failure);
        }

        @Override
        public boolean closed() {
            return true;
        }

        @Override
        String describe() {
            return coroutine.toString();
        }
    }
}
