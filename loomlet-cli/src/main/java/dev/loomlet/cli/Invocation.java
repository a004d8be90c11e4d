package dev.loomlet.cli;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ParseResult;

/**
 * What was typed, taken apart.
 *
 * @param parsed what picocli makes of it
 * @param terminal where to write
 */
record Invocation(ParseResult parsed, Terminal terminal) {

    /** What follows the options. */
    List<String> arguments() {
        return parsed.matchedPositionalValue(0, List.of());
    }

    boolean has(Option option) {
        return parsed.hasMatchedOption(option.names().getFirst());
    }

    Optional<String> value(Option option) {
        return Optional.ofNullable(parsed.matchedOptionValue(option.names().getFirst(), null));
    }

    /** The whole number given for {@code option}, if it was given. */
    Optional<Integer> number(Option option, int least, int most) throws UsageException {
        Optional<String> text = value(option);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            int number = Integer.parseInt(text.get());
            if (number >= least && number <= most) {
                return Optional.of(number);
            }
        } catch (NumberFormatException _) {
            // falls through to the same message
        }
        throw new UsageException(option.names().getFirst() + " must be a whole number from " + least + " to " + most
                + ", not \"" + text.get() + '"');
    }

    /** For a command that takes none. */
    void refuseArguments() throws UsageException {
        if (!arguments().isEmpty()) {
            throw new UsageException("what is \"" + arguments().getFirst() + "\" for? It takes no arguments");
        }
    }
}
