package dev.loomlet.process;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A program, its arguments and how it is to be run. Immutable: each method gives a new one, so one command can be kept and
 * run many times, by several greenlets.
 *
 * {@snippet :
 * Result result = Command.of("convert", "-", "png:-")
 *         .input(picture)
 *         .timeout(ofSeconds(10))
 *         .outputLimit(20_000_000)
 *         .run()
 *         .check();
 * }
 *
 * <p>No shell is involved; for one, {@code Command.of("sh", "-c", "...")}.
 */
public final class Command {
    private static final Charset NATIVE = Charset.forName(System.getProperty("native.encoding", "UTF-8"));

    private final Settings settings;

    /** All there is to set. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares two, and nobody outside sees the array
    record Settings(List<String> words, byte[] input, @Nullable Duration timeout, @Nullable Path directory,
            Map<String, String> environment, boolean merge, boolean inheritErrors, long limit, Charset charset) {

        private Settings with(byte[] input) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(Duration timeout) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(Path directory) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(Map<String, String> environment) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(boolean merge, boolean inheritErrors) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(long limit) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }

        private Settings with(Charset charset) {
            return new Settings(words, input, timeout, directory, environment, merge, inheritErrors, limit, charset);
        }
    }

    private Command(Settings settings) {
        this.settings = settings;
    }

    /** The program, by name or path, and its arguments. */
    public static Command of(String... words) {
        return of(List.of(words));
    }

    /** The program, by name or path, and its arguments. */
    public static Command of(List<String> words) {
        if (words.isEmpty()) {
            throw new IllegalArgumentException("a command needs at least the name of a program");
        }
        return new Command(new Settings(List.copyOf(words), new byte[0], null, null, Map.of(), false, false,
                Long.MAX_VALUE, NATIVE));
    }

    /** What {@link #run} feeds to its standard input, which is closed after that. Nothing by default. */
    public Command input(byte[] bytes) {
        return new Command(settings.with(bytes.clone()));
    }

    /** The same as text, in the command's charset: set that before. */
    public Command input(String text) {
        return new Command(settings.with(text.getBytes(settings.charset)));
    }

    /** How long {@link #run} lets it run before it is killed, with all it has started. For ever by default. */
    public Command timeout(Duration timeout) {
        return new Command(settings.with(timeout));
    }

    /** Where it runs: by default where this program runs. */
    public Command directory(Path directory) {
        return new Command(settings.with(directory));
    }

    /** Sets a variable in its environment, which else is that of this program. */
    public Command environment(String name, String value) {
        Map<String, String> more = new HashMap<>(settings.environment);
        more.put(name, value);
        return new Command(settings.with(Map.copyOf(more)));
    }

    /** Sends its errors into its output, in the order in which they are printed. */
    public Command mergeErrors() {
        return new Command(settings.with(true, false));
    }

    /** Sends its errors to where this program's go. */
    public Command inheritErrors() {
        return new Command(settings.with(false, true));
    }

    /** How many bytes of output, and of errors, {@link #run} collects before it gives up and kills it. */
    public Command outputLimit(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative limit " + bytes);
        }
        return new Command(settings.with(bytes));
    }

    /** What its output is as text; by default what the system uses. */
    public Command charset(Charset charset) {
        return new Command(settings.with(charset));
    }

    /**
     * Runs it to its end, that is until it has exited and has closed its output, and collects what it prints. Output and
     * errors of any size may come while input of any size goes in. Parks the greenlet.
     *
     * <p>However this ends, nothing stays behind: if the greenlet is killed or a {@link dev.loomlet.Timeout} expires, the
     * program and all it has started are killed too.
     *
     * @throws ProcessTimeout if it takes longer than its {@link #timeout}
     * @throws ProcessFailed if it prints more than its {@link #outputLimit}
     * @throws IOException if it cannot be started
     */
    public Result run() throws IOException {
        try (Child child = start()) {
            Duration timeout = settings.timeout;
            return timeout == null ? child.communicate(settings.input) : child.communicate(settings.input, timeout);
        }
    }

    /** Starts it, with pipes to all three of its streams. {@link #input} and {@link #timeout} are {@link #run}'s alone. */
    public Child start() throws IOException {
        return Child.start(settings);
    }

    @Override
    public String toString() {
        return String.join(" ", settings.words);
    }
}
