package dev.loomlet.pool;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One call of {@link Group#map}: a greenlet an input, and one wait for all of them. */
final class MapAll<A, R> {
    private final Group group;
    private final Mapper<? super A, ? extends R> function;
    private final List<Object> results; // greenlets, and a Here for each input that was done right here
    private final AtomicInteger running = new AtomicInteger(1); // the one is for the spawning itself
    private final Waiter waiter;
    private volatile @Nullable Greenlet<?> failed; // the first

    private record Here<R>(R result) {}

    MapAll(Group group, Mapper<? super A, ? extends R> function, int about) {
        this.group = group;
        this.function = function;
        this.results = new ArrayList<>(about);
        var _ = group.hub(); // made now if need be: a waiter of a thread without one would block the thread
        this.waiter = new Waiter(this);
    }

    List<R> run(Iterable<? extends A> inputs) {
        boolean inside = group.isInside();
        boolean done = false;
        try {
            for (A input : inputs) {
                start(input, inside);
                if (failed != null) {
                    break;
                }
            }
            count();
            waiter.await(-1);
            done = failed == null;
        } catch (InterruptedException e) {
            throw new GreenletExit(e);
        } finally {
            if (!done) {
                killAll();
            }
        }
        Greenlet<?> first = failed;
        if (first != null) {
            throw failure(first);
        }
        return collect();
    }

    private void start(A input, boolean inside) {
        if (!group.take(inside ? 0 : -1)) {
            // We are a member of a pool that is full, of ourselves perhaps: to wait for a place could be for ever.
            results.add(here(input));
            return;
        }
        Greenlet<R> greenlet;
        try {
            greenlet = Group.quiet(group.hub().unstarted(new MapTask<A, R>(function, input)));
        } catch (Throwable t) {
            group.giveBack();
            throw t;
        }
        results.add(greenlet);
        running.incrementAndGet();
        Group.Member member = group.new Member(greenlet) {
            @Override
            public void ended() {
                super.ended();
                if (!greenlet.successful() && failed == null) {
                    failed = greenlet;
                    waiter.resume(null);
                }
                count();
            }
        };
        group.admit(member);
        group.begin(member);
    }

    private Here<R> here(A input) {
        try {
            return new Here<>(function.apply(input));
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    private void count() {
        if (running.decrementAndGet() == 0) {
            waiter.resume(null);
        }
    }

    private void killAll() {
        for (Object each : results) {
            if (each instanceof Greenlet<?> greenlet) {
                greenlet.kill(new GreenletExit("the map it was for is over"), false, Duration.ZERO);
            }
        }
    }

    @SuppressWarnings("unchecked")
    private List<R> collect() {
        List<R> all = new ArrayList<>(results.size());
        for (Object each : results) {
            // value() throws if somebody has killed it
            all.add(each instanceof Greenlet<?> greenlet ? (R) greenlet.value() : ((Here<R>) each).result());
        }
        return all;
    }

    private RuntimeException failure(Greenlet<?> first) {
        Throwable error = first.exception().orElseThrow();
        for (Object each : results) {
            if (each instanceof Greenlet<?> other && other != first) {
                other.exception().filter(another -> another != error).ifPresent(error::addSuppressed);
            }
        }
        if (error instanceof RuntimeException || error instanceof Error) {
            return Sneak.<RuntimeException>sneak(error);
        }
        return new CompletionException(error);
    }

    @Override
    public String toString() {
        return "the rest of a map over the " + group;
    }
}
