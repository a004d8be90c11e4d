package dev.loomlet.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One command: its options, what {@code --help} says of it, and what it does. */
abstract class Command {

    /** What the process ends with after a mistake in the command line. */
    static final int USAGE_ERROR = 2;

    private static final Option HELP = Option.flag("--help", "shows this").or("-h");

    /** Longer names than this have a line of their own in the help. */
    private static final int NAMES = 22;

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
     * push it off the screen.
     *
     * @return the exit code
     */
    final int execute(List<String> args, Terminal terminal) {
        return execute(name, args, terminal);
    }

    private int execute(String typed, List<String> args, Terminal terminal) {
        try {
            Invocation invocation = Invocation.of(allOptions(), args, terminal);
            if (invocation.has(HELP)) {
                terminal.out().print(help(typed));
                return 0;
            }
            List<String> arguments = invocation.arguments();
            if (commands().isEmpty() || arguments.isEmpty()) {
                return call(invocation);
            }
            for (Command each : commands()) {
                if (each.name.equals(arguments.getFirst())) {
                    return each.execute(typed + " " + each.name, arguments.subList(1, arguments.size()), terminal);
                }
            }
            throw new UsageException("there is no command \"" + arguments.getFirst() + "\", but "
                    + commands().stream().map(Command::name).collect(Collectors.joining(", ")));
        } catch (UsageException e) {
            terminal.err().println(typed + ": " + e.getMessage() + " (" + typed + " --help tells more)");
            return USAGE_ERROR;
        }
    }

    private List<Option> allOptions() {
        var all = new ArrayList<Option>(options());
        all.add(HELP);
        return all;
    }

    private String help(String typed) {
        Stream<String> top = Stream.of("Usage: " + typed + " " + synopsis, summary);
        Stream<String> options = allOptions().stream().flatMap(each -> lines(each.spelling(), each.help()));
        Stream<String> leadsTo = commands().isEmpty()
                ? Stream.of()
                : Stream.concat(Stream.of("Commands:"),
                        commands().stream().flatMap(each -> lines(each.name, each.summary)));
        return Stream.of(top, options, leadsTo, details().stream()).flatMap(lines -> lines)
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static Stream<String> lines(String names, String help) {
        return names.length() > NAMES
                ? Stream.of("  " + names, " ".repeat(NAMES + 4) + help)
                : Stream.of("  " + names + " ".repeat(NAMES + 2 - names.length()) + help);
    }
}
