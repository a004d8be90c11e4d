package dev.loomlet.cli;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was typed, taken apart.
 *
 * @param typed the words that led to the command, the command's own included
 * @param values the options that were given, with their values; {@code ""} for one that takes none
 * @param arguments what follows the options
 * @param terminal where to write
 */
record Invocation(String typed, Map<Option, String> values, List<String> arguments, Terminal terminal) {

    /**
     * Options end before the first argument that is none, or after {@code --}: what follows is left alone, so that a
     * program's own options need nothing before them.
     */
    static Invocation parse(String typed, List<Option> options, List<String> args, Terminal terminal)
            throws UsageException {
        Map<Option, String> values = new HashMap<>();
        int next = 0;
        while (next < args.size()) {
            String arg = args.get(next);
            if (!arg.startsWith("-") || arg.equals("-")) {
                break;
            }
            next++;
            if (arg.equals("--")) {
                break;
            }
            int equals = arg.startsWith("--") ? arg.indexOf('=') : -1;
            String name = equals < 0 ? arg : arg.substring(0, equals);
            Option option = options.stream().filter(each -> each.names().contains(name)).findFirst()
                    .orElseThrow(() -> new UsageException("there is no option " + name));
            if (option.isFlag()) {
                if (equals >= 0) {
                    throw new UsageException(name + " takes no value");
                }
                values.put(option, "");
            } else if (equals >= 0) {
                values.put(option, arg.substring(equals + 1));
            } else if (next < args.size()) {
                values.put(option, args.get(next++));
            } else {
                throw new UsageException(name + " needs a value: " + option.spelling());
            }
        }
        return new Invocation(typed, Map.copyOf(values), List.copyOf(args.subList(next, args.size())), terminal);
    }

    boolean has(Option option) {
        return values.containsKey(option);
    }

    Optional<String> value(Option option) {
        return Optional.ofNullable(values.get(option));
    }

    /** The whole number given for {@code option}, if it was given. */
    Optional<Integer> number(Option option, int least, int most) throws UsageException {
        String text = values.get(option);
        if (text == null) {
            return Optional.empty();
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return Optional.of(number);
            }
        } catch (NumberFormatException _) {
            // falls through to the same message
        }
        throw new UsageException(option.names().getFirst() + " must be a whole number from " + least + " to " + most
                + ", not \"" + text + '"');
    }

    /** For a command that takes none. */
    void refuseArguments() throws UsageException {
        if (!arguments.isEmpty()) {
            throw new UsageException("what is \"" + arguments.getFirst() + "\" for? It takes no arguments");
        }
    }
}
