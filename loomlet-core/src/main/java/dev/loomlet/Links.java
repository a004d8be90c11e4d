package dev.loomlet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who wants to know that something has ended: a stack of links that any thread may push to, taken as a whole when the end
 * comes.
 *
 * <p>Why it is correct: {@code head} only ever goes from chain to chain by compare-and-set and once, finally, to
 * {@link #ENDED}. A link pushed before that is in the chain that {@link #fireLinks} takes; one pushed after is told so at once.
 * {@link #prune} takes the whole chain out, drops dead links and puts the rest back; if the end came in between, it finds
 * {@code ENDED} and does itself what {@code fireLinks} would have done.
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

        /** No longer interested; it stays in the chain until the next {@link #prune}. */
        volatile boolean dead;

        abstract void ended();
    }

    private static final Link ENDED = new Link() {
        @Override
        void ended() {
            throw new AssertionError();
        }
    };

    private volatile @Nullable Link head;

    /** Adds a link, or calls it at once if the end was before. Any thread. */
    final void add(Link link) {
        for (;;) {
            Link first = head;
            if (first == ENDED) {
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
        fire((Link) HEAD.getAndSet(this, ENDED));
    }

    final boolean noLinks() {
        for (Link each = head; each != null && each != ENDED; each = each.next) {
            if (!each.dead) {
                return false;
            }
        }
        return true;
    }

    /** Marks every link as dead that {@code which} selects, and throws them away. Any thread. */
    final void removeLinks(Predicate<Link> which) {
        for (Link each = head; each != null && each != ENDED; each = each.next) {
            if (which.test(each)) {
                each.dead = true;
            }
        }
        prune();
    }

    private void prune() {
        Link kept = null;
        for (;;) {
            Link first = head;
            if (first == ENDED) {
                fire(kept);
                return;
            }
            if (!HEAD.compareAndSet(this, first, null)) {
                continue;
            }
            kept = join(first, kept);
            if (HEAD.compareAndSet(this, null, kept)) {
                return;
            }
        }
    }

    /** The live links of the newer chain, then those of the older one. */
    private static @Nullable Link join(@Nullable Link newer, @Nullable Link older) {
        Link result = older;
        for (Link each = reverse(newer); each != null;) {
            Link next = each.next;
            if (!each.dead) {
                each.next = result;
                result = each;
            }
            each = next;
        }
        return result;
    }

    private static @Nullable Link reverse(@Nullable Link chain) {
        Link result = null;
        while (chain != null) {
            Link next = chain.next;
            chain.next = result;
            result = chain;
            chain = next;
        }
        return result;
    }

    private static void fire(@Nullable Link newest) {
        for (Link each = reverse(newest); each != null;) {
            Link next = each.next;
            each.next = null;
            if (!each.dead) {
                each.ended();
            }
            each = next;
        }
    }
}
