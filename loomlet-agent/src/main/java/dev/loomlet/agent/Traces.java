package dev.loomlet.agent;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Stack traces as the program would have them without us: those of our frames at the bottom are cut off. */
final class Traces {
    private Traces() {}

    /** Cuts them off from an error, its causes and what it suppresses. */
    static void trim(Throwable error) {
        trim(error, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private static void trim(Throwable error, Set<Throwable> seen) {
        if (!seen.add(error)) {
            return;
        }
        error.setStackTrace(trim(error.getStackTrace()));
        if (error.getCause() != null) {
            trim(error.getCause(), seen);
        }
        for (Throwable each : error.getSuppressed()) {
            trim(each, seen);
        }
    }

    private static StackTraceElement[] trim(StackTraceElement[] frames) {
        int end = frames.length;
        for (int i = 0; i < frames.length; i++) {
            if (ours(frames[i])) {
                end = i;
                // how we called it
                while (end > 0 && reflective(frames[end - 1])) {
                    end--;
                }
                break;
            }
        }
        return end == 0 ? frames : Arrays.copyOf(frames, end);
    }

    private static boolean ours(StackTraceElement frame) {
        String type = frame.getClassName();
        return type.startsWith("dev.loomlet.agent.") || type.startsWith("dev.loomlet.internal.jdk.ThreadHooks");
    }

    private static boolean reflective(StackTraceElement frame) {
        String type = frame.getClassName();
        return type.startsWith("java.lang.reflect.") || type.startsWith("java.lang.invoke.")
                || (frame.getModuleName() != null && type.contains(".internal.reflect."));
    }
}
