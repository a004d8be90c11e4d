package dev.loomlet.cli;

import java.util.List;
import java.util.stream.Stream;

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

    /** The same by one of its names, for Commons CLI. */
    org.apache.commons.cli.Option named(String name) {
        var option = name.startsWith("--")
                ? org.apache.commons.cli.Option.builder().longOpt(name.substring(2))
                : org.apache.commons.cli.Option.builder(name.substring(1));
        return option.hasArg(!argument.isEmpty()).get();
    }
}
