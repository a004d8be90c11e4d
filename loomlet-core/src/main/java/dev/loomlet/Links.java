package dev.loomlet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who wants to know that something has ended: a stack of links that any thread may push to, taken as a whole when the end
 * comes.
 *
 * <p>Why it is correct: {@code head} goes by compare-and-set alone, from chain to chain and once, finally, to an
 * {@link End}. A link pushed before that is in the chain that {@link #fireLinks} takes; one pushed after is told so at once.
 * The {@code next} of a link never changes once others can see it: whoever walks a chain walks it as it was, whatever the
 * others do to {@code head} meanwhile, and {@link #removeLinks} builds a new chain instead of changing the old one.
 */
abstract class Links {
    // A superclass rather than a field: every greenlet has one.

    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(Links.class, "head", Link.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** One who wants to know. */
    abstract static class Link {
        @Nullable Link next;

        /** No longer interested. */
        volatile boolean dead;

        abstract void ended();

        /** Whether {@link #ended} only arranges for what is to be done, so that it can still be taken back after. */
        boolean flies() {
            return false;
        }

        /** This link, or the one whose place in a newer chain it takes. */
        Link origin() {
            return this;
        }
    }

    /** A link's place in a chain from which others were removed. */
    private static final class Moved extends Link {
        private final Link origin;

        Moved(Link origin, @Nullable Link next) {
            this.origin = origin;
            this.next = next;
        }

        @Override
        void ended() {
            origin.ended();
        }

        @Override
        boolean flies() {
            return origin.flies();
        }

        @Override
        Link origin() {
            return origin;
        }
    }

    /** The end has come; with it the links whose call has been arranged for, that they can still be taken back. */
    private static final class End extends Link {
        final @Nullable Link flying;

        End(@Nullable Link flying) {
            this.flying = flying;
        }

        @Override
        void ended() {
            throw new AssertionError();
        }
    }

    private static final End ENDED = new End(null);

    private volatile @Nullable Link head;

    /** Adds a link, or calls it at once if the end was before. Any thread. */
    final void add(Link link) {
        for (;;) {
            Link first = head;
            if (first instanceof End end) {
                if (link.flies()) {
                    link.next = end.flying;
                    if (!HEAD.compareAndSet(this, first, new End(link))) {
                        continue;
                    }
                }
                link.ended();
                return;
            }
            link.next = first;
            if (HEAD.compareAndSet(this, first, link)) {
                return;
            }
        }
    }

    /** The end: calls all links in the order in which they were added. Once. */
    final void fireLinks() {
        Link first = head;
        while (!HEAD.compareAndSet(this, first, anyFlies(first) ? new End(first) : ENDED)) {
            first = head;
        }
        if (first == null) {
            return;
        }
        if (first.next == null) {
            if (!first.origin().dead) {
                first.ended();
            }
            return;
        }
        int n = 0;
        for (Link each = first; each != null; each = each.next) {
            n++;
        }
        Link[] inOrder = new Link[n];
        for (Link each = first; each != null; each = each.next) {
            inOrder[--n] = each;
        }
        for (Link each : inOrder) {
            if (!each.origin().dead) {
                each.ended();
            }
        }
    }

    private static boolean anyFlies(@Nullable Link chain) {
        for (Link each = chain; each != null; each = each.next) {
            if (each.flies()) {
                return true;
            }
        }
        return false;
    }

    /** A link that flew has been called: when all have been, nothing of them is kept. */
    final void landed(Link link) {
        link.dead = true;
        if (head instanceof End end && end.flying != null) {
            for (Link each = end.flying; each != null; each = each.next) {
                if (each.flies() && !each.origin().dead) {
                    return;
                }
            }
            HEAD.compareAndSet(this, end, ENDED);
        }
    }

    /** Whether nobody will be told: false for those that are to be called and have not been taken back. */
    final boolean noLinks() {
        Link first = head;
        if (first instanceof End) {
            return true;
        }
        for (Link each = first; each != null; each = each.next) {
            if (!each.origin().dead) {
                return false;
            }
        }
        return true;
    }

    /** The first live link that {@code which} selects, or null. None after the end. Any thread. */
    final @Nullable Link findLink(Predicate<Link> which) {
        Link first = head;
        for (Link each = first instanceof End ? null : first; each != null; each = each.next) {
            Link origin = each.origin();
            if (!origin.dead && which.test(origin)) {
                return origin;
            }
        }
        return null;
    }

    /** Takes back every link that {@code which} selects, also those that fly already. Any thread. */
    final void removeLinks(Predicate<Link> which) {
        for (;;) {
            Link first = head;
            Link chain = first instanceof End end ? end.flying : first;
            for (Link each = chain; each != null; each = each.next) {
                if (which.test(each.origin())) {
                    each.origin().dead = true;
                }
            }
            if (first instanceof End || HEAD.compareAndSet(this, first, withoutDead(first))) {
                return;
            }
        }
    }

    /** The same links in the same order without the dead ones; what lies behind the last of these is shared. */
    private static @Nullable Link withoutDead(@Nullable Link chain) {
        Link shared = chain;
        int before = 0; // live links before the last dead one
        int live = 0;
        for (Link each = chain; each != null; each = each.next) {
            if (each.origin().dead) {
                shared = each.next;
                before = live;
            } else {
                live++;
            }
        }
        if (before == 0) {
            return shared;
        }
        @Nullable Link[] kept = new Link[before];
        Link each = chain;
        for (int i = 0; i < before && each != null && each != shared; each = each.next) {
            if (!each.origin().dead) {
                kept[i++] = each.origin();
            }
        }
        Link result = shared;
        for (int i = before - 1; i >= 0; i--) {
            Link link = kept[i];
            result = link == null ? result : new Moved(link, result); // died since it was counted: its place is null
        }
        return result;
    }
}
