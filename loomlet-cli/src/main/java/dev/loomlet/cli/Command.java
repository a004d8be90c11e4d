package dev.loomlet.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/**
 * One command: its options, what {@code --help} says of it, and what it does. Picocli reads the command line; it is told
 * through its model, not through annotations, since looking for those takes a third of the time to start.
 */
abstract class Command {

    /** What the process ends with after a mistake in the command line. */
    static final int USAGE_ERROR = 2;

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
        return line(name, terminal)
                .setOut(terminal.outWriter())
                .setErr(terminal.errWriter())
                .setStopAtPositional(true)
                .setParameterExceptionHandler((e, _) -> {
                    String typed = e.getCommandLine().getCommandSpec().qualifiedName();
                    terminal.err().println(typed + ": " + e.getMessage() + " (" + typed + " --help tells more)");
                    return USAGE_ERROR;
                })
                .setExecutionExceptionHandler((e, _, _) -> {
                    throw e;
                })
                .execute(args.toArray(String[]::new));
    }

    private CommandLine line(String typed, Terminal terminal) {
        CommandSpec[] made = new CommandSpec[1];
        Callable<Integer> action = () -> {
            CommandLine line = made[0].commandLine();
            try {
                return call(new Invocation(line.getParseResult(), terminal));
            } catch (UsageException e) {
                throw new ParameterException(line, e.getMessage());
            }
        };
        CommandSpec spec = CommandSpec.wrapWithoutInspection(action).name(name);
        made[0] = spec;
        spec.usageMessage().customSynopsis(typed + " " + synopsis).description(summary)
                .footer(details().toArray(String[]::new)).sortOptions(false).width(120);
        for (Option each : options()) {
            spec.addOption(each.spec());
        }
        spec.addOption(OptionSpec.builder("--help", "-h").usageHelp(true).description("shows this").build());
        if (commands().isEmpty()) {
            spec.addPositional(PositionalParamSpec.builder().type(List.class).auxiliaryTypes(String.class).arity("0..*")
                    .index("0..*").hidden(true).build());
        }
        CommandLine line = new CommandLine(spec);
        for (Command each : commands()) {
            line.addSubcommand(each.name(), each.line(typed + " " + each.name(), terminal));
        }
        return line;
    }
}
