package dev.loomlet.agent;

import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.ThreadHooks;
import java.io.PrintStream;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What {@code --report} tells. On which threads the program's code runs is looked up in the stacks of all threads, every
 * {@value #PERIOD_MILLIS} ms: a sample, so a thread that ran the program's code for an instant may be missing. Threads
 * that the program started and that stayed real are never missing.
 */
final class RunReport {
    private static final int PERIOD_MILLIS = 20;
    private static final int NAMES_SHOWN = 8;

    private final Hub hub;
    private final AppThreads threads;
    private final Ownership ownership;
    private final @Nullable Patches patches;
    private final String sockets;
    private final long begin = System.nanoTime();
    private final Set<String> seen = Collections.synchronizedSet(new TreeSet<>());

    RunReport(Hub hub, AppThreads threads, Ownership ownership, @Nullable Patches patches,
            String sockets) {
        this.hub = hub;
        this.threads = threads;
        this.ownership = ownership;
        this.patches = patches;
        this.sockets = sockets;
    }

    /** Begins to look, on a thread of its own, until the process ends. */
    void watch() {
        Thread watcher = new Thread(null, () -> {
            try {
                for (;;) {
                    look();
                    Thread.sleep(PERIOD_MILLIS);
                }
            } catch (InterruptedException e) {
                // somebody wants it to end
            }
        }, "loomlet-report");
        watcher.setDaemon(true);
        watcher.start();
        Thread printer = new Thread(null, () -> print(System.err), "loomlet-report-end");
        Runtime.getRuntime().addShutdownHook(printer);
    }

    private void look() {
        for (Map.Entry<Thread, StackTraceElement[]> each : Thread.getAllStackTraces().entrySet()) {
            Thread thread = each.getKey();
            if (!ThreadHooks.isFace(thread) && !thread.getName().startsWith("loomlet-")
                    && !seen.contains(thread.getName()) && runsProgram(each.getValue())) {
                seen.add(thread.getName());
            }
        }
    }

    private boolean runsProgram(StackTraceElement[] stack) {
        for (StackTraceElement each : stack) {
            if (each.getModuleName() == null && !each.getClassName().startsWith("dev.loomlet.")
                    && ownership.programHas(each.getClassName())) {
                return true;
            }
        }
        return false;
    }

    private void print(PrintStream out) {
        Set<String> osThreads = new TreeSet<>(seen);
        osThreads.addAll(threads.leftReal());
        osThreads.add(hub.thread().getName());
        StringBuilder text = new StringBuilder();
        line(text, "run", seconds(System.nanoTime() - begin));
        line(text, "OS threads for user code", osThreads.size() + ": " + String.join(", ", osThreads));
        if (!threads.ofLibraries().isEmpty()) {
            line(text, "threads of libraries", librariesThreads());
        }
        line(text, "greenlets", hub.startedGreenlets() + ", at most " + hub.peakGreenlets() + " at a time; "
                + threads.started() + " were the program's threads");
        line(text, "switches", "" + hub.switches());
        line(text, "hub blocked", seconds(hub.blocked().toNanos())
                + ", by greenlets that ran more than 10 ms without giving way");
        line(text, "backend", hub.backend());
        line(text, "sockets", sockets);
        if (patches == null) {
            line(text, "patched", "nothing: there is no agent in this JVM");
        } else {
            line(text, "patched", ThreadHooks.PATCHED.stream().flatMap(Set::stream)
                    .filter(each -> !patches.failed().containsKey(each.getName()))
                    .map(Class::getSimpleName).sorted().collect(Collectors.joining(", "))
                    + (patches.kept() ? ", as kept by an earlier run" : "")
                    + "; Thread.currentThread() in " + patches.rewritten() + " classes");
            for (String each : patches.offloading().report()) {
                line(text, "offloaded", each);
            }
            patches.failed().forEach((name, why) -> line(text, "not patched", name + ": " + why));
        }
        line(text, "not cooperative",
                "native code without an offloading rule, and loops that never wait, hold the hub up");
        out.print(text);
        out.flush();
    }

    private String librariesThreads() {
        Set<String> names = new TreeSet<>(threads.ofLibraries());
        return names.size() + ", left real: " + names.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", "))
                + (names.size() > NAMES_SHOWN ? ", ..." : "") + "; --threads all makes greenlets of them, too";
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append("loomlet: ").append(label).append(" ".repeat(Math.max(1, 26 - label.length()))).append(value)
                .append(System.lineSeparator());
    }
}
