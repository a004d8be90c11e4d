package dev.loomlet.pool;

/** Throws on what somebody else's code has thrown, as it is. */
final class Sneak {
    private Sneak() {}

    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }
}
