package dev.loomlet.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One command: its options, what {@code --help} says of it, and what it does.
 *
 * <p>The command line is read here and not by a library, because it is read each time a program is run: picocli took a third
 * of the time to start, since its classes are of a format that the JVM does not archive.
 */
abstract class Command {

    /** What the process ends with after a mistake in the command line. */
    static final int USAGE_ERROR = 2;

    private static final Option HELP = Option.flag("--help", "shows this").or("-h");

    /** How wide the names of an option may be for its explanation to stand beside them. */
    private static final int COLUMN = 30;

    private final String name;
    private final String synopsis;
    private final String summary;

    /**
     * @param name what it is called by
     * @param synopsis what follows the name, as {@code --help} shows it, such as {@code "[OPTIONS] FILE"}
     * @param summary what it does, in one line
     */
    Command(String name, String synopsis, String summary) {
        this.name = name;
        this.synopsis = synopsis;
        this.summary = summary;
    }

    final String name() {
        return name;
    }

    /** The options it takes besides {@code --help}. */
    List<Option> options() {
        return List.of();
    }

    /** What {@code --help} says below the options. */
    List<String> details() {
        return List.of();
    }

    /** The commands it leads to. */
    List<Command> commands() {
        return List.of();
    }

    /**
     * Does what was asked for.
     *
     * @return the exit code
     * @throws UsageException when what was asked for cannot be; it is explained, and the exit code is 2
     */
    abstract int call(Invocation invocation) throws UsageException;

    /**
     * Does what {@code args} ask for. A mistake in them is explained in one line, without a page of help that would
     * push it off the screen. Options end before the first argument that is none, or after {@code --}: what follows is left
     * alone, so that a program's own options need nothing before them.
     *
     * @return the exit code
     */
    final int execute(List<String> args, Terminal terminal) {
        return execute(name, args, terminal);
    }

    private int execute(String typed, List<String> args, Terminal terminal) {
        try {
            Map<String, String> values = new HashMap<>(); // by the first name of the option
            int next = 0;
            while (next < args.size() && args.get(next).length() > 1 && args.get(next).startsWith("-")) {
                String word = args.get(next++);
                if (word.equals("--")) {
                    break;
                }
                int equals = word.indexOf('=');
                String given = equals < 0 ? word : word.substring(0, equals);
                if (HELP.names().contains(given)) {
                    help(typed, terminal.out());
                    return 0;
                }
                Option option = option(given);
                if (option == null) {
                    throw new UsageException("Unknown option: '" + word + "'");
                }
                String value = equals < 0 ? "" : word.substring(equals + 1);
                if (option.argument().isEmpty()) {
                    if (equals >= 0) {
                        throw new UsageException("option '" + given + "' should be specified without '" + value + "'");
                    }
                } else if (equals < 0) {
                    if (next == args.size()) {
                        throw new UsageException("Missing required parameter for option '" + given + "' ("
                                + option.argument() + ")");
                    }
                    value = args.get(next++);
                }
                if (values.put(option.names().getFirst(), value) != null) {
                    throw new UsageException("option '" + given + "' should be specified only once");
                }
            }
            List<String> arguments = List.copyOf(args.subList(next, args.size()));
            if (!commands().isEmpty() && !arguments.isEmpty()) {
                for (Command each : commands()) {
                    if (each.name().equals(arguments.getFirst())) {
                        return each.execute(typed + " " + each.name(), arguments.subList(1, arguments.size()),
                                terminal);
                    }
                }
                throw new UsageException("Unmatched argument at index " + next + ": '" + arguments.getFirst() + "'");
            }
            return call(new Invocation(values, arguments, terminal));
        } catch (UsageException e) {
            terminal.err().println(typed + ": " + e.getMessage() + " (" + typed + " --help tells more)");
            return USAGE_ERROR;
        }
    }

    private @Nullable Option option(String given) {
        for (Option each : options()) {
            if (each.names().contains(given)) {
                return each;
            }
        }
        return null;
    }

    private void help(String typed, PrintStream out) {
        out.println("Usage: " + typed + " " + synopsis);
        out.println(summary);
        List<Option> all = new ArrayList<>(options());
        all.add(HELP);
        int width = 0;
        for (Option each : all) {
            if (each.column().length() <= COLUMN) {
                width = Math.max(width, each.column().length());
            }
        }
        for (Option each : all) {
            String names = each.column();
            if (names.length() > COLUMN) {
                out.println(names);
                names = "";
            }
            out.println(names + " ".repeat(width - names.length() + 3) + each.help());
        }
        if (!commands().isEmpty()) {
            out.println("Commands:");
            int longest = 0;
            for (Command each : commands()) {
                longest = Math.max(longest, each.name().length());
            }
            for (Command each : commands()) {
                out.println("  " + each.name() + " ".repeat(longest - each.name().length() + 2) + each.summary);
            }
        }
        details().forEach(out::println);
    }
}
