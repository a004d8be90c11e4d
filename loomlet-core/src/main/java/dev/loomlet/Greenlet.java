package dev.loomlet;

import dev.loomlet.internal.loop.End;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Recording;
import dev.loomlet.internal.loop.Timer;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Watchable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A task that runs on its {@link Hub}'s thread and gives way by itself whenever it would block.
 *
 * <p>{@link Loomlet#spawn} makes one. It is scheduled at once and runs when the code that spawned it waits for something;
 * all greenlets of a hub take turns on one thread, so they need no locks around what they share as long as they do not
 * wait in between.
 *
 * {@snippet :
 * Greenlet<Page> g = spawn(() -> fetch(url));
 * g.join();                    // waits for its end, whatever it is
 * Page page = g.value();       // its result; an error it ended with is thrown here
 * }
 *
 * <pre>
 *   NEW ──start──▶ SCHEDULED ──its turn──▶ RUNNING ⇄ WAITING
 *    │                 │                      │
 *    └──────kill───────┴──────────────────────┴──▶ ended: with a value, an error, or killed
 * </pre>
 *
 * <p><b>Threads.</b> Every method may be called from any thread. A wait called in a greenlet parks that greenlet; called on
 * a hub's own thread it runs the hub meanwhile; called on any other thread it blocks that thread.
 *
 * <p><b>Errors.</b> An error is kept for {@link #get} and {@link #value}, and reported to {@link Hub#onError} with the place
 * where the greenlet was spawned.
 *
 * <p><b>As a {@link Future}</b> it keeps that interface's contract to the letter: {@code get} wraps errors in
 * {@link ExecutionException} and throws {@link CancellationException} after a kill.
 *
 * <p>gevent's {@code Greenlet}.
 *
 * @param <T> type of its result
 */
public final class Greenlet<T> extends Links implements Future<T>, Waitable {
    private static final VarHandle OUTCOME;
    private static final Object NULL = new Object();

    static {
        try {
            OUTCOME = MethodHandles.lookup().findVarHandle(Greenlet.class, "outcome", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
        Greenlets.open(new Door());
    }

    /** Does what the initialisation of this class does. */
    static void openDoor() {}

    /** For the packages of Loomlet that are not this one. */
    private static final class Door extends Greenlets {
        @Override
        public Object spawn(Object hub, Object task, String threadName) {
            return new Greenlet<Void>((Hub) hub, task, task, threadName).start();
        }

        @Override
        public Fiber fiber(Object greenlet) {
            return ((Greenlet<?>) greenlet).fiber;
        }

        @Override
        public Loop loop(Object hub) {
            return ((Hub) hub).loop();
        }

        @Override
        public void whenEnded(Object greenlet, End end) {
            ((Greenlet<?>) greenlet).add(new Told(end));
        }

        @Override
        public @Nullable End find(Object greenlet, Predicate<End> which) {
            Link link = ((Greenlet<?>) greenlet).findLink(each -> each instanceof Told told && which.test(told.end));
            return link instanceof Told told ? told.end : null;
        }

        @Override
        public void quiet(Object greenlet) {
            ((Greenlet<?>) greenlet).quiet = true;
        }

        @Override
        public void report(Object greenlet) {
            Greenlet<?> failed = (Greenlet<?>) greenlet;
            failed.exception().ifPresent(error -> failed.hub.report(failed, error));
        }

        @Override
        public List<String> circles(Collection<?> hubs) {
            return new WaitGraph(hubs.stream().map(each -> (Hub) each).toList()).circles().stream()
                    .map(WaitGraph::describe).toList();
        }

        @Override
        public void heldUp(Fiber fiber, long nanos) {
            StallDetector.heldUp(fiber, nanos);
        }

        @Override
        public void offload(List<String> rules, Consumer<String> added) {
            Offload.connect(rules, added);
        }

        @Override
        public boolean selects(String rule, String type, String method) {
            return method.isEmpty() ? Offload.matches(rule, type) : Offload.matches(rule, type, method);
        }
    }

    private static final class Told extends Link {
        final End end;

        Told(End end) {
            this.end = end;
        }

        @Override
        void ended() {
            end.ended();
        }
    }

    /** An end other than a value. */
    private record Ended(Throwable cause) {
        boolean killed() {
            return cause instanceof GreenletExit;
        }
    }

    private final Hub hub;
    private final Fiber fiber;
    private final @Nullable SpawnSite site;
    private final @Nullable Fiber spawner;
    private @Nullable Object task; // a Callable or an Action, until it runs
    private int id = -1;
    private final Object name; // a String, or what knows it
    private volatile @Nullable Object outcome; // null until ended; then the value, NULL, or Ended
    private volatile boolean started;
    private boolean errand; // ours: a link's callback, say
    private boolean quiet; // somebody will throw its error on
    private boolean entered; // its body has begun; on the loop
    private boolean released; // its id is another's; on the loop
    private @Nullable Timer delay; // of spawnLater, while it lasts; on the loop
    private volatile @Nullable Throwable killedBy;

    Greenlet(Hub hub, Object task, @Nullable String name) {
        this.hub = hub;
        this.task = task;
        this.site = SpawnSite.of(task);
        this.spawner = Fiber.current();
        String given = name;
        if (given == null) {
            if (hub.loop().onLoop()) {
                id = hub.ids().take();
                given = hub.ids().name(id);
            } else {
                given = "greenlet";
            }
        }
        this.name = given;
        this.fiber = hub.loop().fiber(this, given, this::body);
    }

    private Greenlet(Hub hub, Object task, Object name, String threadName) {
        this.hub = hub;
        this.task = task;
        this.name = name;
        this.site = SpawnSite.of(task);
        this.spawner = Fiber.current();
        this.fiber = hub.loop().fiber(this, threadName, this::body);
    }

    Fiber fiber() {
        return fiber;
    }

    /** It is an errand of ours, such as a link's callback: a hub that closes lets it begin. */
    Greenlet<T> errand() {
        errand = true;
        return this;
    }

    boolean hasItsFirstTurnToCome() {
        return errand && !entered;
    }

    /** Its error will be thrown to somebody: no need to report it. */
    Greenlet<T> quiet() {
        quiet = true;
        return this;
    }

    /** What it is to do, while it has not begun to; from another thread, as it was a moment ago. */
    @Nullable
    Object task() {
        return task;
    }

    // --- start and end

    /**
     * Schedules it, if that was not done before. Only greenlets from {@link Hub#unstarted} need it.
     *
     * @return this
     * @throws IllegalStateException if its hub is closed
     */
    public Greenlet<T> start() {
        if (outcome == null && !started) {
            started = true;
            if (!hub.loop().start(fiber)) {
                throw hub.isClosed("start " + this);
            }
        }
        return this;
    }

    Greenlet<T> startLater(Duration after) {
        long nanos = Durations.nanos(after);
        Runnable arm = () -> {
            if (outcome != null) {
                return;
            }
            Timer timer = new Timer() {
                @Override
                protected void fire() {
                    hub.delayed().remove(Greenlet.this);
                    delay = null;
                    start();
                }
            };
            delay = timer;
            hub.delayed().add(this);
            hub.loop().arm(timer, Math.max(nanos, 0));
        };
        boolean accepted = !hub.loop().refuses();
        if (accepted && hub.loop().onLoop()) {
            arm.run();
        } else if (!accepted || !hub.loop().post(arm)) {
            throw hub.isClosed("start " + this + " later");
        }
        return this;
    }

    /** All of it in one method: its frame stays on the stack of every greenlet that waits. */
    @SuppressWarnings("NullAway") // a task may return null
    private void body() {
        entered = true;
        forgetDelay(); // somebody has started it before its time
        if (!started) { // by hand, see Hub.threadFactory
            started = true;
            hub.loop().enlist(fiber);
        }
        Object task = this.task;
        this.task = null;
        if (outcome == null) {
            if (Recording.on()) {
                Recording.started(hub.name(), name(), String.valueOf(site));
            }
            Object result = NULL;
            try {
                if (task instanceof Action action) {
                    action.run();
                } else {
                    Object value = ((Callable<?>) task).call();
                    result = value == null ? NULL : value;
                }
            } catch (Throwable t) {
                result = failure(t);
            }
            end(result);
        }
        fiber.finish();
        releaseId();
    }

    /** On the loop. Once, however often it is called. */
    private void releaseId() {
        if (id >= 0 && !released) {
            released = true;
            hub.ids().giveBack(id);
        }
    }

    /** On the loop. */
    private void forgetDelay() {
        Timer waiting = delay;
        if (waiting != null) {
            delay = null;
            hub.loop().cancel(waiting);
            hub.delayed().remove(this);
        }
    }

    private Ended failure(Throwable error) {
        Throwable kill = killedBy;
        if (kill != null && error != kill && Waits.ofInterrupt(error) && fiber.retract(kill)) {
            // The kill met it in a wait of the JDK, which made an exception of its own of the interrupt.
            kill.addSuppressed(error);
            error = kill;
        }
        if (!(error instanceof GreenletExit) && !quiet) {
            hub.report(this, error);
        }
        return new Ended(error);
    }

    private void end(Object result) {
        if (OUTCOME.compareAndSet(this, null, result)) {
            task = null;
            if (Recording.on()) {
                recordEnd(result);
            }
            fireLinks();
        }
    }

    private void recordEnd(Object result) {
        Throwable cause = result instanceof Ended ended ? ended.cause() : null;
        Recording.ended(hub.name(), name(), cause == null ? "value" : cause instanceof GreenletExit ? "kill" : "error",
                cause);
    }

    /** Whether it has ended; for one that cannot end any more, since its hub is closed, that is now. */
    boolean readyOrNever() {
        if (outcome == null && hub.loop().closed()) {
            abandon(new IllegalStateException("hub " + hub.name() + " is closed: " + this + " will never run"));
        }
        return outcome != null;
    }

    /** For a hub that closes: whoever waits for it must not wait for ever. */
    void abandon(Throwable cause) {
        end(new Ended(cause));
    }

    // --- what became of it

    /** Whether it has ended, in whatever way. */
    @Override
    public boolean ready() {
        return outcome != null;
    }

    /** Whether it has ended without an error. One that was killed has: to end when told to is no failure. */
    public boolean successful() {
        Object end = outcome;
        return end != null && !(end instanceof Ended ended && !ended.killed());
    }

    /** The error it ended with, if it has and did. A kill is none. */
    public Optional<Throwable> exception() {
        return outcome instanceof Ended ended && !ended.killed() ? Optional.of(ended.cause()) : Optional.empty();
    }

    /** The {@link GreenletExit} it ended with, if it was killed. */
    public Optional<GreenletExit> exit() {
        return outcome instanceof Ended ended && ended.cause() instanceof GreenletExit exit
                ? Optional.of(exit) : Optional.empty();
    }

    /** Whether it has been started and has not ended. */
    public boolean isAlive() {
        return started && outcome == null;
    }

    /**
     * Waits for its end.
     *
     * @throws GreenletExit if the waiting greenlet is killed or the waiting thread interrupted
     */
    public void join() {
        Waits.untilEnd(this, -1);
    }

    /**
     * Waits for its end, at most so long.
     *
     * @return whether it has ended
     */
    public boolean join(Duration timeout) {
        return Waits.untilEnd(this, Durations.nanos(timeout));
    }

    /**
     * Its result; waits for it. What it failed with is thrown: unchecked exceptions and errors as they are, checked ones in
     * a {@link CompletionException}.
     *
     * @throws CancellationException if it was killed
     */
    public T value() {
        Waits.untilEnd(this, -1);
        Object end = outcome;
        if (!(end instanceof Ended ended)) {
            return unmask(end);
        }
        if (ended.killed()) {
            throw cancelled(ended);
        }
        switch (ended.cause()) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new CompletionException(e);
        }
    }

    @Override
    public T get() throws ExecutionException, InterruptedException {
        Waits.untilEndInterruptibly(this, -1);
        return report();
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws ExecutionException, InterruptedException, TimeoutException {
        if (!Waits.untilEndInterruptibly(this, Math.max(0, unit.toNanos(timeout)))) {
            throw new TimeoutException(
                    this + " has not ended after " + timeout + " " + unit.name().toLowerCase(java.util.Locale.ROOT));
        }
        return report();
    }

    private T report() throws ExecutionException {
        Object end = outcome;
        if (!(end instanceof Ended ended)) {
            return unmask(end);
        }
        if (ended.killed()) {
            throw cancelled(ended);
        }
        throw new ExecutionException(ended.cause());
    }

    private CancellationException cancelled(Ended ended) {
        CancellationException exception = new CancellationException(this + " was killed");
        exception.initCause(ended.cause());
        return exception;
    }

    @SuppressWarnings({"unchecked", "NullAway"})
    private T unmask(@Nullable Object end) {
        return (T) (end == NULL ? null : end); // null where the task returned it
    }

    /**
     * A kill that does not wait; true unless it had ended before. What {@code mayInterruptIfRunning} says is not asked: a
     * greenlet is always told. One that cancels itself ends at its next wait.
     */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (outcome != null) {
            return false;
        }
        GreenletExit exit = new GreenletExit("cancelled");
        if (Fiber.current() == fiber) {
            deliver(exit); // at its next wait: cancel() throws nothing
        } else {
            kill(exit, false, Duration.ZERO);
        }
        return true;
    }

    @Override
    public boolean isCancelled() {
        return outcome instanceof Ended ended && ended.killed();
    }

    @Override
    public boolean isDone() {
        return outcome != null;
    }

    @Override
    public T resultNow() {
        Object end = outcome;
        if (end == null) {
            throw new IllegalStateException(this + " has not ended");
        }
        if (end instanceof Ended ended) {
            throw new IllegalStateException(this + (ended.killed() ? " was killed" : " failed"), ended.cause());
        }
        return unmask(end);
    }

    @Override
    public Throwable exceptionNow() {
        if (outcome instanceof Ended ended && !ended.killed()) {
            return ended.cause();
        }
        throw new IllegalStateException(this + (outcome == null ? " has not ended" : " did not fail"));
    }

    @Override
    public State state() {
        Object end = outcome;
        if (end == null) {
            return State.RUNNING;
        }
        return !(end instanceof Ended ended) ? State.SUCCESS : ended.killed() ? State.CANCELLED : State.FAILED;
    }

    /**
     * A {@link CompletableFuture} that is completed when it ends: with its result, its error, or, if it was killed, as
     * cancelled. Cancelling the future kills the greenlet; cancelling what depends on the future does not.
     *
     * {@snippet :
     * CompletableFuture<Page> page = spawn(() -> fetch(url)).toCompletableFuture();
     * client.sendAsync(request, ofString()).thenCombine(page, this::render);
     * }
     *
     * <p>What depends on it runs in a new greenlet of this hub, as a {@link #link} does. Each call gives another future.
     */
    public CompletableFuture<T> toCompletableFuture() {
        return new Bridges.OfGreenlet<>(this);
    }

    // --- kill

    /**
     * Ends it: {@link GreenletExit} is thrown at the wait it is in, or at the next one it comes to. Returns when it is dead.
     *
     * <p>One that has not run yet never will. One that has ended stays as it is. One that catches the exception lives on,
     * and then this waits for it; one that never waits never notices.
     *
     * <p>In Loomlet's own waits nothing is lost: no connection is closed, no item and no permit taken. In a wait of the
     * JDK the kill arrives as an interrupt, with what the JDK does on interrupt (a JDK socket is closed, say).
     *
     * <p>A greenlet that kills itself gets the exception at once.
     */
    public void kill() {
        kill(new GreenletExit("killed"), true, Durations.FOREVER);
    }

    /**
     * {@link #kill()} that waits at most so long.
     *
     * @return whether it is dead
     */
    public boolean kill(Duration timeout) {
        return kill(new GreenletExit("killed"), true, timeout);
    }

    /**
     * Throws an exception of your choice into it.
     *
     * @param cause what to throw; anything but a {@link GreenletExit} makes the greenlet fail, if it leaves it
     * @param block whether to wait until it is dead
     * @param timeout longest time to wait
     * @return whether it is dead
     */
    public boolean kill(Throwable cause, boolean block, Duration timeout) {
        if (outcome != null) {
            return true;
        }
        if (Recording.on()) {
            Recording.killed(hub.name(), name(), cause);
        }
        if (Fiber.current() == fiber) {
            throw Waits.<RuntimeException>sneak(cause);
        }
        Loop loop = hub.loop();
        if (loop.onLoop()) {
            if (!deliver(cause)) {
                interrupt();
            }
        } else {
            boolean posted = loop.post(() -> {
                if (!deliver(cause)) {
                    hub.spawnQuietly(this::interrupt);
                }
            });
            if (!posted) {
                abandon(cause); // its hub is closed: it will never run, and nobody else ends it
            }
        }
        return block ? Waits.untilEnd(this, Durations.nanos(timeout)) : outcome != null;
    }

    /** On the loop. False if only an interrupt can reach it, which must not come from the bare loop. */
    boolean deliver(Throwable cause) {
        if (outcome != null) {
            return true;
        }
        killedBy = cause;
        if (!entered) {
            forgetDelay();
            if (!started) {
                releaseId(); // else its first turn does, which it still has
            }
            if (!(cause instanceof GreenletExit)) {
                hub.spawnQuietly(() -> hub.report(this, cause));
            }
            end(new Ended(cause));
            return true;
        }
        return fiber.raise(cause);
    }

    /** In a greenlet or on the hub's own thread: the interrupt may run code of the program. */
    void interrupt() {
        if (outcome == null) {
            fiber.poke();
        }
    }

    // --- links

    /** What a link is told. */
    private final class Callback extends Links.Link {
        final Consumer<? super Greenlet<T>> callback;
        final boolean onValue;
        final boolean onError;

        Callback(Consumer<? super Greenlet<T>> callback, boolean onValue, boolean onError) {
            this.callback = callback;
            this.onValue = onValue;
            this.onError = onError;
        }

        @Override
        boolean flies() { // asked when the end has come
            return successful() ? onValue : onError;
        }

        @Override
        void ended() {
            if (flies()) {
                hub.spawnQuietly(() -> {
                    if (!dead) { // unlinked after the end but before its turn
                        landed(this);
                        callback.accept(Greenlet.this);
                    }
                });
            }
        }
    }

    /**
     * Calls {@code callback} when it ends, in a new greenlet of the same hub; at once if it has ended. Several links are
     * called in the order in which they were made; an error in one is reported and concerns no other.
     */
    public void link(Consumer<? super Greenlet<T>> callback) {
        add(new Callback(callback, true, true));
    }

    /** As {@link #link}, only if it ends well. */
    public void linkValue(Consumer<? super Greenlet<T>> callback) {
        add(new Callback(callback, true, false));
    }

    /** As {@link #link}, only if it fails. */
    public void linkException(Consumer<? super Greenlet<T>> callback) {
        add(new Callback(callback, false, true));
    }

    /** Takes back every link with that callback. One that was not called yet will not be. */
    public void unlink(Consumer<? super Greenlet<T>> callback) {
        removeLinks(each -> each instanceof Greenlet<?>.Callback link && link.callback == callback);
    }

    /** Takes back every link made with {@code link}, {@code linkValue} or {@code linkException}. */
    public void unlinkAll() {
        removeLinks(each -> each instanceof Greenlet<?>.Callback);
    }

    /** Whether anybody, a link or a wait, will be told of its end. */
    public boolean hasLinks() {
        return !noLinks();
    }

    /** Takes back one link. */
    void remove(Links.Link link) {
        removeLinks(each -> each == link);
    }

    /** Tells a wait for several things. */
    private final class Ending extends Watchable implements Waitable.Signal {
        @Override
        public boolean isReady() {
            return ready();
        }

        @Override
        public boolean watch(Watcher watcher) {
            if (ready()) {
                return false;
            }
            Links.Link link = new Links.Link() {
                @Override
                void ended() {
                    watcher.told();
                }
            };
            watcher.link = link;
            add(link);
            return true;
        }

        @Override
        public void unwatch(Watcher watcher) {
            if (watcher.link instanceof Links.Link link && !ready()) {
                remove(link);
            }
        }
    }

    /** Its inside, for the library. */
    @Override
    public Signal signal() {
        return new Ending();
    }

    /** A case for {@link Loomlet#select}: it has ended. Gives {@link Selected.Ready}. */
    public Case<Selected> ended() {
        return waiting();
    }

    // --- who it is

    /** Its hub. */
    public Hub hub() {
        return hub;
    }

    /** Its thread, a virtual one: what {@code Thread.currentThread()} is inside. */
    public Thread thread() {
        return fiber.thread();
    }

    /** Its name, which is also its thread's, except that all threads of a server's connections are called alike. */
    public String name() {
        return name.toString();
    }

    /**
     * A small number that no other living greenlet of the hub has; numbers of dead ones are used again. -1 for one that
     * another thread spawned or that was given a name.
     */
    public int id() {
        return id;
    }

    /** Where it was spawned: the frame of the program that asked for it. */
    public Optional<StackTraceElement> spawnSite() {
        return site == null ? Optional.empty() : site.top();
    }

    /** The greenlet that spawned it, while that one lives. */
    public Optional<Greenlet<?>> spawner() {
        return spawner != null && !spawner.done() && spawner.owner() instanceof Greenlet<?> greenlet
                ? Optional.of(greenlet) : Optional.empty();
    }

    /**
     * Its stack, or nothing if it has not begun or has ended; or if another thread asks while the body of a coroutine or
     * generator runs in it, which JDK 25 may not survive.
     */
    public List<StackTraceElement> stackTrace() {
        return List.of(fiber.stackTrace());
    }

    /** What it waits for, if it is in a wait of Loomlet's. For people. */
    Optional<Waiter> waitsOn() {
        return Optional.ofNullable(fiber.waiting());
    }

    @Override
    public String toString() {
        Object end = outcome;
        String state = end == null
                ? (started ? (entered ? "" : " scheduled") : " new")
                : end instanceof Ended ended ? (ended.killed() ? " killed" : " failed") : " ended";
        return "Greenlet " + name + state + " (spawned at " + site + ")";
    }
}
