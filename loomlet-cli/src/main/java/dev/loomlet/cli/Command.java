package dev.loomlet.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * One command: its options, what {@code --help} says of it, and what it does.
 *
 * <p>No library parses the command line: picocli, the obvious one, more than doubled the time to start.
 */
abstract class Command {

    /** What the process ends with after a mistake in the command line. */
    static final int USAGE_ERROR = 2;

    private static final Option HELP = Option.flag("--help", "shows this").or("-h");

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

    final String summary() {
        return summary;
    }

    /** The options it takes besides {@code --help}. */
    List<Option> options() {
        return List.of();
    }

    /** What {@code --help} says below the options. */
    List<String> details() {
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
     * push it off the screen.
     *
     * @param typed the words that led to this command, this one included
     * @return the exit code
     */
    final int execute(String typed, List<String> args, Terminal terminal) {
        List<Option> options = new ArrayList<>(options());
        options.add(HELP);
        try {
            Invocation invocation = Invocation.parse(typed, options, args, terminal);
            if (invocation.has(HELP)) {
                help(typed, options, terminal.out());
                return 0;
            }
            return call(invocation);
        } catch (UsageException e) {
            terminal.err().println(typed + ": " + e.getMessage() + " (" + typed + " --help tells more)");
            return USAGE_ERROR;
        }
    }

    private void help(String typed, List<Option> options, PrintStream out) {
        out.println("Usage: " + typed + ' ' + synopsis);
        out.println();
        out.println(summary);
        out.println();
        out.println("Options:");
        table(options.stream().map(option -> new Row(option.spelling(), option.help())).toList()).forEach(out::println);
        details().forEach(out::println);
    }

    record Row(String left, String right) {}

    static List<String> table(List<Row> rows) {
        int width = rows.stream().mapToInt(row -> row.left.length()).max().orElse(0) + 2;
        return rows.stream().map(row -> "  " + row.left + " ".repeat(width - row.left.length()) + row.right).toList();
    }
}
