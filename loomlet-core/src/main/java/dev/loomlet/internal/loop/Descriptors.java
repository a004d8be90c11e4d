package dev.loomlet.internal.loop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Lets fibers wait until a descriptor that is nobody's in particular (a pipe, a FIFO, a terminal) can be read or written.
 * Unlike a socket's, such a wait may be shared: all who wait for the same thing are woken, and look again.
 *
 * <p>Each loop has its own map, used on that loop only. A descriptor may be closed by any thread: {@link #closing} wakes
 * whoever waits, on every loop, so that nobody waits for a number that by then may be another file's.
 */
public final class Descriptors {
    private static final long FIRST_STEP = 500_000L;
    private static final long LONGEST_STEP = 10_000_000L;
    private static final ConcurrentLinkedQueue<Descriptors> ALL = new ConcurrentLinkedQueue<>(); // somebody waits there

    private final Loop loop;
    private final Map<Integer, List<Waiter>> waiting = new HashMap<>(); // by descriptor, twice, odd for reading

    private Descriptors(Loop loop) {
        this.loop = loop;
    }

    private static Descriptors of(Loop loop) {
        Descriptors own = loop.descriptors;
        if (own == null) {
            own = new Descriptors(loop);
            loop.descriptors = own;
            ALL.add(own);
        }
        return own;
    }

    /**
     * Waits until {@code fd} may have become ready, or is being closed; or for no reason. In a fiber, on its loop. Kill and
     * timeout are thrown here.
     *
     * @param attempt how often this was called since it was last ready; used where descriptors cannot be watched
     * @throws Interrupted if the thread is interrupted
     */
    public static void await(int fd, boolean read, Object what, int attempt) throws IOException {
        Waiter waiter = new Waiter(what);
        Loop loop = waiter.loop();
        if (loop == null) {
            throw new IllegalStateException("no fiber");
        }
        if (!loop.poller().watchesDescriptors()) {
            await(waiter, Math.min(LONGEST_STEP, FIRST_STEP << Math.min(attempt, 5)));
            return;
        }
        Descriptors own = of(loop);
        int key = fd * 2 + (read ? 1 : 0);
        List<Waiter> others = own.waiting.get(key);
        if (others == null) {
            others = new ArrayList<>(1);
            own.waiting.put(key, others);
            try {
                loop.watch(fd, read, fired -> own.fire(key));
            } catch (IOException | RuntimeException e) {
                own.waiting.remove(key);
                own.forget();
                throw e;
            }
        }
        others.add(waiter);
        try {
            await(waiter, -1);
        } finally {
            if (others.remove(waiter) && others.isEmpty() && own.waiting.remove(key, others)) {
                loop.unwatch(fd, read, false);
            }
            own.forget();
        }
    }

    private static void await(Waiter waiter, long nanos) {
        try {
            waiter.await(nanos);
        } catch (InterruptedException e) {
            throw new Interrupted(e);
        }
    }

    /** The waiting thread was interrupted; its flag is clear. */
    public static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1;

        Interrupted(InterruptedException cause) {
            super(null, cause, false, false);
        }
    }

    private void forget() {
        if (waiting.isEmpty() && loop.descriptors == this) {
            loop.descriptors = null;
            boolean removed = ALL.remove(this);
            assert removed : "nobody waited";
        }
    }

    private void fire(int key) {
        List<Waiter> woken = waiting.remove(key);
        if (woken != null) {
            for (Waiter each : List.copyOf(woken)) {
                each.resume(null);
            }
        }
    }

    /** A descriptor is about to be closed: nobody may wait for it any longer. Any thread. */
    public static void closing(int fd) {
        for (Descriptors each : ALL) {
            if (each.loop.onLoop()) {
                each.close(fd);
            } else {
                each.loop.post(() -> each.close(fd));
            }
        }
    }

    private void close(int fd) {
        for (int key : new int[] {fd * 2, fd * 2 + 1}) {
            @Nullable List<Waiter> woken = waiting.get(key);
            if (woken != null) {
                loop.unwatch(fd, (key & 1) != 0, false);
                fire(key);
            }
        }
    }
}
