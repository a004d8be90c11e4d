package dev.loomlet.internal.loop;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/**
 * Where warnings about what the program does are printed, if they are not logged: in a program that knows nothing of Loomlet
 * the logging is its own, perhaps not set up yet, and so is what it makes of {@code System.err}.
 */
public final class Warnings {
    private static volatile @Nullable PrintStream stream;

    private Warnings() {}

    /** From now on they are printed there, and not logged. */
    public static void printTo(PrintStream to) {
        stream = to;
    }

    /** Prints one, which may take a lock of the stream. False if it has to be logged. */
    public static boolean print(String text) {
        PrintStream to = stream;
        if (to == null) {
            return false;
        }
        to.println("loomlet: " + text);
        return true;
    }
}
