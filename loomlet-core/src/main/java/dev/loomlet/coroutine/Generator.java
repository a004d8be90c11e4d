package dev.loomlet.coroutine;

import dev.loomlet.internal.jdk.ScopedBindings;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Values made one at a time, by plain code that says {@code out.yield(value)}, when somebody asks for the next one. Python's
 * generators, with one freedom more: the body may yield from any method it calls.
 *
 * <p>{@snippet :
 * Generator<Integer> primes = Generator.of(out -> {
 *     for (int n = 2; ; n++) {
 *         if (isPrime(n)) {
 *             out.yield(n);
 *         }
 *     }
 * });
 * for (int prime : primes) {
 *     if (prime > 100) {
 *         break;
 *     }
 *     System.out.println(prime);
 * }
 * }
 *
 * <p><b>Asking.</b> A generator is an {@link Iterator} of its values, an {@link Iterable} whose one iterator it is (a second
 * loop goes on where the first one stopped), and a {@link #stream()}. Nothing runs until the first question. What the body
 * throws comes out of {@link #next()} or {@link #hasNext()}: the same object, checked or not, with the body's own stack
 * trace; the generator is then finished.
 *
 * <p><b>Two ways.</b> {@link #send} makes the pending {@code out.yield} return a value, {@link #throwInto} makes it throw:
 *
 * <p>{@snippet :
 * Generator<Double> average = Generator.of(out -> {
 *     double sum = 0;
 *     for (int n = 1; ; n++) {
 *         double sample = out.yield(sum / Math.max(1, n - 1));
 *         sum += sample;
 *     }
 * });
 * average.next();
 * average.send(10.0);      // 10.0
 * average.send(20.0);      // 15.0
 * }
 *
 * <p><b>Delegating.</b> {@link Out#yieldAll(Generator)} lets another generator speak, Python's {@code yield from}: a tree
 * walk is {@code out.yieldAll(walk(left)); out.yield(value); out.yieldAll(walk(right));}. The consumer talks to the
 * innermost one directly, so that a step costs the same at any depth.
 *
 * <p><b>Closing.</b> {@link #close()} throws {@link GeneratorExit} at the pending {@code yield}, so that {@code finally}
 * blocks run. A generator that is dropped instead is collected like any object, and no line of its body runs any more; use
 * try-with-resources, or a {@link CoroutineScope}, where the body holds something.
 *
 * <p><b>Threads.</b> The body runs on the thread that asks, as if called: same {@link Thread#currentThread()}, thread
 * locals, locks and, unless it binds its own, {@link ScopedValue}s. It may sleep, do I/O, lock and spawn; in a greenlet the
 * greenlet parks with it. Different threads may ask one after the other; two at the same time get an
 * {@link IllegalStateException}, as does a body that asks itself. The consumer may hold any locks and monitors. The body may
 * not yield inside its own {@code synchronized} block, nor below a native frame: that is an {@link IllegalStateException} at
 * the {@code yield}, which names the frame.
 *
 * <p>{@code docs/design/coroutines.md} has the figures of a step.
 *
 * @param <T> the values
 */
@SuppressWarnings("IterableAndIterator") // Python's generators are both as well: one pass, said in the documentation
public final class Generator<T extends @Nullable Object> implements Iterable<T>, Iterator<T>, AutoCloseable {
    /** The code of a generator. */
    @FunctionalInterface
    public interface Body<T extends @Nullable Object> {
        /** Makes the values, and gives each to {@code out}. */
        void run(Out<T> out) throws Exception;
    }

    /** The code of a generator that ends with a value of its own, see {@link Generator#result()}. */
    @FunctionalInterface
    public interface Returning<T extends @Nullable Object> {
        /** Makes the values, gives each to {@code out}, and returns the result. */
        @Nullable
        Object run(Out<T> out) throws Exception;
    }

    /*
     * IDLE -> RUNNING -> IDLE ... -> DONE       next() and its like claim and release
     * IDLE -> DELEGATED -> DONE                 as part of another generator that said yieldAll
     *
     * The claim is an atomic exchange, because resuming a continuation twice at a time would take the VM down; the
     * release orders all that a step wrote before the next claim, so that the fields below are confined to the claimer.
     */
    private static final int IDLE = 0;
    private static final int RUNNING = 1;
    private static final int DELEGATED = 2;
    private static final int DONE = 3;

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Generator.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through STATE
    private int state;

    private @Nullable Returning<T> body;
    private @Nullable SuspendableBody<T> fiber;
    private boolean ended;
    /** {@link #hasNext()} has asked for the value in {@link #produced} already. */
    private boolean ahead;

    // What goes over at a step.
    private @Nullable Object produced;
    private @Nullable Object sent;
    private @Nullable Throwable thrown;
    private @Nullable Object result;
    private @Nullable Throwable failure;

    // Delegation: the chain of generators that have said yieldAll, from the one that is asked (top points to its end, which
    // is resumed by a step) and back through delegator.
    private Generator<? extends T> top = this;
    private @Nullable Generator<? super T> delegator;
    private @Nullable Generator<? extends T> delegate;

    /** Scoped-value bindings that the body made and is suspended in, or null. */
    private @Nullable Object bindings;

    private final @Nullable Throwable createdAt = Leaks.site("generator");
    private Leaks.@Nullable Watch watch;

    private Generator(Returning<T> body) {
        this.body = body;
    }

    /** A generator of the values that {@code body} yields. */
    public static <T extends @Nullable Object> Generator<T> of(Body<T> body) {
        Objects.requireNonNull(body);
        return new Generator<>(new Plain<>(body));
    }

    /** A generator of the values that {@code body} yields, with what it returns as its {@link #result()}. */
    public static <T extends @Nullable Object> Generator<T> returning(Returning<T> body) {
        return new Generator<>(Objects.requireNonNull(body));
    }

    private record Plain<T extends @Nullable Object>(Body<T> body) implements Returning<T> {
        @Override
        public @Nullable Object run(Out<T> out) throws Exception {
            body.run(out);
            return null;
        }
    }

    /** This generator: there is one pass over its values. */
    @Override
    public Iterator<T> iterator() {
        return this;
    }

    /** Whether there is a next value; runs the body until it yields one, or ends. */
    @Override
    public boolean hasNext() {
        if (!claim()) {
            return false;
        }
        try {
            if (!ahead) {
                ahead = advance(null, null);
            }
            return ahead;
        } finally {
            release();
        }
    }

    /**
     * The next value: runs the body until it yields one.
     *
     * @throws NoSuchElementException if the body ends instead, or has ended
     */
    @Override
    public T next() {
        if (!claim()) {
            throw exhausted();
        }
        try {
            if (ahead) {
                ahead = false;
            } else if (!advance(null, null)) {
                throw exhausted();
            }
            return takeProduced();
        } finally {
            release();
        }
    }

    /**
     * Makes the pending {@code out.yield} return {@code value}, and returns the next value.
     *
     * @throws IllegalStateException if no {@code yield} is pending: the body has not started, or {@link #hasNext()} has let
     *     it go on already
     * @throws NoSuchElementException if the body ends, or has ended
     */
    public T send(@Nullable Object value) {
        if (!claim()) {
            throw exhausted();
        }
        try {
            if (ahead) {
                throw new IllegalStateException(
                        "hasNext() has taken the next value out of the body already: there is no"
                                + " yield left to get what is sent. Take it with next() first");
            }
            if (fiber == null && value != null) {
                throw new IllegalStateException(
                        "The body of " + this + " has not reached its first yield, which could get"
                                + " the value: call next() first");
            }
            if (!advance(value, null)) {
                throw exhausted();
            }
            return takeProduced();
        } finally {
            release();
        }
    }

    /**
     * Throws {@code exception} at the pending {@code out.yield}, and returns the next value if the body goes on. A body that
     * has not started never will.
     *
     * @throws NoSuchElementException if the body handles the exception and ends
     */
    public T throwInto(Throwable exception) {
        Objects.requireNonNull(exception);
        if (!claim()) {
            throw Strand.sneak(exception);
        }
        try {
            ahead = false;
            if (!advance(null, exception)) {
                throw exhausted();
            }
            return takeProduced();
        } finally {
            release();
        }
    }

    /**
     * Ends the generator: throws {@link GeneratorExit} at the pending {@code yield}, and returns when the body has ended. A
     * body that has not started never will. Does nothing to a generator that has ended.
     *
     * <p>What the body throws on the way out is thrown here.
     *
     * @throws IllegalStateException if the body yields again instead of ending; or if it is running
     */
    @Override
    public void close() {
        if (!claim()) {
            return;
        }
        var exit = new GeneratorExit();
        try {
            ahead = false;
            if (advance(null, exit)) {
                produced = null;
                throw new IllegalStateException("The body of " + this + " has ignored GeneratorExit and yielded again;"
                        + " a body must not yield while it is being closed");
            }
        } catch (GeneratorExit e) {
            if (e != exit) {
                throw e;
            }
        } finally {
            release();
        }
    }

    /** What a {@linkplain #returning returning} body has returned; empty before, and if there is nothing. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // typed as the place of the call says
    public <R> Optional<R> result() {
        return (int) STATE.getAcquire(this) == DONE ? Optional.ofNullable((R) result) : Optional.empty();
    }

    /**
     * The values as a sequential stream; in a parallel one the threads ask the body in turn, a batch at a time. Closing the
     * stream closes the generator.
     */
    public Stream<T> stream() {
        return StreamSupport.stream(spliterator(), false).onClose(this::close);
    }

    /** The values, ordered, of unknown number. */
    @Override
    public Spliterator<T> spliterator() {
        return new AbstractSpliterator<>(Long.MAX_VALUE, Spliterator.ORDERED) {
            @Override
            public boolean tryAdvance(Consumer<? super T> action) {
                if (!hasNext()) {
                    return false;
                }
                action.accept(next());
                return true;
            }
        };
    }

    /**
     * Where the body is suspended, innermost frame first; while it delegates, of the innermost generator. Empty if it has
     * not started or has ended.
     */
    public List<StackTraceElement> stackTrace() {
        if (!claim()) {
            return List.of();
        }
        try {
            Suspendable suspended = top.fiber;
            return suspended == null ? List.of() : suspended.stackTrace();
        } finally {
            release();
        }
    }

    /** Its state: not started, suspended, running, delegated (another one speaks through it) or finished. */
    @Override
    public String toString() {
        String now = switch ((int) STATE.getAcquire(this)) {
            case RUNNING -> "running";
            case DELEGATED -> "delegated";
            case DONE -> "finished";
            default -> fiber == null ? "not started" : "suspended";
        };
        return "Generator[" + now + "]@" + Integer.toHexString(System.identityHashCode(this));
    }

    /** Makes the caller the only one inside; false if the generator is finished. */
    private boolean claim() {
        if (STATE.compareAndSet(this, IDLE, RUNNING)) {
            return true;
        }
        return switch ((int) STATE.getAcquire(this)) {
            case DONE -> false;
            case DELEGATED -> throw new IllegalStateException(this + " is the delegate of another generator (yieldAll),"
                    + " which alone may ask it");
            default ->
                    throw new IllegalStateException(this + " is executing already: a generator can neither be asked by"
                            + " its own body nor by two threads at a time; this is " + Thread.currentThread());
        };
    }

    private void release() {
        STATE.setRelease(this, ended ? DONE : IDLE);
    }

    private T takeProduced() {
        Object value = produced;
        produced = null;
        return Strand.cast(value); // only bodies of T put something there
    }

    private NoSuchElementException exhausted() {
        return new NoSuchElementException("The generator is finished: its body has ended, or it has been closed");
    }

    /**
     * One step: lets the innermost delegate go on, with {@code value} as the result of its pending yield or {@code exception}
     * thrown there. Returns whether there is a value now in {@link #produced}; throws what the body threw. A loop and not a
     * recursion, whatever the depth of the chain.
     */
    private boolean advance(@Nullable Object value, @Nullable Throwable exception) {
        Generator<? extends T> active = top;
        active.sent = value;
        active.thrown = exception;
        while (true) {
            active.step();
            if (!active.ended) {
                Generator<? extends T> inner = active.delegate;
                if (inner == null) {
                    if (active != this) {
                        produced = active.produced;
                        active.produced = null;
                    }
                    return true;
                }
                active.delegate = null;
                active = delegate(active, inner);
                if (inner.ahead) {
                    inner.ahead = false;
                    produced = inner.produced;
                    inner.produced = null;
                    return true;
                }
            } else if (active == this) {
                Throwable failed = failure;
                failure = null;
                if (failed != null) {
                    throw Strand.sneak(Suspendable.withFramesOfCaller(failed));
                }
                return false;
            } else {
                active = undelegate(active, exception);
            }
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // the chain is typed by yieldAll, which made it
    private Generator<? extends T> delegate(Generator<? extends T> outer, Generator<? extends T> inner) {
        ((Generator) inner).delegator = outer;
        if (inner.bindings == null) {
            inner.bindings = outer.bindings; // as if it ran below the outer one
        }
        Generator<? extends T> innermost = inner.top;
        ((Generator) inner).top = inner;
        top = innermost;
        return innermost;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Generator<? extends T> undelegate(Generator<? extends T> finished, @Nullable Throwable exception) {
        Generator<? extends T> outer = (Generator) Objects.requireNonNull(finished.delegator);
        finished.delegator = null;
        outer.sent = finished.result;
        outer.thrown = finished.failure;
        finished.failure = null;
        if (exception instanceof GeneratorExit && outer.thrown == null) {
            outer.thrown = exception; // closing ends every one of the chain, even if an inner one ended quietly
        }
        finished.release();
        top = outer;
        return outer;
    }

    /** Lets this one's own body go on, under its own scoped values. */
    private void step() {
        SuspendableBody<T> own = fiber;
        if (own == null) {
            if (thrown != null) {
                failure = thrown;
                end();
                return;
            }
            own = new SuspendableBody<>(this, Objects.requireNonNull(body));
            fiber = own;
            body = null;
            watch = Leaks.watch(this, createdAt);
        }
        Thread here = Thread.currentThread();
        Object outside = ScopedBindings.get(here);
        Object inside = bindings;
        if (inside != null) {
            ScopedBindings.set(here, inside);
        }
        try {
            own.resume();
        } catch (Throwable t) {
            // The body's own failures are kept by its fiber. This one is the VM's: no stack, or no memory, to enter.
            if (!own.ended()) {
                throw t;
            }
            failure = t;
            end();
        } finally {
            Object after = ScopedBindings.get(here);
            if (after == outside) {
                bindings = null;
            } else {
                bindings = after;
                ScopedBindings.set(here, outside);
            }
        }
    }

    private void end() {
        ended = true;
        if (watch != null) {
            watch.ended = true;
        }
        fiber = null;
        body = null;
        bindings = null;
        produced = null;
    }

    /** What the pending yield has been sent. */
    private @Nullable Object resumed() {
        Throwable exception = thrown;
        if (exception != null) {
            thrown = null;
            throw Strand.sneak(exception);
        }
        Object value = sent;
        sent = null;
        return value;
    }

    /** Where a body puts its values. Only the body may, or what it calls; see {@link Generator}. */
    public static final class Out<T extends @Nullable Object> {
        private final Generator<T> generator;

        Out(Generator<T> generator) {
            this.generator = generator;
        }

        /**
         * Gives {@code value} to whoever asked, and waits for the next question. (Java wants the qualifier: {@code yield}
         * alone is a word of its own.)
         *
         * @param <S> what the body expects to be sent; nothing checks it but the cast at the call
         * @return what {@link Generator#send} sent; null if the question was {@link Generator#next()}
         * @throws IllegalStateException if the body cannot be left here: it holds a monitor, a native frame is in between, or
         *     the caller is not the body at all
         */
        @SuppressWarnings({"TypeParameterUnusedInFormals", "NamedLikeContextualKeyword"})
        public <S extends @Nullable Object> S yield(T value) {
            Generator<T> own = generator;
            Suspendable fiber = own.fiber;
            if (fiber == null || !fiber.inside()) {
                throw notTheBody();
            }
            own.produced = value;
            fiber.suspend();
            return Strand.cast(own.resumed());
        }

        /**
         * Yields all values of {@code inner}, which gets what is sent and thrown meanwhile; Python's {@code yield from}.
         *
         * @return what {@code inner} has returned, see {@link Generator#returning}
         * @throws IllegalStateException as {@link #yield}; or if {@code inner} is being asked by somebody
         */
        @SuppressWarnings("TypeParameterUnusedInFormals")
        public <R extends @Nullable Object> R yieldAll(Generator<? extends T> inner) {
            Generator<T> own = generator;
            Suspendable fiber = own.fiber;
            if (fiber == null || !fiber.inside()) {
                throw notTheBody();
            }
            if (!inner.becomeDelegate()) {
                return Strand.cast(inner.result);
            }
            own.delegate = inner;
            try {
                fiber.suspend();
            } catch (Throwable t) {
                if (own.delegate == inner) { // refused, or no room on the stack: nothing has happened
                    own.delegate = null;
                    inner.release();
                }
                throw t;
            }
            return Strand.cast(own.resumed());
        }

        /** Yields all values of {@code values}. What is sent meanwhile is lost. */
        public void yieldAll(Iterable<? extends T> values) {
            if (values instanceof Generator<? extends T> inner) {
                this.<@Nullable Object>yieldAll(inner);
                return;
            }
            for (T each : values) {
                this.<@Nullable Object>yield(each);
            }
        }

        private IllegalStateException notTheBody() {
            return new IllegalStateException(
                    generator + ": yield belongs to the body and what it calls, on the thread that"
                            + " asks for values; this is " + Thread.currentThread());
        }
    }

    /** Whether another generator speaks for it, which will end it when it is closed itself. */
    boolean delegated() {
        return (int) STATE.getAcquire(this) == DELEGATED;
    }

    private boolean becomeDelegate() {
        if (!STATE.compareAndSet(this, IDLE, DELEGATED)) {
            if ((int) STATE.getAcquire(this) == DONE) {
                return false;
            }
            throw new IllegalStateException(
                    this + " cannot be delegated to: it is executing, or another generator's delegate");
        }
        return true;
    }

    private static final class SuspendableBody<T extends @Nullable Object> extends Suspendable {
        private final Generator<T> generator;
        private @Nullable Returning<T> body;

        SuspendableBody(Generator<T> generator, Returning<T> body) {
            super(body instanceof Plain<?> plain ? plain.body.getClass() : body.getClass());
            this.generator = generator;
            this.body = body;
        }

        @Override
        public void run() {
            Generator<T> own = generator;
            try {
                Returning<T> code = Objects.requireNonNull(body);
                body = null;
                own.result = code.run(new Out<>(own));
            } catch (Throwable t) {
                own.failure = t;
            }
            own.end();
        }

        @Override
        public boolean closed() {
            return false;
        }

        @Override
        String describe() {
            return generator.toString();
        }
    }
}
