package dev.loomlet.cli;

import java.io.PrintStream;

/** Where a command writes: results to {@code out}, everything else to {@code err}. */
record Terminal(PrintStream out, PrintStream err) {}
