package dev.loomlet.pool;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.internal.loop.Away;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Real threads, for what would block the hub: native drivers, long computations, slow disks.
 *
 * {@snippet :
 * ThreadPool threads = hub.threadPool();                  // every hub has one, of 10 threads
 * List<Row> rows = threads.call(() -> sqlite.query(sql)); // only this greenlet waits
 * Greenlet<Image> image = threads.spawn(() -> decode(file));
 * }
 *
 * <p>Threads are started as they are needed, up to {@link #places}, and end after 5 seconds without work. They are daemons.
 * More jobs than threads wait for a place, first come, first served: {@code call} makes the caller wait, and so does
 * {@code spawn}, which keeps the number of jobs bounded.
 *
 * <p><b>What a job may do.</b> It runs on a thread that is no greenlet: it may block, and it must not touch what the hub's
 * greenlets share without locks. {@code call} in a job of the same pool runs the inner one right there.
 *
 * <p><b>Kill and timeout.</b> A greenlet that is killed while it waits for a place takes its job with it. Once the job
 * runs, the greenlet leaves at once and the job runs on, its thread still taken, unless {@link #interruptAbandoned} was set.
 * An error of a job that nobody waits for any more is logged.
 *
 * <p><b>Threads.</b> Every method may be called from any thread.
 *
 * <p>gevent's {@code gevent.threadpool.ThreadPool}.
 */
public final class ThreadPool implements AutoCloseable {
    private static final long IDLE_MILLIS = Long.getLong("loomlet.threadpool.idle", 5000);
    private static final ThreadLocal<@Nullable ThreadPool> POOL_OF_THREAD = new ThreadLocal<>();

    private final Hub hub;
    private final Group spawned;
    private final Slots slots;
    private final LinkedTransferQueue<Work> queue = new LinkedTransferQueue<>();

    /**
     * Idle threads less jobs in the queue. Who adds a job takes one off, and if that makes it negative, nobody is there for
     * the job: a thread is started. A thread adds one whenever it becomes idle, and takes it off before it ends for want of
     * work; if it cannot, somebody has counted on it, and a job is coming.
     */
    private final AtomicInteger spare = new AtomicInteger();

    private final Work goHome = () -> {}; // ends the thread that takes it
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicInteger numbers = new AtomicInteger();
    private volatile int places;
    private volatile boolean interrupt;
    private volatile boolean closed;

    /**
     * A pool for the hub of the calling thread.
     *
     * @param places how many threads it may have
     */
    public ThreadPool(int places) {
        this(places, Hub.current());
    }

    /** A pool for {@code hub}: its {@link #spawn} makes greenlets there. */
    public ThreadPool(int places, Hub hub) {
        this.places = check(places);
        this.hub = hub;
        this.spawned = new Group(hub);
        this.slots = new Slots(places, new Busy(this));
    }

    /** What somebody waits for who wants a thread. */
    private record Busy(ThreadPool pool) {
        @Override
        public String toString() {
            return "a place in the " + pool;
        }
    }

    private static int check(int places) {
        if (places < 1) {
            throw new IllegalArgumentException("a pool of " + places + " threads would do nothing for ever");
        }
        return places;
    }

    // --- size

    /** How many threads it may have. */
    public int places() {
        return places;
    }

    /** Changes how many threads it may have. When they become fewer, those that work end their jobs first. */
    public synchronized void resize(int newPlaces) {
        int change = check(newPlaces) - places;
        places = newPlaces;
        slots.change(change);
    }

    /** How many threads it has now. */
    public int threads() {
        return threads.get();
    }

    /** How many more jobs it could begin now. */
    public int free() {
        return slots.free();
    }

    /** Whether another job would have to wait for a place. */
    public boolean full() {
        return slots.free() == 0 || slots.anybodyWaits();
    }

    /** Whether a job is interrupted when the greenlet that waits for it is killed or timed out. At first it is not. */
    public ThreadPool interruptAbandoned(boolean interruptAbandoned) {
        interrupt = interruptAbandoned;
        return this;
    }

    // --- jobs

    /**
     * Runs a job on a thread of the pool; the caller waits, the hub does not.
     *
     * @return what the job returns
     * @throws Exception what the job throws
     * @throws IllegalStateException if the pool is closed
     */
    public <T> T call(Callable<T> job) throws Exception {
        if (POOL_OF_THREAD.get() == this) {
            return job.call();
        }
        checkOpen();
        slots.take(-1);
        return new Job<>(job).await();
    }

    /** As {@link #call(Callable)}, without a result. */
    public void call(Action job) throws Exception {
        call(new ActionJob(job));
    }

    /**
     * The calling greenlet itself moves to a thread of the pool, until the stay is closed; its hub goes on without it.
     *
     * {@snippet :
     * try (var stay = hub.threadPool().enter()) {
     *     result = library.blockingNativeCall(); // still in this greenlet, with its locks and thread locals
     * }
     * }
     *
     * <p>Unlike {@link #call(Callable)} it changes neither the current thread nor who holds which lock, so it goes round code
     * that was written for its caller's thread: it is what offloading rules do ({@link dev.loomlet.Offload}). What runs
     * inside runs beside the other greenlets of the hub and must not touch what they share.
     *
     * <p>Waits for a place where need be. On a thread that is no greenlet, in a stay already, and where the greenlet cannot
     * be moved (a native method has called it, or a class is being initialised), it stays where it is.
     *
     * <p><b>Kill and timeout</b> end the wait for a place. After that they do not reach the greenlet before it is back: they
     * are thrown at its next wait, and to enter again is one, whether there is a place or not. Waits inside are those of a
     * thread without a hub.
     *
     * @throws IllegalStateException if the pool is closed
     */
    public Stay enter() {
        Fiber fiber = Fiber.current();
        if (fiber == null) {
            return Stay.NOWHERE;
        }
        checkOpen();
        fiber.checkPending(); // now: a call that is under way cannot be ended, and one that is over has a result
        slots.take(-1);
        Away away = null;
        try {
            away = Away.leave(this::carry, slots::giveBack);
        } finally {
            if (away == null) {
                slots.giveBack();
            }
        }
        if (away == null) {
            return Stay.NOWHERE;
        }
        Stay stay = new Stay();
        stay.away = away;
        return stay;
    }

    /**
     * Begins a job, once there is a place for it.
     *
     * @return a greenlet that waits for the job: to be joined, linked and killed as any other
     * @throws IllegalStateException if the pool is closed
     */
    public <T> Greenlet<T> spawn(Callable<T> job) {
        checkOpen();
        slots.take(-1);
        Job<T> placed = new Job<>(job);
        try {
            Greenlet<T> greenlet = spawned.spawn(new JobTask<>(placed, job));
            // Killed before its first turn, it never gets to hand the job in.
            Greenlets.inside().whenEnded(greenlet, placed::withdraw);
            return greenlet;
        } catch (Throwable t) {
            placed.withdraw();
            throw t;
        }
    }

    /** As {@link #spawn(Callable)}, without a result. */
    public Greenlet<Void> spawn(Action job) {
        return spawn(new ActionJob(job));
    }

    /** As {@link Group#map}, with the function running on threads of the pool. */
    public <A, R> List<R> map(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return spawned.map(inputs, new OnThread<A, R>(this, function));
    }

    /** As {@link Group#mapOrdered(Iterable, Mapper)}, with the function running on threads of the pool. */
    public <A, R> Results<R> mapOrdered(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return spawned.mapOrdered(inputs, new OnThread<A, R>(this, function), 2 * places);
    }

    /** As {@link Group#mapUnordered(Iterable, Mapper)}, with the function running on threads of the pool. */
    public <A, R> Results<R> mapUnordered(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return spawned.mapUnordered(inputs, new OnThread<A, R>(this, function), 2 * places);
    }

    /** Waits until all jobs that were spawned have ended. */
    public void join() {
        spawned.join();
    }

    /**
     * Waits until all jobs that were spawned have ended, at most so long.
     *
     * @return whether there was a moment without one
     */
    public boolean join(Duration timeout) {
        return spawned.join(timeout);
    }

    /** Kills all greenlets made by {@code spawn} and {@code map}; for what that means for their jobs, see above. */
    public void kill() {
        spawned.kill();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the " + this + " is closed");
        }
    }

    /** Something for a thread of the pool to do. Tells {@link #spare} when it has done it. */
    private interface Work {
        /** On a thread of the pool. */
        void run();
    }

    /** A turn of a greenlet that has come to the pool. */
    private void carry(Runnable turn) {
        submit(() -> {
            turn.run();
            var _ = Thread.interrupted(); // of the greenlet, which takes it along
            spare.incrementAndGet();
        });
    }

    /**
     * A greenlet's stay on a thread of the pool, from {@link ThreadPool#enter} to {@link #close}. For the greenlet itself.
     */
    public static final class Stay implements AutoCloseable {
        private static final Stay NOWHERE = new Stay();
        private @Nullable Away away;

        private Stay() {}

        /** Whether the greenlet has left its hub; else its code runs where it ran before. */
        public boolean left() {
            return away != null;
        }

        /** Brings the greenlet back to its hub. Twice is harmless. */
        @Override
        public void close() {
            Away ends = away;
            if (ends != null) {
                away = null;
                ends.comeHome();
            }
        }
    }

    /**
     * A job that has a place.
     *
     * <pre>
     *   NEW ──a thread begins it──▶ RUNNING ──▶ DONE
     *    │                             └──its waiter left──▶ INTERRUPTING ──▶ INTERRUPTED
     *    └──its waiter left──▶ WITHDRAWN
     * </pre>
     *
     * Whoever takes it to its end gives the place back: the thread, or the waiter that withdraws it.
     */
    private final class Job<T> implements Work {
        private static final int NEW = 0;
        private static final int RUNNING = 1;
        private static final int DONE = 2;
        private static final int INTERRUPTING = 3;
        private static final int INTERRUPTED = 4;
        private static final int WITHDRAWN = 5;

        private final Callable<T> task;
        private final AtomicInteger state = new AtomicInteger(NEW);
        private @Nullable Waiter waiter;
        private volatile @Nullable Thread thread;
        private @Nullable Throwable error; // published by the waiter's end

        Job(Callable<T> task) {
            this.task = task;
        }

        @SuppressWarnings({"unchecked", "NullAway"}) // a job may return null
        T await() throws Exception {
            Waiter waiter = new Waiter(new Running(this));
            this.waiter = waiter;
            Loop loop = waiter.loop();
            if (loop != null) {
                loop.promise(); // while the job runs, the hub is not stuck
            }
            boolean left = true;
            try {
                submit(this);
                waiter.await(-1);
                left = false;
            } catch (InterruptedException e) {
                throw new GreenletExit(e);
            } finally {
                if (loop != null) {
                    loop.promiseKept();
                }
                if (left) {
                    leave();
                }
            }
            Throwable error = this.error;
            if (error != null) {
                throw Sneak.<RuntimeException>sneak(error);
            }
            return (T) waiter.value();
        }

        /** Nobody waits for it any more. */
        private void leave() {
            withdraw();
            if (interrupt && state.compareAndSet(RUNNING, INTERRUPTING)) {
                Objects.requireNonNull(thread).interrupt();
                state.set(INTERRUPTED);
            }
        }

        /** If it has not begun, it never will. */
        void withdraw() {
            if (state.compareAndSet(NEW, WITHDRAWN)) {
                slots.giveBack();
            }
        }

        @Override
        public void run() {
            thread = Thread.currentThread();
            if (!state.compareAndSet(NEW, RUNNING)) {
                spare.incrementAndGet();
                return;
            }
            T value = null;
            try {
                value = task.call();
            } catch (Throwable t) {
                error = t;
            }
            if (!state.compareAndSet(RUNNING, DONE)) {
                while (state.get() == INTERRUPTING) {
                    Thread.onSpinWait();
                }
            }
            var _ = Thread.interrupted(); // meant for this job
            spare.incrementAndGet(); // before anybody can come with the next one, so that it finds this thread
            slots.giveBack();
            Throwable failed = error;
            if (!Objects.requireNonNull(waiter).resume(value) && failed != null) {
                System.getLogger(ThreadPool.class.getName()).log(System.Logger.Level.WARNING,
                        "a job of the " + ThreadPool.this + " failed after the greenlet that waited for it had gone",
                        failed);
            }
        }
    }

    /** What somebody waits for whose job runs, or is about to. */
    private record Running(ThreadPool.Job<?> job) {
        @Override
        public String toString() {
            Thread thread = job.thread;
            return "a job on " + (thread == null ? "a thread of its pool" : "thread " + thread.getName());
        }
    }

    /** What the greenlet of a spawned job does. */
    private record JobTask<T>(ThreadPool.Job<T> job, Callable<T> written)
            implements Callable<T>, dev.loomlet.internal.loop.Wrapper {
        @Override
        public T call() throws Exception {
            return job.await();
        }

        @Override
        public Object wrapped() {
            return written instanceof ActionJob action ? action.action() : written;
        }
    }

    private record ActionJob(Action action) implements Callable<Void> {
        @Override
        @SuppressWarnings("NullAway") // there is no other Void
        public @Nullable Void call() throws Exception {
            action.run();
            return null;
        }
    }

    private record OnThread<A, R>(ThreadPool pool, Mapper<? super A, ? extends R> function)
            implements Mapper<A, R>, dev.loomlet.internal.loop.Wrapper {
        @Override
        public R apply(A input) throws Exception {
            return pool.call(() -> function.apply(input));
        }

        @Override
        public Object wrapped() {
            return function;
        }
    }

    // --- threads

    private void submit(Work job) {
        queue.add(job);
        if (spare.getAndDecrement() <= 0) {
            addThread();
        }
    }

    private void addThread() {
        for (;;) {
            int now = threads.get();
            if (now >= places) {
                return; // one of them will come for it: there is never a place for more jobs than threads
            }
            if (threads.compareAndSet(now, now + 1)) {
                break;
            }
        }
        Thread thread = new Thread(null, this::work, "loomlet-pool-" + hub.name() + "-" + numbers.incrementAndGet(), 0,
                false);
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (Throwable t) {
            threads.decrementAndGet();
            throw t;
        }
    }

    private void work() {
        POOL_OF_THREAD.set(this);
        spare.incrementAndGet();
        for (;;) {
            Work job = next();
            if (job == null) {
                threads.decrementAndGet();
                if (!queue.isEmpty() && !closed) {
                    addThread(); // it came between our last look and our end, when we still counted as a thread
                }
                return;
            }
            if (job == goHome) {
                threads.decrementAndGet();
                return;
            }
            job.run();
        }
    }

    private @Nullable Work next() {
        for (;;) {
            Work job = null;
            try {
                job = queue.poll(closed ? 0 : IDLE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                continue; // meant for a job that has just ended
            }
            if (job != null) {
                return job;
            }
            for (int now = spare.get(); now > 0; now = spare.get()) {
                if (spare.compareAndSet(now, now - 1)) {
                    return null;
                }
            }
        }
    }

    /**
     * Takes no new jobs, waits until those that were spawned have ended, and ends the idle threads at once. Twice is
     * harmless.
     */
    @Override
    public void close() {
        closed = true;
        spawned.join();
        endThreads();
    }

    /** Takes no new jobs and ends the threads as soon as their jobs end; with the hub, nobody is left to wait for them. */
    public void shutdown() {
        closed = true;
        endThreads();
    }

    private void endThreads() {
        for (int i = threads.get(); i > 0; i--) {
            spare.decrementAndGet();
            queue.add(goHome);
        }
    }

    @Override
    public String toString() {
        return "pool of " + places + " threads of " + hub.name();
    }
}
