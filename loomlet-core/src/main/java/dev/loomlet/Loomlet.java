package dev.loomlet;

import dev.loomlet.internal.loop.Alternative;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Selection;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

/**
 * The verbs. Import them statically and a program reads as it would in Python:
 *
 * {@snippet :
 * import static dev.loomlet.Loomlet.*;
 *
 * var egon = spawn(() -> eat("egon"));
 * var lily = spawn(() -> play("lily"));
 * joinAll(egon, lily);
 * }
 *
 * <p>They act on the hub of the calling thread, which the first of them makes if there is none. In a greenlet a wait parks
 * it; on the hub's own thread it runs the hub until it is satisfied. A killed greenlet gets {@link GreenletExit} out of any
 * of them that waits, and so does a thread that is interrupted.
 *
 * <p>gevent's module-level functions.
 */
public final class Loomlet {
    private Loomlet() {}

    /**
     * Makes a greenlet and schedules it. It runs when the caller next waits, after those that are ready already.
     *
     * @param task what it does; what it returns becomes its {@link Greenlet#value}
     */
    public static <T> Greenlet<T> spawn(Callable<T> task) {
        return Hub.current().spawn(task);
    }

    /** As {@link #spawn(Callable)}, without a result. */
    public static Greenlet<Void> spawn(Action task) {
        return Hub.current().spawn(task);
    }

    /** As {@link #spawn(Callable)}, with a name, which its thread gets as well. */
    public static <T> Greenlet<T> spawn(String name, Callable<T> task) {
        return Hub.current().spawn(name, task);
    }

    /** As {@link #spawn(Action)}, with a name, which its thread gets as well. */
    public static Greenlet<Void> spawn(String name, Action task) {
        return Hub.current().spawn(name, task);
    }

    /** Makes a greenlet that is scheduled after a time. Killed before, it never runs. */
    public static <T> Greenlet<T> spawnLater(Duration after, Callable<T> task) {
        return Hub.current().spawnLater(after, task);
    }

    /** As {@link #spawnLater(Duration, Callable)}, without a result. */
    public static Greenlet<Void> spawnLater(Duration after, Action task) {
        return Hub.current().spawnLater(after, task);
    }

    /**
     * Runs {@code task} as a greenlet and waits for it: the code in it can be killed, timed out, and does not hold up the
     * others when it blocks in the JDK, as the code of the hub's own thread would.
     *
     * @return what the task returns
     * @throws Exception what the task throws
     */
    public static <T> T run(Callable<T> task) throws Exception {
        return Fiber.current() != null ? task.call() : result(Hub.current().unstarted(task));
    }

    /** As {@link #run(Callable)}, without a result. */
    public static void run(Action task) throws Exception {
        if (Fiber.current() != null) {
            task.run();
        } else {
            result(Hub.current().unstarted(task));
        }
    }

    private static <T> T result(Greenlet<T> greenlet) {
        greenlet.quiet().start();
        greenlet.join();
        var error = greenlet.exception();
        if (error.isPresent()) {
            throw Waits.<RuntimeException>sneak(error.get());
        }
        return greenlet.value();
    }

    /** Waits until all have ended. Their errors are theirs: nothing is thrown. */
    public static void joinAll(Greenlet<?>... greenlets) {
        joinAll(List.of(greenlets));
    }

    /**
     * Waits until all have ended.
     *
     * @return them, in the order in which they ended
     */
    public static <G extends Greenlet<?>> List<G> joinAll(Collection<? extends G> greenlets) {
        return Waits.joinAll(greenlets, -1, false, Integer.MAX_VALUE);
    }

    /**
     * Waits until all have ended, at most so long.
     *
     * @return those that have, in the order in which they ended
     */
    public static <G extends Greenlet<?>> List<G> joinAll(Collection<? extends G> greenlets, Duration timeout) {
        return Waits.joinAll(greenlets, Durations.nanos(timeout), false, Integer.MAX_VALUE);
    }

    /**
     * Waits until {@code count} have ended, at most so long.
     *
     * @param raiseError whether to throw the first error at once, as {@link Greenlet#value} does; the others run on
     * @return those that have ended, in the order in which they did, at most {@code count}
     */
    public static <G extends Greenlet<?>> List<G> joinAll(
            Collection<? extends G> greenlets, Duration timeout, boolean raiseError, int count) {
        return Waits.joinAll(greenlets, Durations.nanos(timeout), raiseError, count);
    }

    /** Kills all at once and waits until they are dead. */
    public static void killAll(Collection<? extends Greenlet<?>> greenlets) {
        killAll(greenlets, Durations.FOREVER);
    }

    /**
     * Kills all at once and waits until they are dead, at most so long.
     *
     * @return whether they are
     */
    public static boolean killAll(Collection<? extends Greenlet<?>> greenlets, Duration timeout) {
        Greenlet<?> self = null;
        for (Greenlet<?> each : greenlets) {
            if (each.fiber() == Fiber.current()) {
                self = each; // last, since it gets the exception at once
            } else {
                each.kill(new GreenletExit("killed"), false, Duration.ZERO);
            }
        }
        if (self != null) {
            self.kill();
        }
        joinAll(greenlets, timeout);
        return greenlets.stream().allMatch(Greenlet::ready);
    }

    /**
     * Waits for a time. Zero or less gives way once: all that is ready runs first.
     *
     * @param time rounded up to the clock of the poller, about a millisecond
     */
    public static void sleep(Duration time) {
        if (time.isZero() || time.isNegative()) {
            yieldNow();
            return;
        }
        try {
            new Waiter(time).await(Durations.nanos(time));
        } catch (InterruptedException e) {
            throw Waits.interrupted(e);
        }
    }

    /** Gives way once: every greenlet that is ready runs before this returns. */
    public static void yieldNow() {
        Fiber fiber = Fiber.current();
        if (fiber != null) {
            fiber.checkPending();
            Thread.yield();
            fiber.checkPending();
            return;
        }
        Optional<Hub> hub = Hub.ifPresent();
        if (hub.isEmpty()) {
            Thread.yield(); // there is nobody to let run, and no need to make a hub for it
            return;
        }
        Waiter waiter = new Waiter("its next turn");
        hub.get().loop().later(() -> waiter.resume(null));
        pause(waiter, -1);
    }

    /** Waits until the hub has nothing else to do: no greenlet ready, nothing due, nothing to read. */
    public static void idle() {
        Optional<Hub> hub = Hub.ifPresent();
        if (hub.isEmpty()) {
            return;
        }
        Waiter waiter = new Waiter("an idle moment");
        hub.get().loop().whenIdle(waiter);
        pause(waiter, -1);
    }

    // --- several things at once

    /**
     * Waits until all are ready.
     *
     * @return them, in the order in which they became so
     */
    public static <W extends Waitable> List<W> waitAll(Collection<? extends W> objects) {
        return Arrivals.wait(objects, -1, Integer.MAX_VALUE);
    }

    /**
     * Waits until all are ready, at most so long.
     *
     * @return those that are, in the order in which they became so
     */
    public static <W extends Waitable> List<W> waitAll(Collection<? extends W> objects, Duration timeout) {
        return Arrivals.wait(objects, Durations.nanos(timeout), Integer.MAX_VALUE);
    }

    /**
     * Waits until {@code count} are ready, at most so long.
     *
     * @return those that are, in the order in which they became so, at most {@code count}
     */
    public static <W extends Waitable> List<W> waitSome(
            Collection<? extends W> objects, Duration timeout, int count) {
        return Arrivals.wait(objects, Durations.nanos(timeout), count);
    }

    /**
     * Waits until one is ready.
     *
     * @return the first that was
     * @throws IllegalArgumentException if there is nothing to wait for
     */
    public static <W extends Waitable> W waitAny(Collection<? extends W> objects) {
        if (objects.isEmpty()) {
            throw new IllegalArgumentException("nothing to wait for");
        }
        return Arrivals.<W>wait(objects, -1, 1).getFirst();
    }

    /**
     * Waits until one is ready, at most so long.
     *
     * @return the first that was, or nothing if the time is over
     */
    public static <W extends Waitable> Optional<W> waitAny(Collection<? extends W> objects, Duration timeout) {
        return Arrivals.<W>wait(objects, Durations.nanos(timeout), 1).stream().findFirst();
    }

    /**
     * Goes through them as they become ready.
     *
     * {@snippet :
     * try (var done = asCompleted(downloads)) {
     *     for (Greenlet<Page> each : done) {
     *         index(each.value());
     *     }
     * }
     * }
     */
    public static <W extends Waitable> Completions<W> asCompleted(Collection<? extends W> objects) {
        return new Completions<>(new Arrivals<>(objects, -1));
    }

    /** The same for at most so long in all: then it just ends. */
    public static <W extends Waitable> Completions<W> asCompleted(
            Collection<? extends W> objects, Duration timeout) {
        return new Completions<>(new Arrivals<>(objects, Durations.nanos(timeout)));
    }

    /**
     * Waits until one of several things can be done, and does it: exactly one. If several can be done at once, each has
     * the same chance.
     *
     * {@snippet :
     * switch (select(jobs.receiving(), stop.waiting(), after(ofSeconds(1)))) {
     *     case Received(Job job) -> work(job);
     *     case Ready _ -> goHome();
     *     case Elapsed _ -> lookAround();
     *     default -> throw new IllegalStateException();
     * }
     * }
     *
     * or, with types and without a switch,
     *
     * {@snippet :
     * String what = select(
     *         jobs.receiving(job -> "job " + job.number()),
     *         stop.waiting().then(_ -> "stop"),
     *         after(ofSeconds(1)).then(_ -> "nothing"));
     * }
     *
     * <p>A kill or a timeout that meets it in its wait leaves nothing behind: no item was taken, and none sent.
     * {@code after(Duration.ZERO)} makes it try and not wait. {@code -Dloomlet.select.seed=42} makes the choices of each hub
     * the same in every run.
     *
     * <p>Go's {@code select}; John Reppy's choice of events in Concurrent ML.
     *
     * @return the result of the case that was done
     * @throws IllegalArgumentException if there is no case
     */
    @SafeVarargs
    @SuppressWarnings({"unchecked", "NullAway"}) // each case gives an R
    public static <R> R select(Case<? extends R>... cases) {
        if (cases.length == 0) {
            throw new IllegalArgumentException("nothing to select from");
        }
        Alternative[] inside = new Alternative[cases.length];
        for (int i = 0; i < cases.length; i++) {
            inside[i] = MappedCase.inside(cases[i]);
        }
        try {
            return (R) Selection.select(inside, inside.length == 1 ? inside[0] : List.of(inside));
        } catch (InterruptedException e) {
            throw Waits.interrupted(e);
        }
    }

    /** A case for {@link #select}: nothing else came in time. Gives {@link Selected.Elapsed}. */
    public static Case<Selected> after(Duration time) {
        return new AfterCase(time);
    }

    // --- the JDK's futures

    /**
     * Waits for a stage of somebody else's, and gives its result. In a greenlet this parks it; on the hub's own thread it
     * runs the hub meanwhile, which the stage's own {@code join} would not.
     *
     * {@snippet :
     * HttpResponse<String> response = await(client.sendAsync(request, ofString()));
     * }
     *
     * <p>What it failed with is thrown, out of its wrapping: unchecked exceptions and errors as they are, checked ones in a
     * {@link java.util.concurrent.CompletionException}. A kill or a timeout ends the wait and leaves the stage alone, since
     * others may wait for it as well.
     *
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public static <T> T await(CompletionStage<T> stage) {
        return Bridges.await(stage);
    }

    /** As {@link #await(CompletionStage)}. */
    public static <T> T await(CompletableFuture<T> future) {
        return Bridges.await((CompletionStage<T>) future);
    }

    /** As {@link #await(CompletionStage)}, for any future: a job of an executor, say. */
    public static <T> T await(Future<T> future) {
        return Bridges.await(future);
    }

    // --- timeouts

    /**
     * Runs {@code task} and has it stopped if it takes too long: {@link TimeoutExpired} is then thrown at the wait it is
     * in, comes out of it and out of here. See {@link Timeout} for what that means for code that does not wait, for waits
     * of the JDK and for timeouts inside timeouts.
     *
     * {@snippet :
     * Page page = withTimeout(ofSeconds(3), () -> fetch(url));
     * }
     *
     * @return what the task returns
     * @throws TimeoutExpired if it took too long; its message says where it was
     * @throws X what the task throws
     */
    public static <T, X extends Throwable> T withTimeout(
            Duration timeout, ScopedValue.CallableOp<? extends T, X> task) throws X {
        Timeout running = Timeout.after(timeout);
        try {
            return task.call();
        } catch (Throwable t) {
            throw Waits.<RuntimeException>sneak(running.verdict(t));
        } finally {
            running.close();
        }
    }

    /**
     * The same with a result for when it took too long. It stands in only for this timeout: the expiry of another one
     * around it goes through.
     *
     * @return what the task returns, or {@code otherwise}
     */
    public static <T, X extends Throwable> T withTimeout(
            Duration timeout, ScopedValue.CallableOp<? extends T, X> task, T otherwise) throws X {
        Timeout running = Timeout.after(timeout);
        try {
            return task.call();
        } catch (Throwable t) {
            Throwable verdict = running.verdict(t);
            if (running.isMine(verdict)) {
                return otherwise;
            }
            throw Waits.<RuntimeException>sneak(verdict);
        } finally {
            running.close();
        }
    }

    private static void pause(Waiter waiter, long nanos) {
        try {
            waiter.await(nanos);
        } catch (InterruptedException e) {
            throw Waits.interrupted(e);
        }
    }

    /** The greenlet that runs this code, if it is one. */
    public static Optional<Greenlet<?>> current() {
        Fiber fiber = Fiber.current();
        return fiber != null && fiber.owner() instanceof Greenlet<?> greenlet ? Optional.of(greenlet)
                : Optional.empty();
    }
}
