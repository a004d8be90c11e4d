package dev.loomlet.cli;

import java.io.Serial;

/** The command line asks for what cannot be. Its message is all that the user sees of it. */
final class UsageException extends Exception {
    @Serial private static final long serialVersionUID = 1;

    /**
     * @param message what is wrong, as the rest of a sentence that begins with the command's name and a colon
     */
    UsageException(String message) {
        super(message);
    }
}
