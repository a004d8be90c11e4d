package dev.loomlet.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was typed, taken apart.
 *
 * @param values of the options, by their first names; {@code ""} for those that take none
 * @param arguments what follows the options
 * @param terminal where to write
 */
record Invocation(Map<String, String> values, List<String> arguments, Terminal terminal) {

    boolean has(Option option) {
        return values.containsKey(option.names().getFirst());
    }

    Optional<String> value(Option option) {
        return Optional.ofNullable(values.get(option.names().getFirst()));
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
