package dev.loomlet.pool;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Behind {@link Results}: a greenlet, the feeder, that pulls inputs and spawns, and a queue from which one reader takes.
 *
 * <pre>
 *   input ──feeder──▶ a place to look ahead ──▶ a place in the group ──▶ greenlet ──end──▶ out ──▶ reader
 *                          ▲                                                                        │
 *                          └────────────────────────── given back ──────────────────────────────────┘
 * </pre>
 *
 * In input order the feeder puts each greenlet into the queue at once, and the reader waits for the first to end.
 */
final class Mapping<A, R> {
    private final Group group;
    private final Mapper<? super A, ? extends R> function;
    private final boolean ordered;
    private final boolean inside; // the caller is a member of the group
    private final Slots ahead;
    private final ConcurrentLinkedQueue<Greenlet<R>> out = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger(); // pulled and not read
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile boolean exhausted;
    private volatile @Nullable Throwable inputError;
    private volatile @Nullable Waiter reader;
    private volatile @Nullable Greenlet<?> feeder;
    private volatile @Nullable Greenlet<?> lent; // runs in the place of the caller, who is a member

    Mapping(Group group, Mapper<? super A, ? extends R> function, int lookAhead, boolean ordered) {
        if (lookAhead < 1) {
            throw new IllegalArgumentException("cannot look " + lookAhead + " ahead: nothing would ever be pulled");
        }
        this.group = group;
        this.function = function;
        this.ordered = ordered;
        this.inside = group.isInside();
        this.ahead = new Slots(lookAhead, new Reading(this));
    }

    /** What the feeder waits for when it may not look further ahead. */
    private record Reading(Mapping<?, ?> mapping) {
        @Override
        public String toString() {
            return "the reader of " + mapping;
        }
    }

    private final class Mapped extends Group.Member {
        private final Greenlet<R> mapped;

        Mapped(Greenlet<R> greenlet) {
            group.super(greenlet);
            mapped = greenlet;
        }

        @Override
        public void ended() {
            super.ended();
            arrived(mapped);
        }

        boolean isOf(Mapping<?, ?> mapping) {
            return Mapping.this == mapping;
        }
    }

    Mapper<? super A, ? extends R> function() {
        return function;
    }

    // --- the feeder

    Results<R> start(Iterable<? extends A> inputs) {
        Greenlet<Void> greenlet = Group.quiet(group.hub().unstarted(new Feeding<>(this, inputs)));
        feeder = greenlet;
        Greenlets.inside().whenEnded(greenlet, () -> fed(greenlet));
        greenlet.start();
        return new Results<>(this);
    }

    void feed(Iterable<? extends A> inputs) {
        var each = inputs.iterator();
        for (;;) {
            ahead.take(-1);
            if (!each.hasNext()) {
                return;
            }
            A input = each.next();
            boolean place = group.take(inside ? 0 : -1);
            Greenlet<R> greenlet;
            try {
                greenlet = Group.quiet(group.hub().unstarted(new MapTask<A, R>(function, input)));
            } catch (Throwable t) {
                if (place) {
                    group.giveBack();
                }
                throw t;
            }
            pending.incrementAndGet();
            if (ordered) {
                out.add(greenlet);
                wakeReader();
            }
            if (place) {
                Mapped member = new Mapped(greenlet);
                group.admit(member);
                group.begin(member);
            } else {
                inPlaceOfTheCaller(greenlet);
            }
        }
    }

    /** The pool is full, of the caller among others, who waits for us: we use its place meanwhile, for one at a time. */
    private void inPlaceOfTheCaller(Greenlet<R> greenlet) {
        lent = greenlet;
        Greenlets.inside().whenEnded(greenlet, () -> arrived(greenlet));
        greenlet.start().join();
    }

    /** The feeder has ended, however it did. */
    private void fed(Greenlet<?> greenlet) {
        if (!closed.get()) {
            greenlet.exception().ifPresentOrElse(error -> inputError = error, () -> greenlet.exit().ifPresent(exit -> {
                inputError = new CancellationException("the greenlet that pulls the inputs was killed").initCause(exit);
            }));
        }
        exhausted = true;
        wakeReader();
    }

    /** A greenlet has ended. On any thread. */
    private void arrived(Greenlet<R> greenlet) {
        if (!ordered) {
            out.add(greenlet);
            wakeReader();
        }
    }

    private void wakeReader() {
        Waiter waiter = reader;
        if (waiter != null) {
            waiter.resume(null);
        }
    }

    // --- the reader

    boolean awaitNext() {
        for (;;) {
            if (closed.get()) {
                return false;
            }
            Greenlet<R> first = out.peek();
            if (first != null) {
                if (ordered) {
                    first.join();
                }
                return true;
            }
            if (atEnd()) {
                Throwable error = inputError;
                if (error == null) {
                    return false;
                }
                inputError = null;
                throw asUnchecked(error);
            }
            await();
        }
    }

    private boolean atEnd() {
        return exhausted && pending.get() == 0;
    }

    /** Sleeps until something may have come: the announcement first, the second look after, as the other side adds first. */
    private void await() {
        Waiter waiter = new Waiter(this);
        reader = waiter;
        try {
            if (out.isEmpty() && !atEnd() && !closed.get()) {
                waiter.await(-1);
            }
        } catch (InterruptedException e) {
            throw new GreenletExit(e);
        } finally {
            reader = null;
        }
    }

    R next() {
        if (!awaitNext()) {
            throw new NoSuchElementException(closed.get() ? "the results are closed" : "there are no more results");
        }
        Greenlet<R> first = Objects.requireNonNull(out.poll());
        pending.decrementAndGet();
        ahead.giveBack();
        return first.value();
    }

    private static RuntimeException asUnchecked(Throwable error) {
        return error instanceof RuntimeException || error instanceof Error
                ? Sneak.<RuntimeException>sneak(error) : new CompletionException(error);
    }

    // --- the end

    /** Kills what still runs, without waiting; returns it. Any thread. */
    List<Greenlet<?>> abandon() {
        if (!closed.compareAndSet(false, true)) {
            return List.of();
        }
        List<Greenlet<?>> rest = new ArrayList<>();
        add(rest, feeder);
        add(rest, lent);
        for (Group.Member each : group.current()) {
            if (each instanceof Mapping<?, ?>.Mapped mapped && mapped.isOf(this)) {
                rest.add(each.greenlet);
            }
        }
        for (Greenlet<?> each : rest) {
            each.kill(new GreenletExit("the results of the map it was for were closed"), false, Duration.ZERO);
        }
        wakeReader();
        return rest;
    }

    private static void add(List<Greenlet<?>> rest, @Nullable Greenlet<?> greenlet) {
        if (greenlet != null && !greenlet.ready()) {
            rest.add(greenlet);
        }
    }

    void close() {
        List<Greenlet<?>> rest = abandon();
        Loomlet.joinAll(rest);
        // Nobody will read them any more: an error among them must not be lost.
        for (Greenlet<R> each = out.poll(); each != null; each = out.poll()) {
            if (each.ready()) {
                Greenlets.inside().report(each);
            }
        }
    }

    @Override
    public String toString() {
        return "a map over the " + group;
    }
}
