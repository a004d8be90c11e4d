package dev.loomlet.internal.loop;

import org.jspecify.annotations.Nullable;

/**
 * Stands for a throwable that is made where it is thrown: in the waiting thread, so that its stack trace shows the wait it
 * hit, and so that code of the program (a supplier of exceptions) does not run on the bare loop. It can be on its way to a
 * fiber like any other ({@link Fiber#raise}), but nobody ever catches it.
 */
public abstract class Deferred extends Throwable {
    private static final long serialVersionUID = 1;

    protected Deferred() {
        super(null, null, false, false);
    }

    /**
     * The throwable itself.
     *
     * @param wait what was waited for, or null if that is not known
     */
    public abstract Throwable make(@Nullable Object wait);

    static Throwable resolve(Throwable thrown, @Nullable Object wait) {
        return thrown instanceof Deferred deferred ? deferred.make(wait) : thrown;
    }
}
