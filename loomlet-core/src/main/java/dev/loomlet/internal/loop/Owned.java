package dev.loomlet.internal.loop;

import java.util.List;

/**
 * Something that is waited for, a {@link Waiter}'s reason, and that knows who could end the wait. A report of a program that
 * hangs follows it from waiter to owner to what that one waits for, and so finds cycles.
 */
public interface Owned {
    /**
     * Who holds it or owes it now: fibers, greenlets or threads; none if it is nobody in particular. Asked from any thread,
     * so it may be out of date; it must not block, lock or throw.
     */
    List<?> owners();

    /** Whether nobody but the owners can end the wait. */
    default boolean alone() {
        return true;
    }

    /** What the owners do with it, for people: "held by", "owed by". */
    default String owned() {
        return "held by";
    }
}
