package dev.loomlet;

import dev.loomlet.internal.jdk.ThreadEnd;
import dev.loomlet.internal.jdk.VmEnd;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Platform;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.pool.ThreadPool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs greenlets, all on one thread: the one that made it.
 *
 * <p>A hub needs no thread of its own. {@link Loomlet#spawn} on a thread makes its hub, and whenever that thread waits in
 * this library ({@code joinAll}, {@code sleep}, {@code value}...), the hub's loop runs right there. So a program starts as
 * a plain one and ends as one:
 *
 * {@snippet :
 * var egon = spawn(() -> eat("egon"));
 * var lily = spawn(() -> play("lily"));
 * joinAll(egon, lily);
 * System.out.println("main");
 * }
 *
 * <p>{@link #start} makes one on a new thread that does nothing but run it, for servers and for several cores. A hub of the
 * calling thread that is not closed is closed when its thread ends.
 *
 * <p>The loop takes turns: what is ready, then timers, then sockets. While greenlets give way, a due timer, a ready socket
 * and a call from another thread are noticed within 5 ms (and 256 turns of greenlets, if those are quicker), and the greenlet
 * they wake has its turn after those that were ready before it. With 10,000 greenlets that do nothing but yield, a sleep of
 * 10 ms ends at most 20 ms late; so does a wait at a socket. Nothing bounds what a greenlet does that does not give way.
 *
 * <p>gevent's {@code hub}. Unlike there, nothing of yours ever runs on the bare loop: links and error handlers run in
 * greenlets and may block.
 */
public final class Hub implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(5);
    private static final Duration AGAIN = Duration.ofSeconds(1);
    private static final Duration ROUND = Duration.ofMillis(20);
    private static final ThreadLocal<@Nullable Hub> OF_THREAD = new ThreadLocal<>();
    private static final Set<Hub> ALL =
            java.util.Collections.newSetFromMap(new java.util.concurrent.ConcurrentHashMap<>());

    static {
        VmEnd.then(() -> ALL.forEach(each -> each.loop.vmEnds()));
    }

    private final Loop loop;
    private final Ids ids = new Ids();
    private volatile @Nullable Consumer<Stall> onStall;
    private final AtomicReference<@Nullable ThreadPool> threadPool = new AtomicReference<>();
    private final Set<Greenlet<?>> delayed = new LinkedHashSet<>();
    private final Set<Signals.Handler> handlers = java.util.concurrent.ConcurrentHashMap.newKeySet();
    private final Set<Trace> traces = java.util.concurrent.ConcurrentHashMap.newKeySet();
    private final @Nullable Waiter closing; // of a hub with a thread of its own
    private volatile BiConsumer<Greenlet<?>, Throwable> onError = Hub::print;

    private Hub(String name, boolean ownThread) {
        if (Platform.level() == Platform.Level.NONE) {
            Capabilities can = Capabilities.find();
            throw new IllegalStateException(
                    "Loomlet cannot run greenlets in this JVM: " + can.missing() + ". What helps: "
                            + can.advice());
        }
        try {
            loop = new Loop(this, name, Platform.openPoller(), this::broken);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the poller of hub " + name, e);
        }
        closing = ownThread ? new Waiter("the end of hub " + name) : null;
        if (!ownThread) {
            loop.onStuck(() -> new LoopExit(StuckReport.of(this)));
        }
        OF_THREAD.set(this);
        ALL.add(this);
        StallDetector.begin();
        ThreadEnd.set(this::threadEnds);
    }

    /** Its thread ends and nobody has closed it. */
    private void threadEnds() {
        if (!loop.closed()) {
            shutDown();
        }
    }

    /**
     * The hub of the calling thread: of the greenlet it is, or of the platform thread it is, made now if it has none.
     *
     * @throws IllegalStateException on a virtual thread that belongs to no hub, or if the JVM does not let Loomlet work;
     *     the message says what to add
     */
    public static Hub current() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            return ifPresent()
                    .orElseThrow(() -> new IllegalStateException(thread + " belongs to no hub. Use hub.spawn(...)"
                            + " on a hub you have, or start from a platform thread"));
        }
        Hub hub = OF_THREAD.get();
        return hub != null && !hub.loop.closed() ? hub : new Hub("hub-" + thread.getName(), false);
    }

    /** The hub of the calling thread, if it has one. */
    public static Optional<Hub> ifPresent() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            Fiber fiber = Platform.level() == Platform.Level.NONE ? null : Fiber.current();
            return fiber == null || fiber.loop().closed() ? Optional.empty() : Optional.of(of(fiber.loop()));
        }
        Hub hub = OF_THREAD.get();
        return hub == null || hub.loop.closed() ? Optional.empty() : Optional.of(hub);
    }

    private static Hub of(Loop loop) {
        return (Hub) loop.owner();
    }

    /** What this JVM lets hubs do, and what to add where something is missing. Any thread; never throws. */
    public static Capabilities capabilities() {
        return Capabilities.find();
    }

    /** All hubs that are open, in no order. */
    public static List<Hub> all() {
        return List.copyOf(ALL);
    }

    /**
     * A hub with a daemon thread of its own, which runs until {@link #close}.
     *
     * @param name of the hub, and of its thread
     */
    public static Hub start(String name) {
        var made = new java.util.concurrent.CompletableFuture<Hub>();
        Thread thread = new Thread(() -> {
            Hub hub;
            try {
                hub = new Hub(name, true);
            } catch (Throwable t) {
                made.completeExceptionally(t);
                return;
            }
            made.complete(hub);
            hub.serve();
        }, name);
        thread.setDaemon(true);
        thread.start();
        try {
            return made.join();
        } catch (java.util.concurrent.CompletionException e) {
            throw Waits.<RuntimeException>sneak(e.getCause() == null ? e : e.getCause());
        }
    }

    private void serve() {
        try {
            while (closing != null && !closing.ended()) {
                try {
                    closing.await(-1);
                } catch (InterruptedException e) {
                    break; // somebody ends the thread: that ends the hub
                }
            }
        } finally {
            shutDown();
        }
    }

    /** Its name. */
    public String name() {
        return loop.name();
    }

    /** The thread it runs on. */
    public Thread thread() {
        return loop.home();
    }

    /** How many greenlets are alive on it. */
    public int liveGreenlets() {
        return loop.live();
    }

    /** How many times a greenlet got its turn. */
    public long switches() {
        return loop.switches();
    }

    /** How many greenlets were started on it so far. */
    public long startedGreenlets() {
        return loop.started();
    }

    /** How many greenlets were alive on it at the same time, at most. */
    public int peakGreenlets() {
        return loop.peak();
    }

    /** How long it was held up by greenlets that did not give way within 10 ms, in sum. */
    public Duration blocked() {
        return Duration.ofNanos(loop.blockedNanos());
    }

    /** How many rounds its loop has made: what is ready, then timers, then sockets. */
    public long turns() {
        return loop.turns();
    }

    /** How many timers are armed: sleeps, timeouts, waits with a duration. */
    public int timers() {
        return loop.timers();
    }

    /** How many sockets and pipes are waited for. */
    public int watchedDescriptors() {
        return loop.poller().watched();
    }

    /** How it polls: "epoll" or "selector". */
    public String backend() {
        return loop.poller().name();
    }

    /**
     * Who is told of errors that leave a greenlet, after the place where it was spawned is known and before those who wait
     * for it go on. Called in the failing greenlet. By default they are printed to {@code System.err}.
     */
    public void onError(BiConsumer<Greenlet<?>, Throwable> handler) {
        onError = handler;
    }

    /**
     * Who is told of greenlets that hold the others up, besides the log. Called on a thread of its own for each; instead of
     * the handler that was there before.
     */
    public void onStall(Consumer<Stall> handler) {
        onStall = handler;
    }

    /**
     * Tells {@code tracer} of every turn that this hub gives, in their order, until the trace is closed. Several traces may
     * be on.
     *
     * {@snippet :
     * try (var trace = hub.trace(turn -> turns.append(turn).append('\n'))) {
     *     work();
     * }
     * }
     *
     * <p>The hub only writes down its turns; the tracer is called on a thread of its own, a moment later, and may take its
     * time: if it is some 16,000 turns behind, the hub does not wait for it, and {@link Tracing#lost} counts what it misses.
     * While no trace is on, this costs a hub nothing that can be measured.
     *
     * <p>Any thread. gevent's {@code settrace}, which calls the tracer in the middle of the switch.
     */
    public Tracing trace(Consumer<? super Switch> tracer) {
        Trace trace = new Trace(this, tracer);
        if (loop.refuses() || (!loop.onLoop() && !loop.post(() -> loop.observe(trace)))) {
            throw isClosed("trace");
        }
        if (loop.onLoop()) {
            loop.observe(trace);
        }
        traces.add(trace);
        trace.begin();
        return new Tracing(this, trace);
    }

    /** A trace that is on, until it is closed. */
    public static final class Tracing implements AutoCloseable {
        private final Hub hub;
        private final Loop loop;
        private final Trace trace;

        private Tracing(Hub hub, Trace trace) {
            this.hub = hub;
            this.loop = hub.loop();
            this.trace = trace;
        }

        /** How many turns the tracer was not told of, since it was too slow. */
        public long lost() {
            return trace.lost();
        }

        /**
         * Ends it. When this returns, the tracer has been told of all that it is told of. Any thread; closing twice is
         * harmless. A hub that closes ends its traces.
         */
        @Override
        public void close() {
            if (loop.onLoop()) {
                loop.unobserve(trace);
            } else {
                loop.post(() -> loop.unobserve(trace)); // until then it writes what nobody reads
            }
            trace.end();
            hub.traces.remove(trace);
            trace.awaitEnd();
        }
    }

    @Nullable
    Consumer<Stall> stallHandler() {
        return onStall;
    }

    /** As {@link Loomlet#spawn(Callable)}, on this hub; from any thread. */
    public <T> Greenlet<T> spawn(Callable<T> task) {
        return unstarted(task).start();
    }

    /** As {@link Loomlet#spawn(Action)}, on this hub; from any thread. */
    public Greenlet<Void> spawn(Action task) {
        return unstarted(task).start();
    }

    /** As {@link #spawn(Callable)} with a name, which its thread gets as well. */
    public <T> Greenlet<T> spawn(String name, Callable<T> task) {
        return new Greenlet<T>(this, task, name).start();
    }

    /** As {@link #spawn(Action)} with a name, which its thread gets as well. */
    public Greenlet<Void> spawn(String name, Action task) {
        return new Greenlet<Void>(this, task, name).start();
    }

    /** As {@link Loomlet#spawnLater(Duration, Callable)}, on this hub; from any thread. */
    public <T> Greenlet<T> spawnLater(Duration after, Callable<T> task) {
        return unstarted(task).startLater(after);
    }

    /** As {@link Loomlet#spawnLater(Duration, Action)}, on this hub; from any thread. */
    public Greenlet<Void> spawnLater(Duration after, Action task) {
        return unstarted(task).startLater(after);
    }

    /** A greenlet that waits for its {@link Greenlet#start}. */
    public <T> Greenlet<T> unstarted(Callable<T> task) {
        return new Greenlet<>(this, task, null);
    }

    /** A greenlet that waits for its {@link Greenlet#start}. */
    public Greenlet<Void> unstarted(Action task) {
        return new Greenlet<>(this, task, null);
    }

    /** As {@link #unstarted(Action)} with a name, which its thread gets as well. */
    public Greenlet<Void> unstarted(String name, Action task) {
        return new Greenlet<>(this, task, name);
    }

    // --- real threads

    /**
     * Its pool of real threads, for what would block the hub: made when first asked for, of 10 threads
     * ({@code -Dloomlet.threadpool.size}), and gone with the hub.
     *
     * {@snippet :
     * List<Row> rows = hub.threadPool().call(() -> sqlite.query(sql));
     * }
     */
    public ThreadPool threadPool() {
        ThreadPool pool = threadPool.get();
        if (pool == null) {
            ThreadPool fresh = new ThreadPool(Integer.getInteger("loomlet.threadpool.size", 10), this);
            pool = threadPool.compareAndSet(null, fresh) ? fresh : java.util.Objects.requireNonNull(threadPool.get());
            if (loop.closed()) {
                pool.shutdown();
            }
        }
        return pool;
    }

    // --- for other people's code

    /**
     * An executor whose tasks are greenlets of this hub: what to hand to a library that asks for one, so that its call-backs
     * run on this hub's thread and may block.
     *
     * {@snippet :
     * HttpServer server = HttpServer.create(address, 0);
     * server.setExecutor(hub.executor());               // handlers are greenlets
     * CompletableFuture.supplyAsync(() -> ask(), hub.executor());
     * }
     *
     * <p>It may be used from any thread. The futures it gives are {@link Greenlet}s or act like them, so that waiting for
     * one on the hub's own thread runs the hub; cancelling one kills its greenlet, whatever the argument. Delays use the
     * hub's timers. After {@code shutdown}, delayed tasks are still run and periodic ones are not, as the JDK's own executors do
     * it; {@code shutdownNow} kills what runs. An error of a task given to {@code execute} is reported to {@link #onError};
     * one of a submitted task is its future's.
     *
     * <p>Each call makes a new executor, so that shutting one down concerns nobody else. One that is dropped needs no
     * shutting down: it holds nothing.
     */
    public ScheduledExecutorService executor() {
        return new HubExecutor(this);
    }

    /**
     * A factory whose threads are greenlets of this hub, whoever starts them: what to hand to a library that makes its own
     * threads.
     *
     * <p>They are virtual threads. (The JDK's own {@code Thread.ofVirtual().factory()} makes threads of this hub only when
     * it is called by one of its greenlets.) An error that leaves one is reported to {@link #onError}, not to the thread's
     * handler of uncaught exceptions.
     */
    public ThreadFactory threadFactory() {
        return runnable -> unstarted(new RunnableTask(runnable)).thread();
    }

    /** For our own errands; if the hub is closed, there is nobody left to run them for. */
    void spawnQuietly(Action errand) {
        if (!loop.closed()) {
            unstarted(errand).errand().start();
        }
    }

    static {
        Greenlet.openDoor(); // for those who have a hub and no greenlet
    }

    Loop loop() {
        return loop;
    }

    Ids ids() {
        return ids;
    }

    Set<Greenlet<?>> delayed() {
        return delayed;
    }

    /** Of signals; they go with it. */
    Set<Signals.Handler> handlers() {
        return handlers;
    }

    IllegalStateException isClosed(String what) {
        return new IllegalStateException("cannot " + what + ": hub " + name() + " is closed");
    }

    void report(Greenlet<?> greenlet, Throwable error) {
        try {
            onError.accept(greenlet, error);
        } catch (Throwable t) {
            t.addSuppressed(error);
            print(greenlet, t);
        }
    }

    private static void print(Greenlet<?> greenlet, Throwable error) {
        var text = new java.io.StringWriter();
        text.write(greenlet.name() + " failed (spawned at " + greenlet.spawnSite().map(Object::toString)
                .orElse("an unknown place") + "): ");
        error.printStackTrace(new java.io.PrintWriter(text, true));
        System.err.print(text);
    }

    /** An error of the loop itself. It must not be lost, and must not be printed from the loop. */
    private void broken(Throwable error) {
        Thread reporter = new Thread(() -> {
            System.err.println("hub " + name() + ": an error in its loop; please report it");
            error.printStackTrace();
        }, "loomlet-error");
        reporter.setDaemon(true);
        reporter.start();
    }

    /**
     * Ends it: kills every greenlet, waits until they are dead (at most 5 seconds; one that will not go is given up, and
     * whoever waits for it gets an error), and frees its descriptors. Closing twice is harmless.
     *
     * <p>From its own thread, or from any thread if it was made by {@link #start}; not from one of its greenlets.
     *
     * @throws IllegalStateException from a wrong thread
     */
    @Override
    public void close() {
        if (loop.closed()) {
            return;
        }
        Fiber fiber = Thread.currentThread().isVirtual() ? Fiber.current() : null;
        if (fiber != null && fiber.loop() == loop) {
            throw new IllegalStateException(fiber + " cannot close its own hub; end it, and close from outside");
        }
        if (closing != null && Thread.currentThread() != loop.home()) {
            closing.resume(null);
            boolean interrupted = false;
            while (loop.home().isAlive()) {
                // A greenlet that cannot be unmounted keeps the thread to itself while it waits: it has to go first.
                loop.post(() -> loop.pinned().forEach(each -> {
                    if (each.owner() instanceof Greenlet<?> greenlet) {
                        greenlet.deliver(exit());
                    }
                }));
                try {
                    loop.home().join(AGAIN.toMillis());
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        } else if (Thread.currentThread() == loop.home()) {
            shutDown();
        } else {
            throw new IllegalStateException("hub " + name() + " must be closed by its own thread, " + loop.home());
        }
    }

    private void shutDown() {
        loop.onStuck(null);
        loop.closing();
        List.copyOf(handlers).forEach(Signals.Handler::close);
        boolean interrupted = killAll();
        List<Fiber> stubborn = loop.fibers();
        loop.close();
        ThreadPool pool = threadPool.get();
        if (pool != null) {
            pool.shutdown();
        }
        traces.forEach(Trace::end);
        OF_THREAD.remove();
        ALL.remove(this);
        StallDetector.look();
        ThreadEnd.remove();
        stubborn.removeIf(each -> each.owner() instanceof Greenlet<?> greenlet && greenlet.ready());
        if (!stubborn.isEmpty()) {
            var given = new IllegalStateException("hub " + name() + " was closed; " + stubborn.size()
                    + " greenlet(s) did not end when killed and were given up: "
                    + stubborn.subList(0, Math.min(stubborn.size(), 10)));
            stubborn.forEach(each -> abandon(each, given));
            System.err.println(given.getMessage());
        }
        // Those that other threads have spawned in the meantime: killed before their first turn.
        loop.fibers().forEach(each -> abandon(each, exit()));
        List.copyOf(delayed).forEach(each -> each.abandon(exit()));
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Kills what is there and what comes while it dies, for as long as there is hope. Callbacks of links get their first
     * turn; a greenlet that keeps the exception or cleans up is left alone for a while.
     *
     * @return whether the thread was interrupted meanwhile: it must not keep a hub from being closed
     */
    private boolean killAll() {
        boolean interrupted = false;
        var killed = new IdentityHashMap<Fiber, Long>();
        long now = System.nanoTime();
        long end = now + GRACE.toNanos();
        for (Greenlet<?> each : List.copyOf(delayed)) {
            each.deliver(exit());
        }
        while (loop.live() > 0 && now - end < 0) {
            for (Fiber each : loop.fibers()) {
                Long before = killed.get(each);
                if (each.owner() instanceof Greenlet<?> greenlet && !greenlet.hasItsFirstTurnToCome()
                        && (before == null || now - before > AGAIN.toNanos())) {
                    killed.put(each, now);
                    if (!greenlet.deliver(exit())) {
                        greenlet.interrupt();
                    }
                }
            }
            Waiter waiter = new Waiter("the end of its greenlets");
            loop.whenEmpty(waiter);
            try {
                waiter.await(Math.min(end - now, ROUND.toNanos()));
            } catch (InterruptedException e) {
                interrupted = true;
            }
            now = System.nanoTime();
        }
        return interrupted;
    }

    private static void abandon(Fiber fiber, Throwable cause) {
        if (fiber.owner() instanceof Greenlet<?> greenlet) {
            greenlet.abandon(cause);
        }
    }

    private GreenletExit exit() {
        return new GreenletExit("hub " + name() + " is closing");
    }

    @Override
    public String toString() {
        return "Hub " + name() + " on " + thread().getName();
    }
}
