package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.SwitchObserver;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands the switches of a hub to a tracer. The loop, which must not call code of the program, writes them into a ring; a
 * thread of the trace's own reads them there and calls the tracer.
 *
 * <p>One writer, one reader. The writer fills a place and then moves {@code written} on, the reader empties it and then
 * moves {@code read} on; both are volatile, so whoever sees a count sees what was done before it. If the ring is full, a
 * switch is counted as lost instead of waited for.
 *
 * <p>The reader announces that it will park, looks at {@code written} once more and then parks; the writer moves
 * {@code written} on and then looks at the announcement. One of them sees the other's, so no wake-up is missed.
 */
final class Trace implements SwitchObserver, Runnable {
    private static final int SIZE = 1 << 14; // places; a power of two

    private final Consumer<? super Switch> tracer;
    private final @Nullable Fiber[] to = new Fiber[SIZE];
    private final long[] nanos = new long[SIZE];
    private final boolean[] thrown = new boolean[SIZE];
    private final Thread thread;
    private volatile long written;
    private volatile long read;
    private volatile long lost;
    private volatile boolean parked;
    private volatile boolean ended;
    private @Nullable Fiber before; // reader's

    Trace(Hub hub, Consumer<? super Switch> tracer) {
        this.tracer = tracer;
        thread = new Thread(null, this, "loomlet-trace-" + hub.name(), 0, false);
        thread.setDaemon(true);
    }

    void begin() {
        thread.start();
    }

    long lost() {
        return lost;
    }

    /** The loop writes nothing any more: what is there is told, and that is it. */
    void end() {
        ended = true;
        LockSupport.unpark(thread);
    }

    void awaitEnd() {
        if (Thread.currentThread() != thread) {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    public void begins(Fiber fiber, boolean thrown) {
        long at = written;
        if (at - read == SIZE) {
            lost++;
            return;
        }
        int place = (int) at & (SIZE - 1);
        to[place] = fiber;
        nanos[place] = System.nanoTime();
        this.thrown[place] = thrown;
        written = at + 1;
        if (parked) {
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void ends(Fiber fiber) {}

    @Override
    public void run() {
        for (;;) {
            long at = read;
            if (at != written) {
                tell((int) at & (SIZE - 1));
                read = at + 1;
            } else if (ended) {
                return;
            } else {
                parked = true;
                if (at == written && !ended) {
                    LockSupport.park(this);
                }
                parked = false;
            }
        }
    }

    private void tell(int place) {
        Fiber fiber = to[place];
        to[place] = null;
        Switch event = new Switch(nanos[place], greenlet(before), greenlet(fiber), thrown[place]);
        before = fiber;
        try {
            tracer.accept(event);
        } catch (Throwable t) {
            System.getLogger("dev.loomlet.trace").log(System.Logger.Level.ERROR, "a tracer failed", t);
        }
    }

    private static Optional<Greenlet<?>> greenlet(@Nullable Fiber fiber) {
        return fiber != null && fiber.owner() instanceof Greenlet<?> greenlet ? Optional.of(greenlet)
                : Optional.empty();
    }
}
