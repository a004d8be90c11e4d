package dev.loomlet.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;

/** Where a command writes: results to {@code out}, everything else to {@code err}. */
record Terminal(PrintStream out, PrintStream err) {
    PrintWriter outWriter() {
        return new PrintWriter(new OutputStreamWriter(out, UTF_8), true);
    }

    PrintWriter errWriter() {
        return new PrintWriter(new OutputStreamWriter(err, UTF_8), true);
    }
}
