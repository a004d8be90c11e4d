package dev.loomlet.agent;

import dev.loomlet.internal.jdk.OffloadedMethods;
import dev.loomlet.internal.loop.Greenlets;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** The rules that say which methods are kept off the hub, and what came of them. */
final class Offloading {
    private final List<String> rules = new CopyOnWriteArrayList<>();
    private final Instrumentation instrumentation;
    private final Map<String, Integer> methods = new ConcurrentHashMap<>(); // by rule
    private final Set<String> refused = ConcurrentHashMap.newKeySet();

    /** Takes the rules that are there from the start: those given, and those of the system properties. */
    Offloading(Instrumentation instrumentation, List<String> given) throws UnusableProgram {
        this.instrumentation = instrumentation;
        List<String> all = new ArrayList<>(given);
        String property = System.getProperty("loomlet.offload", "");
        for (String each : property.split("[,\\s]+", -1)) {
            if (!each.isBlank()) {
                all.add(each);
            }
        }
        String file = System.getProperty("loomlet.offload.file");
        if (file != null) {
            try {
                for (String line : Files.readAllLines(Path.of(file))) {
                    String rule = line.strip();
                    if (!rule.isEmpty() && !rule.startsWith("//")) {
                        all.add(rule);
                    }
                }
            } catch (IOException e) {
                throw new UnusableProgram("cannot read the offloading rules in " + file + ": " + e);
            }
        }
        rules.addAll(all);
        try {
            Greenlets.inside().offload(all, this::add);
        } catch (IllegalArgumentException e) {
            throw new UnusableProgram(String.valueOf(e.getMessage()));
        }
    }

    private void add(String rule) {
        for (Class<?> each : instrumentation.getAllLoadedClasses()) {
            if (!each.isArray() && each.getClassLoader() != null && selects(rule, each.getName(), "")) {
                throw new IllegalStateException("the offloading rule " + rule + " comes too late: " + each.getName()
                        + " is loaded already. Give it before, or with --offload or -Dloomlet.offload");
            }
        }
        rules.add(rule);
    }

    private static boolean selects(String rule, String type, String method) {
        return Greenlets.inside().selects(rule, type, method);
    }

    /** The class rewritten, or null if no rule selects anything in it. */
    byte @Nullable [] transform(String name, byte[] bytes) {
        if (rules.isEmpty()) {
            return null;
        }
        String type = name.replace('/', '.');
        List<String> selecting = rules.stream().filter(each -> selects(each, type, "")).toList();
        if (selecting.isEmpty()) {
            return null;
        }
        try {
            return OffloadedMethods.transform(bytes, (method, descriptor) -> {
                for (String each : selecting) {
                    if (selects(each, type, method)) {
                        methods.merge(each, 1, Integer::sum);
                        return true;
                    }
                }
                return false;
            });
        } catch (RuntimeException | LinkageError e) {
            refused.add(type + ": " + e);
            System.err.println("loomlet: cannot apply the offloading rules " + selecting + " to " + type + ": " + e);
            return null;
        }
    }

    /** What came of each rule, for the report. */
    List<String> report() {
        List<String> lines = new ArrayList<>();
        for (String each : rules) {
            int count = methods.getOrDefault(each, 0);
            lines.add(each + ": " + (count == 0 ? "no such class was loaded, or it has no such method"
                    : count + (count == 1 ? " method" : " methods")));
        }
        lines.addAll(refused);
        return lines;
    }
}
