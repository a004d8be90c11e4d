package dev.loomlet.cli;

import java.util.List;
import java.util.stream.Collectors;

/** A command that only leads to others. */
class Group extends Command {

    private final List<Command> commands;

    Group(String name, String summary, List<Command> commands) {
        super(name, "[OPTIONS] COMMAND ...", summary);
        this.commands = commands;
    }

    @Override
    final List<Command> commands() {
        return commands;
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        throw new UsageException("which command? There is "
                + commands.stream().map(Command::name).collect(Collectors.joining(", ")));
    }
}
