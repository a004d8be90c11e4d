package dev.loomlet;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A library that is known to hold hubs up, and what to do about it. The list is a resource,
 * {@code dev/loomlet/known-offenders.tsv}: data, to be added to. A {@link Stall} in whose stack one is met says so.
 *
 * {@snippet :
 * hub.onStall(stall -> stall.known().ifPresent(known -> log.warn(known.remedy())));
 * }
 *
 * @param frames the methods that give it away, such as {@code org.sqlite.core.NativeDB#*}, as in {@link Offload};
 *     {@code <clinit>} where it is enough that the class is used
 * @param library its name
 * @param versions those in which it was seen
 * @param symptom what happens
 * @param remedy what to do
 */
public record KnownOffender(String frames, String library, String versions, String symptom, String remedy) {
    private static final String LIST = "known-offenders.tsv";
    private static final int COLUMNS = 5;

    /** What is written for the method where it is enough that a class is used. */
    private static final String LOADED = "#<clinit>";

    /** Where such classes are: to read the list takes longer than a class may take to load. */
    private static final List<String> PACKAGES = List.of("com.jogamp.", "jcuda.", "org.lmdbjava.", "org.lwjgl.");

    /** The list. */
    private static final class All {
        static final List<KnownOffender> LIST = read();
    }

    /** All that are known. Any thread, but not in a hurry: the list is read at the first call. */
    public static List<KnownOffender> all() {
        return All.LIST;
    }

    /** The first that is met in a stack, from its top. */
    public static Optional<KnownOffender> in(List<StackTraceElement> stack) {
        for (StackTraceElement frame : stack) {
            for (KnownOffender each : all()) {
                if (Offload.matches(each.frames, frame.getClassName(), frame.getMethodName())) {
                    return Optional.of(each);
                }
            }
        }
        return Optional.empty();
    }

    /**
     * The one that is met as soon as a class is used: a library that keeps something for each OS thread, where all greenlets of
     * a hub share one. The agent says so when it is loaded.
     *
     * @param type the name of the class
     */
    public static Optional<KnownOffender> loaded(String type) {
        for (String each : PACKAGES) {
            if (type.startsWith(each)) {
                return all().stream().filter(known -> known.frames.equals(type + LOADED)).findFirst();
            }
        }
        return Optional.empty();
    }

    private static List<KnownOffender> read() {
        try (InputStream in = KnownOffender.class.getResourceAsStream(LIST)) {
            if (in == null) {
                throw new IllegalStateException(LIST + " is missing from Loomlet's jar");
            }
            List<KnownOffender> all = new ArrayList<>();
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    String[] columns = line.split("\t", -1);
                    if (columns.length != COLUMNS) {
                        throw new IllegalStateException(LIST + ": not five columns: " + line);
                    }
                    all.add(new KnownOffender(columns[0], columns[1], columns[2], columns[3], columns[4]));
                }
            }
            return List.copyOf(all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One line, for people. */
    @Override
    public String toString() {
        return library + " (seen in " + versions + ") " + symptom + ": " + remedy;
    }
}
