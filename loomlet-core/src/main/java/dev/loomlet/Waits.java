package dev.loomlet;

import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The waits of this package, on {@link Waiter}. */
final class Waits {
    private Waits() {}

    /** Tells a waiter that a greenlet has ended. */
    private static final class Join extends Links.Link {
        final Waiter waiter;

        Join(Waiter waiter) {
            this.waiter = waiter;
        }

        @Override
        void ended() {
            waiter.resume(null);
        }
    }

    static boolean untilEndInterruptibly(Greenlet<?> greenlet, long nanos) throws InterruptedException {
        if (greenlet.readyOrNever()) {
            return true;
        }
        Join join = new Join(new Waiter(greenlet));
        greenlet.add(join);
        boolean over = false;
        try {
            over = join.waiter.await(nanos);
            return over || greenlet.ready();
        } finally {
            if (!over) {
                greenlet.remove(join);
            }
        }
    }

    static boolean untilEnd(Greenlet<?> greenlet, long nanos) {
        try {
            return untilEndInterruptibly(greenlet, nanos);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** An interrupt, in a wait that does not declare it: asks the waiting code to end, so it becomes what a kill is. */
    static GreenletExit interrupted(InterruptedException e) {
        return new GreenletExit(e);
    }

    /**
     * Whether an exception that leaves a greenlet is what an interrupt has become: itself, or what the JDK or a library
     * has made of it. While the interrupt status is still set nobody has handled the interrupt, so any exception is taken
     * for its work: a socket is "Closed by interrupt", a connection is then broken, a future cancelled.
     */
    static boolean ofInterrupt(Throwable t) {
        if (t instanceof Exception && Thread.currentThread().isInterrupted()) {
            return true;
        }
        Throwable at = t;
        for (int i = 0; i < 20 && at != null; i++) {
            boolean timeout = at instanceof SocketTimeoutException; // a kind of interrupt by its type only
            if (at instanceof InterruptedException || at instanceof ClosedByInterruptException
                    || (at instanceof InterruptedIOException && !timeout)) {
                return true;
            }
            at = at.getCause();
        }
        return false;
    }

    /**
     * Counts the ends of many greenlets, in the order in which they come. They may be on several hubs and end at the same
     * time, and no hub's loop may wait for a lock: each end takes the next place for itself.
     */
    private static final class JoinMany<G extends Greenlet<?>> {
        private static final VarHandle PLACE = MethodHandles.arrayElementVarHandle(Greenlet[].class);

        private final Greenlet<?>[] ended;
        private final AtomicInteger places = new AtomicInteger();
        private final List<One> waiting = new ArrayList<>();
        private final Waiter waiter;
        private final int count;
        private final boolean raise;

        JoinMany(Many what, int of, int count, boolean raise) {
            this.waiter = new Waiter(what);
            this.ended = new Greenlet<?>[of];
            this.count = count;
            this.raise = raise;
        }

        private final class One extends Links.Link {
            final G greenlet;

            One(G greenlet) {
                this.greenlet = greenlet;
            }

            @Override
            void ended() {
                int place = places.getAndIncrement();
                PLACE.setRelease(ended, place, greenlet);
                if (place + 1 >= count || (raise && !greenlet.successful())) {
                    waiter.resume(null);
                }
            }
        }

        /** Those that have taken a place and left their name there; the next one may be between the two. */
        @SuppressWarnings("unchecked")
        private List<G> inOrder() {
            List<G> result = new ArrayList<>();
            int n = Math.min(places.get(), count);
            for (int i = 0; i < n; i++) {
                G greenlet = (G) PLACE.getAcquire(ended, i);
                while (greenlet == null) {
                    Thread.onSpinWait();
                    greenlet = (G) PLACE.getAcquire(ended, i);
                }
                result.add(greenlet);
            }
            return result;
        }

        List<G> await(Collection<? extends G> greenlets, long nanos) {
            try {
                for (G each : greenlets) {
                    One one = new One(each);
                    if (!each.readyOrNever()) {
                        waiting.add(one);
                    }
                    each.add(one);
                }
                waiter.await(nanos);
            } catch (InterruptedException e) {
                throw interrupted(e);
            } finally {
                for (One each : waiting) {
                    if (!each.greenlet.ready()) {
                        each.greenlet.remove(each);
                    }
                }
            }
            return inOrder();
        }
    }

    /** What is waited for: the ends of some greenlets. Those that live owe them. */
    private record Many(Collection<? extends Greenlet<?>> greenlets, int count) implements Owned {
        @Override
        public List<?> owners() {
            return greenlets.stream().filter(each -> !each.ready()).toList();
        }

        @Override
        public String owned() {
            return "owed by";
        }

        @Override
        public String toString() {
            return count + " of " + greenlets.size() + " greenlets";
        }
    }

    static <G extends Greenlet<?>> List<G> joinAll(Collection<? extends G> greenlets, long nanos, boolean raise,
            int count) {
        int enough = Math.min(count, greenlets.size());
        if (enough <= 0) {
            return List.of();
        }
        List<G> ended =
                new JoinMany<G>(new Many(greenlets, enough), greenlets.size(), enough, raise).await(greenlets, nanos);
        if (raise) {
            for (G each : ended) {
                if (each.exception().isPresent()) {
                    each.value(); // throws
                }
            }
        }
        return ended;
    }

    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }
}
