package dev.loomlet.process;

import java.io.IOException;

/**
 * Runs other programs without holding up the hub.
 *
 * {@snippet :
 * String listing = Processes.run("ls", "-l").check().stdout();
 *
 * try (Child bc = Processes.start("bc", "-q")) {
 *     bc.stdin().write("6 * 7\n".getBytes());
 *     String answer = bc.readLine().orElseThrow(); // "42"
 * }
 * }
 *
 * <p>For more (a timeout, input, a directory, limits) see {@link Command}. Any thread; a platform thread without a hub gets
 * one.
 *
 * <p>gevent's {@code subprocess}.
 */
public final class Processes {
    private Processes() {}

    /** A command to be set up further. */
    public static Command command(String... words) {
        return Command.of(words);
    }

    /**
     * Runs a program to its end and collects its output. Its exit code may be anything, see {@link Result#check}.
     *
     * @throws IOException if it cannot be started; the message names it
     */
    public static Result run(String... words) throws IOException {
        return Command.of(words).run();
    }

    /** Starts a program. Close the result: that ends the program if it still runs. */
    public static Child start(String... words) throws IOException {
        return Command.of(words).start();
    }
}
