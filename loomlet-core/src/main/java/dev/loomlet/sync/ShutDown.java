package dev.loomlet.sync;

/**
 * Thrown by a queue that was shut down, or a channel that was closed: to those who put something in, and, once nothing is
 * left, to those who want something out.
 *
 * <p>gevent's {@code queue.ShutDown}.
 */
public class ShutDown extends RuntimeException {
    private static final long serialVersionUID = 1;

    ShutDown(String message) {
        super(message);
    }

    ShutDown(String message, Throwable cause) {
        super(message, cause);
    }
}
