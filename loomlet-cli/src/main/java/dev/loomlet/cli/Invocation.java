package dev.loomlet.cli;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/**
 * What was typed, taken apart by Commons CLI.
 *
 * @param options the options that were given, with their values, {@code ""} for those that have none
 * @param arguments what follows the options
 * @param terminal where to write
 */
record Invocation(Map<Option, String> options, List<String> arguments, Terminal terminal) {

    /**
     * Takes {@code args} apart. Options end before the first argument that is none, or after {@code --}: what follows is
     * left alone, so that a program's own options need nothing before them.
     */
    static Invocation of(List<Option> known, List<String> args, Terminal terminal) throws UsageException {
        var originals = new HashMap<org.apache.commons.cli.Option, Option>();
        var options = new Options();
        for (Option each : known) {
            for (String name : each.names()) {
                org.apache.commons.cli.Option named = each.named(name);
                originals.put(named, each);
                options.addOption(named);
            }
        }
        CommandLine line = parse(options, originals, args);
        var given = new LinkedHashMap<Option, String>();
        for (org.apache.commons.cli.Option each : line.getOptions()) {
            Option option = Objects.requireNonNull(originals.get(each));
            if (given.put(option, each.getValue("")) != null) {
                throw new UsageException(option.names().getFirst() + " is given twice");
            }
        }
        List<String> arguments = line.getArgList();
        refuseUnknown(known, args, arguments);
        return new Invocation(given, arguments, terminal);
    }

    private static CommandLine parse(
            Options options, Map<org.apache.commons.cli.Option, Option> originals, List<String> args)
            throws UsageException {
        try {
            return DefaultParser.builder().setAllowPartialMatching(false).setStripLeadingAndTrailingQuotes(false).get()
                    .parse(options, args.toArray(String[]::new), true);
        } catch (MissingArgumentException e) {
            Option option = Objects.requireNonNull(originals.get(e.getOption()));
            throw new UsageException(
                    option.names().getFirst() + " needs a value: " + option.names().getFirst() + "="
                            + option.argument());
        } catch (ParseException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    /** The parser takes an option that it does not know for the first argument. */
    private static void refuseUnknown(List<Option> known, List<String> args, List<String> arguments)
            throws UsageException {
        int first = args.size() - arguments.size();
        if (arguments.isEmpty() || first > 0 && args.get(first - 1).equals("--")) {
            return;
        }
        String argument = args.get(first); // of "-lx", where -l is known, it has left "x"
        if (argument.startsWith("-") && argument.length() > 1) {
            String name = argument.substring(0, argument.indexOf('=') < 0 ? argument.length() : argument.indexOf('='));
            throw new UsageException(known.stream().anyMatch(each -> each.names().contains(name))
                    ? name + " takes no value: \"" + argument + '"'
                    : "there is no option " + argument);
        }
    }

    boolean has(Option option) {
        return options.containsKey(option);
    }

    Optional<String> value(Option option) {
        return Optional.ofNullable(options.get(option));
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
