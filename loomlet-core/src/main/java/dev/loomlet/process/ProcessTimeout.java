package dev.loomlet.process;

/** A program did not end in the time it was given. It and all it had started were killed, unless the method says otherwise. */
public class ProcessTimeout extends ProcessFailed {
    private static final long serialVersionUID = 1;

    ProcessTimeout(String message, Result result) {
        super(message, result);
    }
}
