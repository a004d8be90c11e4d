package dev.loomlet;

import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Watchable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Things in the order in which they become ready. */
final class Arrivals<W extends Waitable> extends Guard implements Iterator<W> {
    private final ArrayDeque<W> arrived; // in the guard
    private @Nullable Waiter waiter; // in the guard
    private final List<One> watched;
    private final long end;
    private final boolean endless;
    private int left;
    private boolean closed;

    private final class One extends Watchable.Watcher {
        final W what;
        final Watchable inside;

        One(W what) {
            this.what = what;
            this.inside = WatchCase.inside(what);
        }

        @Override
        public void told() {
            enter();
            arrived.add(what);
            Waiter waiting = waiter;
            waiter = null;
            leave();
            if (waiting != null) {
                waiting.resume(null);
            }
        }
    }

    Arrivals(Collection<? extends W> objects, long nanos) {
        arrived = new ArrayDeque<>(objects.size() + 1);
        watched = new ArrayList<>(objects.size());
        endless = nanos < 0;
        end = endless ? 0 : System.nanoTime() + nanos;
        for (W each : objects) {
            watched.add(new One(each));
        }
        left = watched.size();
        for (One each : watched) {
            if (!each.inside.watch(each)) {
                each.told();
            }
        }
    }

    private @Nullable W poll(@Nullable Waiter waiter) {
        enter();
        W next = arrived.poll();
        this.waiter = next == null ? waiter : null;
        leave();
        return next;
    }

    /** The next, or null if there is none, or none in time. */
    @Nullable
    W await() {
        if (left == 0 || closed) {
            return null;
        }
        for (;;) {
            W next = poll(null);
            long nanos = endless ? -1 : Math.max(0, end - System.nanoTime());
            if (next == null && nanos != 0) {
                Waiter waiter = new Waiter(new Missing(this));
                next = poll(waiter);
                if (next == null) {
                    boolean told;
                    try {
                        told = waiter.await(nanos);
                    } catch (InterruptedException e) {
                        throw Waits.interrupted(e);
                    }
                    next = poll(null);
                    if (told && next == null) {
                        continue;
                    }
                }
            }
            if (next != null) {
                left--;
            }
            return next;
        }
    }

    /** What is waited for. Those that are not ready owe it. */
    private record Missing(Arrivals<?> arrivals) implements Owned {
        @Override
        public List<?> owners() {
            return arrivals.watched.stream().filter(each -> !each.inside.isReady()).map(each -> (Object) each.what)
                    .toList();
        }

        @Override
        public String owned() {
            return "owed by";
        }

        @Override
        public String toString() {
            return arrivals.left + " of " + arrivals.watched.size() + " to be ready";
        }
    }

    private @Nullable W ahead;

    @Override
    public boolean hasNext() {
        if (ahead == null) {
            ahead = await();
        }
        return ahead != null;
    }

    @Override
    public W next() {
        if (!hasNext()) {
            throw new NoSuchElementException("no more, or not in time");
        }
        W next = ahead;
        ahead = null;
        if (next == null) {
            throw new NoSuchElementException();
        }
        return next;
    }

    /** Watches nothing any more. */
    void close() {
        closed = true;
        for (One each : watched) {
            each.inside.unwatch(each);
        }
    }

    static <W extends Waitable> List<W> wait(Collection<? extends W> objects, long nanos, int count) {
        Arrivals<W> arrivals = new Arrivals<>(objects, nanos);
        try {
            List<W> ready = new ArrayList<>();
            W next;
            while (ready.size() < count && (next = arrivals.await()) != null) {
                ready.add(next);
            }
            return ready;
        } finally {
            arrivals.close();
        }
    }
}
