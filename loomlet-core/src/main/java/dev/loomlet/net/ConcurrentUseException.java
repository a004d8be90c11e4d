package dev.loomlet.net;

/**
 * Two greenlets (or threads) read from one socket at the same time, or write to it: a mistake in the program, because
 * neither can know which bytes it will get. One reader and one writer at a time are fine.
 *
 * <p>The second of them gets this; the first is not disturbed. {@link StreamSocket#takeTurns} lets the second wait instead.
 *
 * <p>gevent's {@code ConcurrentObjectUseError}.
 */
public class ConcurrentUseException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    ConcurrentUseException(String message) {
        super(message);
    }
}
