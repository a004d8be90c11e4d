package dev.loomlet.agent;

/** What was given as a program cannot be run; the message is for the person who gave it. */
public final class UnusableProgram extends Exception {
    private static final long serialVersionUID = 1;

    /** Made with one sentence that says what is wrong. */
    public UnusableProgram(String message) {
        super(message);
    }
}
