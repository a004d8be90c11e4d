package dev.loomlet;

/**
 * Thrown at a wait on a hub's own thread that nothing can ever end: no greenlet is ready, no timer armed, no socket
 * watched, and no other thread is there that could call in. The message lists who waits for what, since when, and where
 * it was spawned. The hub itself is unharmed.
 *
 * <p>gevent's {@code LoopExit}.
 */
public class LoopExit extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** With the report. */
    public LoopExit(String message) {
        super(message);
    }
}
