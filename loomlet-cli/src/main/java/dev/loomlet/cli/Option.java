package dev.loomlet.cli;

import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Model.OptionSpec;

/**
 * An option of a command.
 *
 * @param names how it may be written, dashes included
 * @param argument what its value is called, or {@code ""} for one without a value
 * @param help what it does
 */
record Option(List<String> names, String argument, String help) {

    /** One that is there or not. */
    static Option flag(String name, String help) {
        return new Option(List.of(name), "", help);
    }

    /** One with a value, written {@code --name value} or {@code --name=value}. */
    static Option value(String name, String argument, String help) {
        return new Option(List.of(name), argument, help);
    }

    /** The same with one more name. */
    Option or(String name) {
        return new Option(Stream.concat(names.stream(), Stream.of(name)).toList(), argument, help);
    }

    String spelling() {
        return String.join(", ", names) + (argument.isEmpty() ? "" : " " + argument);
    }

    /** The same, for picocli. */
    OptionSpec spec() {
        OptionSpec.Builder spec = OptionSpec.builder(names.toArray(String[]::new)).description(help);
        return argument.isEmpty()
                ? spec.type(boolean.class).arity("0").build()
                : spec.type(String.class).arity("1").paramLabel(argument).build();
    }
}
