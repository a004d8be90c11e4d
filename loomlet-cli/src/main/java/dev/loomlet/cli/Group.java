package dev.loomlet.cli;

import java.util.ArrayList;
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
    List<String> details() {
        List<String> lines = new ArrayList<>();
        if (!commands.isEmpty()) {
            lines.add("");
            lines.add("Commands:");
            lines.addAll(table(commands.stream().map(each -> new Row(each.name(), each.summary())).toList()));
        }
        return lines;
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        List<String> words = invocation.arguments();
        if (words.isEmpty()) {
            throw new UsageException("which command? " + names());
        }
        String name = words.getFirst();
        for (Command command : commands) {
            if (command.name().equals(name)) {
                return command.execute(invocation.typed() + ' ' + name, words.subList(1, words.size()),
                        invocation.terminal());
            }
        }
        throw new UsageException("there is no command \"" + name + "\". " + names());
    }

    private String names() {
        return "There is " + commands.stream().map(Command::name).collect(Collectors.joining(", "));
    }
}
