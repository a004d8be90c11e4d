package dev.loomlet;

import dev.loomlet.internal.loop.Waiter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

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
        if (greenlet.ready()) {
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
        GreenletExit exit = new GreenletExit(e.getMessage() == null ? "interrupted" : e.getMessage());
        exit.initCause(e);
        return exit;
    }

    /** Counts the ends of many greenlets, in the order in which they come. */
    private static final class JoinMany<G extends Greenlet<?>> {
        private final List<G> ended = new ArrayList<>();
        private final List<One> waiting = new ArrayList<>();
        private final Waiter waiter;
        private final int count;
        private final boolean raise;

        JoinMany(String what, int count, boolean raise) {
            this.waiter = new Waiter(what);
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
                boolean enough;
                synchronized (ended) { // they may end on several hubs
                    ended.add(greenlet);
                    enough = ended.size() >= count || (raise && !greenlet.successful());
                }
                if (enough) {
                    waiter.resume(null);
                }
            }
        }

        List<G> await(Collection<? extends G> greenlets, long nanos) {
            try {
                for (G each : greenlets) {
                    One one = new One(each);
                    if (!each.ready()) {
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
            synchronized (ended) {
                return List.copyOf(ended.size() > count ? ended.subList(0, count) : ended);
            }
        }
    }

    static <G extends Greenlet<?>> List<G> joinAll(Collection<? extends G> greenlets, long nanos, boolean raise,
            int count) {
        int enough = Math.min(count, greenlets.size());
        if (enough <= 0) {
            return List.of();
        }
        List<G> ended = new JoinMany<G>(enough + " of " + greenlets.size() + " greenlets", enough, raise)
                .await(greenlets, nanos);
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
