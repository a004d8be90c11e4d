package dev.loomlet.net.dns;

import java.time.Duration;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A few daemon threads, started when there is work and ended when there was none for a while.
 *
 * <p>No executor of the JDK's, because those take locks: a greenlet and its hub's own thread that queue for the same lock
 * can wait for each other. Here a caller of {@link #submit} never waits.
 *
 * <p><b>No task is left behind.</b> A task goes to an idle worker directly, or to a new one, or, with all of them at work,
 * into the queue. Only the last can meet a worker that ends: the worker counts itself out <em>and then</em> looks into the
 * queue, the caller puts the task in <em>and then</em> looks at the count. In whatever order these four steps come, at
 * least one of the two sees what the other did, and has the task done.
 */
final class Workers {
    private final LinkedTransferQueue<Runnable> tasks = new LinkedTransferQueue<>();
    private final AtomicInteger alive = new AtomicInteger();
    private final AtomicInteger numbers = new AtomicInteger();
    private final String prefix;
    private final int most;
    private final long idleNanos;

    Workers(String prefix, int most, Duration idle) {
        this.prefix = prefix;
        this.most = most;
        this.idleNanos = idle.toNanos();
    }

    /** Has the task done. It must not throw. Any thread; does not wait. */
    void submit(Runnable task) {
        if (tasks.tryTransfer(task)) {
            return;
        }
        if (countIn()) {
            start(task);
            return;
        }
        tasks.add(task);
        if (alive.get() < most && countIn()) {
            start(null);
        }
    }

    int alive() {
        return alive.get();
    }

    private boolean countIn() {
        for (;;) {
            int n = alive.get();
            if (n >= most) {
                return false;
            }
            if (alive.compareAndSet(n, n + 1)) {
                return true;
            }
        }
    }

    private void start(@Nullable Runnable first) {
        boolean started = false;
        try {
            Thread thread = Thread.ofPlatform().daemon().name(prefix + numbers.incrementAndGet())
                    .inheritInheritableThreadLocals(false).unstarted(() -> work(first));
            thread.setContextClassLoader(ClassLoader.getSystemClassLoader()); // not the caller's: that would be kept
            thread.start();
            started = true;
        } finally {
            if (!started) {
                alive.decrementAndGet(); // no more threads to be had: the caller is told by what was thrown
            }
        }
    }

    private void work(@Nullable Runnable first) {
        Runnable task = first;
        for (;;) {
            if (task == null) {
                task = next();
            }
            if (task == null) {
                alive.decrementAndGet();
                if (tasks.isEmpty() || !countIn()) {
                    return;
                }
            } else {
                task.run();
                task = null;
            }
        }
    }

    private @Nullable Runnable next() {
        try {
            return tasks.poll(idleNanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            return null; // somebody interrupts all threads he finds: this one ends, the next task starts another
        }
    }
}
