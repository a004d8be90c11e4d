package dev.loomlet;

/**
 * Thrown at a wait of a greenlet or coroutine that is being killed.
 *
 * <p>It is unchecked and no {@link Exception}, so that {@code catch (Exception e)} does not swallow it; {@code finally}
 * blocks run. A greenlet that ends by it has ended well: {@link Greenlet#successful()} is true. Catch it only to do
 * something before you go, and throw it on; a greenlet that keeps it lives on.
 *
 * <p>gevent's {@code GreenletExit}, a {@code BaseException} for the same reason.
 */
public class GreenletExit extends Error {
    private static final long serialVersionUID = 1;

    /** With a message that says who ended what, for whoever sees it in a log. */
    public GreenletExit(String message) {
        super(message);
    }

    /** For an interrupt in a wait that does not declare it: who interrupts wants the waiting code to end, as who kills does. */
    public GreenletExit(InterruptedException interrupt) {
        super(interrupt.getMessage() == null ? "interrupted" : interrupt.getMessage(), interrupt);
    }
}
