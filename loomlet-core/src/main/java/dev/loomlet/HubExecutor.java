package dev.loomlet;

import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Wrapper;
import dev.loomlet.pool.Group;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * {@link Hub#executor()}. Nothing of {@link AbstractExecutorService}'s own waiting is left: it blocks the thread, which on a
 * hub's own thread would keep the tasks from running.
 */
final class HubExecutor extends AbstractExecutorService implements ScheduledExecutorService {
    private final Hub hub;
    private final Group tasks;
    private final ConcurrentLinkedQueue<Greenlet<?>> periodic = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Waiter> forShutdown = new ConcurrentLinkedQueue<>();
    private volatile boolean shutdown;

    HubExecutor(Hub hub) {
        this.hub = hub;
        this.tasks = new Group(hub);
    }

    /** A task: begun by its greenlet, or handed back by {@link #shutdownNow}, whichever is first. */
    private static final class Task<T> implements Callable<T>, Wrapper {
        private static final VarHandle CLAIMED;

        static {
            try {
                CLAIMED = MethodHandles.lookup().findVarHandle(Task.class, "claimed", boolean.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final Object written; // by the program
        private final Callable<T> body;
        private volatile boolean claimed;

        Task(Object written, Callable<T> body) {
            this.written = Objects.requireNonNull(written);
            this.body = body;
        }

        boolean claim() {
            return CLAIMED.compareAndSet(this, false, true);
        }

        @Override
        public T call() throws Exception {
            if (!claim()) {
                throw new GreenletExit("its executor was shut down");
            }
            return body.call();
        }

        @Override
        public Object wrapped() {
            return written;
        }

        Runnable asRunnable() {
            return written instanceof Runnable runnable ? runnable : new Runnable() {
                @Override
                public void run() {
                    try {
                        var _ = body.call();
                    } catch (Exception e) {
                        throw Waits.<RuntimeException>sneak(e);
                    }
                }
            };
        }
    }

    private static <T extends @Nullable Object> Task<T> task(Runnable written, T result) {
        return new Task<>(written, () -> {
            written.run();
            return result;
        });
    }

    @SuppressWarnings("NullAway") // there is no other Void
    private static Task<Void> task(Runnable written) {
        return task(written, null);
    }

    private <T extends @Nullable Object> Greenlet<T> member(Task<T> task) {
        if (shutdown) {
            throw refused();
        }
        Greenlet<T> greenlet = hub.unstarted(task);
        tasks.add(greenlet);
        if (shutdown) { // after the adding: either we see the shutdown, or who waits for the end sees us
            tasks.discard(greenlet);
            throw refused();
        }
        return greenlet;
    }

    private RejectedExecutionException refused() {
        return new RejectedExecutionException(this + " was shut down");
    }

    private <T extends @Nullable Object> Greenlet<T> start(Task<T> task) {
        Greenlet<T> greenlet = member(task).quiet();
        start(greenlet);
        return greenlet;
    }

    private void start(Greenlet<?> greenlet) {
        try {
            greenlet.start();
        } catch (IllegalStateException e) {
            tasks.discard(greenlet);
            throw new RejectedExecutionException(e.getMessage(), e);
        }
    }

    @Override
    public void execute(Runnable task) {
        start(member(task(task)));
    }

    @Override
    public Future<?> submit(Runnable task) {
        return start(task(task));
    }

    @Override
    public <T> Future<T> submit(Runnable task, T result) {
        return start(task(task, result));
    }

    @Override
    public <T> Future<T> submit(Callable<T> task) {
        return start(new Task<>(task, task));
    }

    // --- many at once

    @Override
    public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> all) throws InterruptedException {
        return invokeAll(all, -1);
    }

    @Override
    public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> all, long timeout, TimeUnit unit)
            throws InterruptedException {
        return invokeAll(all, Math.max(0, unit.toNanos(timeout)));
    }

    private <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> all, long nanos)
            throws InterruptedException {
        List<Greenlet<T>> greenlets = new ArrayList<>(all.size());
        try {
            for (Callable<T> each : all) {
                greenlets.add(start(new Task<>(each, each)));
            }
            interruptibly(() -> Waits.joinAll(greenlets, nanos, false, Integer.MAX_VALUE));
            return List.copyOf(greenlets);
        } finally {
            for (Greenlet<T> each : greenlets) {
                each.cancel(true);
            }
        }
    }

    /** What {@link Waits} made of an interrupt, as this interface declares it. */
    private static <T> T interruptibly(java.util.function.Supplier<T> wait) throws InterruptedException {
        try {
            return wait.get();
        } catch (GreenletExit e) {
            if (e.getCause() instanceof InterruptedException interrupt) {
                throw interrupt;
            }
            throw e;
        }
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> all) throws InterruptedException, ExecutionException {
        Any<T> any = new Any<>(all.size());
        any.await(all, -1);
        return any.result();
    }

    @Override
    public <T> T invokeAny(Collection<? extends Callable<T>> all, long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        Any<T> any = new Any<>(all.size());
        if (!any.await(all, Math.max(0, unit.toNanos(timeout)))) {
            throw new TimeoutException("none of " + all.size() + " tasks has succeeded after " + timeout + " "
                    + unit.name().toLowerCase(java.util.Locale.ROOT));
        }
        return any.result();
    }

    /** The first of many to succeed, or the failure of all. */
    private final class Any<T> {
        private final Waiter waiter = new Waiter("the first of several tasks to succeed");
        private final AtomicInteger left;
        private final List<Greenlet<T>> greenlets = new ArrayList<>();

        Any(int count) {
            if (count == 0) {
                throw new IllegalArgumentException("none of no tasks can succeed");
            }
            left = new AtomicInteger(count);
        }

        boolean await(Collection<? extends Callable<T>> all, long nanos) throws InterruptedException {
            try {
                for (Callable<T> each : all) {
                    Greenlet<T> greenlet = start(new Task<>(each, each));
                    greenlets.add(greenlet);
                    greenlet.add(new Links.Link() {
                        @Override
                        void ended() {
                            boolean last = left.decrementAndGet() == 0;
                            if (greenlet.state() == Future.State.SUCCESS || last) {
                                waiter.resume(greenlet);
                            }
                        }
                    });
                }
                return waiter.await(nanos);
            } finally {
                for (Greenlet<T> each : greenlets) {
                    each.cancel(true);
                }
            }
        }

        @SuppressWarnings("unchecked")
        T result() throws ExecutionException, InterruptedException {
            Greenlet<T> first = (Greenlet<T>) Objects.requireNonNull(waiter.value());
            if (first.state() == Future.State.CANCELLED) {
                throw new ExecutionException("all tasks were killed", first.exit().orElseThrow());
            }
            return first.get();
        }
    }

    // --- later

    private static final class Scheduled<T extends @Nullable Object> implements ScheduledFuture<T> {
        private final Greenlet<T> greenlet;
        private volatile long due;

        Scheduled(Greenlet<T> greenlet, long due) {
            this.greenlet = greenlet;
            this.due = due;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            return greenlet.cancel(mayInterruptIfRunning);
        }

        @Override
        public boolean isCancelled() {
            return greenlet.isCancelled();
        }

        @Override
        public boolean isDone() {
            return greenlet.isDone();
        }

        @Override
        public T get() throws InterruptedException, ExecutionException {
            return greenlet.get();
        }

        @Override
        public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            return greenlet.get(timeout, unit);
        }

        @Override
        public String toString() {
            return "Scheduled " + greenlet;
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        return later(task(task), unit.toNanos(delay));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        return later(new Task<>(task, task), unit.toNanos(delay));
    }

    private <T extends @Nullable Object> Scheduled<T> later(Task<T> task, long nanos) {
        Greenlet<T> greenlet = member(task).quiet();
        startLater(greenlet, nanos);
        return new Scheduled<>(greenlet, System.nanoTime() + nanos);
    }

    private void startLater(Greenlet<?> greenlet, long nanos) {
        try {
            greenlet.startLater(Duration.ofNanos(Math.max(0, nanos)));
        } catch (IllegalStateException e) {
            tasks.discard(greenlet);
            throw new RejectedExecutionException(e.getMessage(), e);
        }
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initialDelay, long period, TimeUnit unit) {
        return repeat(task, unit.toNanos(initialDelay), unit.toNanos(period), true);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long initialDelay, long delay, TimeUnit unit) {
        return repeat(task, unit.toNanos(initialDelay), unit.toNanos(delay), false);
    }

    private ScheduledFuture<?> repeat(Runnable task, long initialDelay, long period, boolean fixedRate) {
        if (period <= 0) {
            throw new IllegalArgumentException("a period must be more than nothing, not " + period + " ns");
        }
        Repeating repeating = new Repeating(task, System.nanoTime() + initialDelay, period, fixedRate);
        Greenlet<Void> greenlet = member(new Task<Void>(task, repeating)).quiet();
        Scheduled<Void> scheduled = new Scheduled<>(greenlet, repeating.due);
        repeating.future = scheduled;
        periodic.add(greenlet);
        greenlet.add(new Links.Link() {
            @Override
            void ended() {
                periodic.remove(greenlet);
            }
        });
        if (shutdown) {
            greenlet.kill(new GreenletExit("its executor was shut down"), false, Duration.ZERO);
        }
        startLater(greenlet, initialDelay);
        return scheduled;
    }

    /** One greenlet for all runs of a periodic task. */
    private final class Repeating implements Callable<Void> {
        private final Runnable task;
        private final long period;
        private final boolean fixedRate;
        private long due;
        private @Nullable Scheduled<Void> future;

        Repeating(Runnable task, long due, long period, boolean fixedRate) {
            this.task = task;
            this.due = due;
            this.period = period;
            this.fixedRate = fixedRate;
        }

        @Override
        @SuppressWarnings("NullAway") // there is no other Void
        public @Nullable Void call() {
            while (!shutdown) {
                task.run();
                due = (fixedRate ? due : System.nanoTime()) + period;
                if (future != null) {
                    future.due = due;
                }
                Loomlet.sleep(Duration.ofNanos(Math.max(0, due - System.nanoTime())));
            }
            throw new GreenletExit("its executor was shut down");
        }
    }

    // --- the end

    @Override
    public void shutdown() {
        beginShutdown();
        for (Greenlet<?> each : periodic) {
            each.kill(new GreenletExit("its executor was shut down"), false, Duration.ZERO);
        }
    }

    private void beginShutdown() {
        shutdown = true;
        Waiter waiter;
        while ((waiter = forShutdown.poll()) != null) {
            waiter.resume(null);
        }
    }

    @Override
    public List<Runnable> shutdownNow() {
        beginShutdown();
        List<Runnable> never = new ArrayList<>();
        for (Greenlet<?> each : tasks.members()) {
            if (each.task() instanceof Task<?> task && task.claim()) {
                never.add(task.asRunnable());
            }
            each.kill(new GreenletExit("its executor was shut down"), false, Duration.ZERO);
        }
        return never;
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown && tasks.isEmpty();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long end = System.nanoTime() + Math.max(0, unit.toNanos(timeout));
        if (!shutdown) {
            Waiter waiter = new Waiter("the shutdown of the " + this);
            forShutdown.add(waiter);
            try {
                if (!shutdown && !waiter.await(Math.max(0, end - System.nanoTime()))) {
                    return false;
                }
            } finally {
                forShutdown.remove(waiter);
            }
        }
        return interruptibly(() -> tasks.join(Duration.ofNanos(Math.max(0, end - System.nanoTime()))));
    }

    @Override
    public String toString() {
        return "executor of " + hub + ", " + tasks.size() + " tasks";
    }
}
