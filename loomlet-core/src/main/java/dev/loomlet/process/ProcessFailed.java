package dev.loomlet.process;

import java.io.IOException;

/** A program ended with an exit code that was not to be, took too long, or printed too much. */
public class ProcessFailed extends IOException {
    private static final long serialVersionUID = 1;

    private final transient Result result;

    ProcessFailed(String message, Result result) {
        super(message + tail(result));
        this.result = result;
    }

    /** Its exit code and its output, as far as it got. */
    public Result result() {
        return result;
    }

    private static String tail(Result result) {
        String errors = result.stderr().strip();
        if (errors.isEmpty()) {
            return "";
        }
        int from = Math.max(0, errors.length() - 500);
        return "; its errors: " + (from > 0 ? "..." : "") + errors.substring(from);
    }
}
