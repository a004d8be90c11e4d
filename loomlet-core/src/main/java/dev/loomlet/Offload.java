package dev.loomlet;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Rules that say which methods of a library block in native code and shall be kept off the hub: a greenlet that calls one
 * moves to a thread of {@link Hub#threadPool} for the call, and its hub goes on with the others.
 *
 * {@snippet :
 * Offload.rules("org.sqlite.core.NativeDB#*");  // before the driver is loaded
 * var connection = DriverManager.getConnection("jdbc:sqlite:test.db");
 * }
 *
 * <p>A rule is {@code class#method}, in both of which {@code *} stands for anything. From outside the program the rules come
 * as {@code -Dloomlet.offload=RULE,RULE}, as {@code ./loomlet run --offload RULE}, or one a line in a file that
 * {@code -Dloomlet.offload.file=} names. They need the agent, which rewrites the classes as they are loaded: native
 * methods, static ones and private ones too, but no constructors and no classes of the JDK.
 *
 * <p><b>What happens in the call</b> is what happens in {@link dev.loomlet.pool.ThreadPool#enter}: it is still the same
 * thread to the program, so results, exceptions, thread locals and locks are as ever. The lock of a {@code synchronized}
 * method is taken before the greenlet moves. The code in the call runs beside the other greenlets of the hub.
 *
 * <p><b>Kill and timeout</b> do not reach a greenlet in such a call: they are thrown at its next wait after it, and the next
 * such call is one.
 *
 * <p>On threads that are no greenlets nothing changes. gevent has no counterpart: there, each call has to be given to the
 * thread pool by hand.
 */
public final class Offload {
    private static final List<String> RULES = new CopyOnWriteArrayList<>();
    private static @Nullable Consumer<String> agent; // guarded by the class

    private Offload() {}

    /**
     * Adds rules. Any thread.
     *
     * @throws IllegalArgumentException if one is not of the form {@code class#method}
     * @throws IllegalStateException if there is no agent in this JVM, or a class that a rule names is loaded already
     */
    public static synchronized void rules(String... rules) {
        Consumer<String> told = agent;
        if (told == null) {
            throw new IllegalStateException("offloading rules need the agent: start with ./loomlet run, or with"
                    + " -javaagent:loomlet.jar; without it, use hub.threadPool()");
        }
        for (String each : rules) {
            check(each);
            told.accept(each);
            RULES.add(each);
        }
    }

    /** All rules, as they were given. */
    public static List<String> rules() {
        return List.copyOf(RULES);
    }

    /** For the agent: rules that were there from the start, and who wants to hear of those that are added. */
    static synchronized void connect(List<String> given, Consumer<String> added) {
        for (String each : given) {
            check(each);
        }
        RULES.addAll(given);
        agent = added;
    }

    private static void check(String rule) {
        int hash = rule.indexOf('#');
        if (hash <= 0 || hash == rule.length() - 1 || rule.indexOf('#', hash + 1) >= 0
                || !rule.chars().allMatch(c -> c == '#' || c == '*' || c == '.' || Character.isJavaIdentifierPart(c))) {
            throw new IllegalArgumentException(
                    "\"" + rule + "\" is no offloading rule: it must be CLASS#METHOD, such as"
                            + " org.sqlite.core.NativeDB#* (a * stands for anything, a nested class is Outer$Inner)");
        }
    }

    /** Whether a rule selects a method. */
    static boolean matches(String rule, String type, String method) {
        int hash = rule.indexOf('#');
        return like(rule.substring(0, hash), type) && like(rule.substring(hash + 1), method);
    }

    /** Whether a rule may select methods of a class. */
    static boolean matches(String rule, String type) {
        return like(rule.substring(0, rule.indexOf('#')), type);
    }

    /** Greedy from the left, which is right for patterns that know nothing but {@code *}. */
    private static boolean like(String pattern, String text) {
        int star = pattern.indexOf('*');
        if (star < 0) {
            return pattern.equals(text);
        }
        if (!text.startsWith(pattern.substring(0, star))) {
            return false;
        }
        int at = star;
        for (;;) {
            int next = pattern.indexOf('*', star + 1);
            String part = pattern.substring(star + 1, next < 0 ? pattern.length() : next);
            if (next < 0) {
                return text.length() - at >= part.length() && text.endsWith(part);
            }
            int found = text.indexOf(part, at);
            if (found < 0) {
                return false;
            }
            at = found + part.length();
            star = next;
        }
    }
}
