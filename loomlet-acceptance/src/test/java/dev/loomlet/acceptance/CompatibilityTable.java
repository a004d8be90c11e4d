package dev.loomlet.acceptance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** docs/compatibility.md, made of what {@link Findings} holds. */
final class CompatibilityTable {
    private static final Pattern ROW = Pattern.compile("^\\| ([^|]+) \\| [^|]* \\|.*$", Pattern.MULTILINE);

    private final List<Properties> rows = new ArrayList<>();

    static CompatibilityTable read(Path folder) throws IOException {
        CompatibilityTable table = new CompatibilityTable();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path each : files.sorted().toList()) {
                Properties row = new Properties();
                try (var in = Files.newBufferedReader(each)) {
                    row.load(in);
                }
                table.rows.add(row);
            }
        }
        table.rows
                .sort(Comparator.comparing((Properties row) -> row.getProperty("name"), String.CASE_INSENSITIVE_ORDER));
        return table;
    }

    Set<String> libraries() {
        Set<String> names = new TreeSet<>();
        rows.forEach(row -> names.add(row.getProperty("name")));
        return names;
    }

    /** The libraries of a table that was written before. */
    static Set<String> libraries(String text) {
        Set<String> names = new TreeSet<>();
        Matcher row = ROW.matcher(text);
        while (row.find()) {
            String name = row.group(1).strip();
            if (!name.equals("library") && !name.startsWith("---")) {
                names.add(name);
            }
        }
        return names;
    }

    /** What ought to have been proved and was not, in words. */
    List<String> failures() {
        List<String> failures = new ArrayList<>();
        for (Properties row : rows) {
            for (Proof each : Proof.values()) {
                if (cell(row, each).equals("NO")) {
                    failures.add(row.getProperty("name") + ": " + each.heading());
                }
            }
        }
        return failures;
    }

    private static String introduction() {
        return """
                # Other people's software on one hub

                This page is made by the acceptance suite: unmodified clients and servers, each against a real peer, on one
                hub, without an agent except where it is said. To make it anew:

                    mvn -Pacceptance -pl loomlet-core,loomlet-agent,loomlet-acceptance clean verify
                    cp loomlet-acceptance/target/compatibility.md docs/compatibility.md

                What is proved of each: right results; %d calls at the same time, each of which takes %d ms at the other end,
                end in less than three times that; meanwhile another greenlet that wants to run every millisecond never waits
                longer than %d ms (the best of at most %d rounds after one for warming up, since the machine's own pauses are in
                it); a kill and a timeout in mid-call end the call, and everything it held can be used again; TLS, where the
                library has it, with the same bounds; all code of the program ran on the hub's OS thread; at the end no
                greenlet and no socket is left. "yes" is proved, "-" does not apply, "NO" failed. A row that could not be tried
                on the machine says why.

                Clients are called by greenlets, and their peers run on real threads or in a process of their own. Handlers of
                servers are greenlets, and the clients that ask them run on real threads. Threads that a library starts for
                itself stay real threads, unless it lets a program hand it an executor.

                Clients under the agent run in a process of their own, as `./loomlet run` and `-javaagent:` run programs: its
                main thread and the threads that make the calls are plain threads, which the agent makes greenlets of one hub.
                """
                .formatted(OnOneHub.CALLS, OnOneHub.LATENCY.toMillis(), OnOneHub.LONGEST_GAP.toMillis(),
                        OnOneHub.ROUNDS);
    }

    String text() {
        StringBuilder text = new StringBuilder(introduction());
        for (String kind : new String[] {"client", "agent", "server"}) {
            text.append("\n## ").append(switch (kind) {
                case "client" -> "Clients";
                case "agent" -> "Clients under the agent";
                default -> "Servers";
            }).append("\n\n| library | version | ").append(kind.equals("server") ? "asked by" : "peer").append(" |");
            for (Proof each : Proof.values()) {
                text.append(' ').append(each.heading()).append(" |");
            }
            text.append(" what to do |\n|").append(" --- |".repeat(4 + Proof.values().length)).append('\n');
            rows.stream().filter(row -> kind.equals(row.getProperty("kind"))).forEach(row -> append(row, text));
        }
        return text.toString();
    }

    private static void append(Properties row, StringBuilder text) {
        for (String each : new String[] {"name", "version", "peer"}) {
            text.append("| ").append(row.getProperty(each)).append(' ');
        }
        for (Proof each : Proof.values()) {
            text.append("| ").append(cell(row, each)).append(' ');
        }
        String skipped = row.getProperty("skipped");
        String remedy = skipped != null ? "NOT TRIED: " + skipped : row.getProperty("remedy");
        text.append("| ").append(remedy.isEmpty() ? "nothing" : remedy).append(" |\n");
    }

    private static String cell(Properties row, Proof proof) {
        if (row.getProperty("skipped") != null) {
            return "?";
        }
        if (row.getProperty("proved." + proof) == null) {
            return row.getProperty("not." + proof) != null ? "-" : "NO";
        }
        return switch (proof) {
            case CONCURRENT -> row.getProperty("elapsed") + " ms";
            case GAP -> row.getProperty("gap") + " ms";
            case TLS -> "yes, " + row.getProperty("tls.elapsed") + " ms, gap " + row.getProperty("tls.gap") + " ms";
            case KILL, TIMEOUT -> row.getProperty("note." + proof, "yes");
            default -> "yes";
        };
    }
}
