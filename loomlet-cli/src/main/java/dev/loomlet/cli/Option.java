package dev.loomlet.cli;

import java.util.ArrayList;
import java.util.List;

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
        List<String> all = new ArrayList<>(names);
        all.add(name);
        return new Option(List.copyOf(all), argument, help);
    }

    String spelling() {
        return String.join(", ", names) + (argument.isEmpty() ? "" : " " + argument);
    }

    /** How {@code --help} shows it: short names first, long ones below each other. */
    String column() {
        String shorts = "";
        String longs = "";
        for (String each : names) {
            if (each.startsWith("--") || each.length() > 2) {
                longs += (longs.isEmpty() ? "" : ", ") + each;
            } else {
                shorts += each + ", ";
            }
        }
        return "  " + (shorts.isEmpty() ? "    " : shorts) + longs + (argument.isEmpty() ? "" : "=" + argument);
    }
}
