package dev.loomlet.coroutine;

/**
 * Is told of every switch between the coroutines of a thread; see {@link Coroutine#trace(Tracer)}.
 *
 * <p>{@snippet :
 * Coroutine.trace((event, origin, target) -> System.err.println(event + " " + origin + " -> " + target));
 * }
 *
 * <p>greenlet's {@code settrace} callback.
 */
@FunctionalInterface
public interface Tracer {
    /** What happened. */
    enum Event {
        /** Control and a value went over. */
        SWITCH,
        /** An exception went over: it is thrown in the target as soon as the tracer returns. */
        THROW
    }

    /**
     * Called in the target, on its thread, before it goes on. Switches made in here are told as well: a tracer that makes
     * some has to know when to stop. If it throws, tracing ends, and what it threw is thrown in the target in place of what was
     * sent.
     */
    void switched(Event event, Coroutine<?> origin, Coroutine<?> target) throws Exception;
}
