package dev.loomlet.process;

import java.nio.charset.Charset;
import java.util.List;

/** What became of a program. Immutable. */
public final class Result {
    private final List<String> command;
    private final int exitCode;
    private final byte[] stdout;
    private final byte[] stderr;
    private final Charset charset;

    Result(List<String> command, int exitCode, byte[] stdout, byte[] stderr, Charset charset) {
        this.command = command;
        this.exitCode = exitCode;
        this.stdout = stdout;
        this.stderr = stderr;
        this.charset = charset;
    }

    /** What was run. */
    public List<String> command() {
        return command;
    }

    /** Its exit code: 0 for success by custom, 128 and the signal's number if a signal ended it, -1 if it has not ended. */
    public int exitCode() {
        return exitCode;
    }

    /** Whether its exit code is 0. */
    public boolean successful() {
        return exitCode == 0;
    }

    /** Its output as text. */
    public String stdout() {
        return new String(stdout, charset);
    }

    /** Its errors as text; empty if they were merged into its output or sent elsewhere. */
    public String stderr() {
        return new String(stderr, charset);
    }

    /** Its output as it came. */
    public byte[] stdoutBytes() {
        return stdout.clone();
    }

    /** Its errors as they came. */
    public byte[] stderrBytes() {
        return stderr.clone();
    }

    /**
     * This, if the exit code is 0.
     *
     * @throws ProcessFailed if it is not; the message has the end of what it printed as errors
     */
    public Result check() throws ProcessFailed {
        if (exitCode != 0) {
            throw new ProcessFailed(String.join(" ", command) + " ended with exit code " + exitCode, this);
        }
        return this;
    }

    @Override
    public String toString() {
        return "Result[" + String.join(" ", command) + ": exit code " + exitCode + ", " + stdout.length
                + " bytes of output, " + stderr.length + " of errors]";
    }
}
