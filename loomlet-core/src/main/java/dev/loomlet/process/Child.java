package dev.loomlet.process;

import dev.loomlet.internal.jdk.ChildProcess;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.sync.Event;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A running program, with pipes to its standard streams. Whoever waits in it parks: other greenlets of the hub run.
 *
 * {@snippet :
 * try (Child sort = Processes.start("sort")) {
 *     sort.stdin().write("b\na\n".getBytes());
 *     sort.stdin().close();
 *     String first = sort.readLine().orElseThrow(); // "a"
 *     int code = sort.waitFor();
 * }
 * }
 *
 * <p><b>Close it.</b> {@link #close} kills the program with all it has started, if it still runs, and closes the pipes. Its
 * end is noticed in any case, so there are no zombies.
 *
 * <p><b>Pipes are small</b> (64 KiB on Linux): who only writes into a program that prints as much will wait for ever, and
 * the program too. {@link #communicate} does both at the same time.
 *
 * <p><b>Threads.</b> Any. Each of the three streams is for one greenlet at a time.
 *
 * <p>gevent's {@code subprocess.Popen}.
 */
public final class Child implements AutoCloseable {
    private static final Duration REAPING = Duration.ofSeconds(10);
    private static final int CHUNK = 64 * 1024;
    private static final int TURN = 16;

    private final List<String> command;
    private final Charset charset;
    private final long limit;
    private final Process process;
    private final Pipe stdin;
    private final Pipe stdout;
    private final Pipe stderr;
    private final PipeStreams.In out;
    private final PipeStreams.In err;
    private final PipeStreams.Out in;
    private final Event exited = new Event();
    private volatile int exitCode; // written before exited is set

    // communicate's, which one greenlet calls at a time
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private byte @Nullable [] input;
    private int sent;

    private Child(Command.Settings settings, Process process) throws IOException {
        this.command = settings.words();
        this.charset = settings.charset();
        this.limit = settings.limit();
        this.process = process;
        String name = command.getFirst();
        this.stdin = Pipe.writing(process.getOutputStream(), "the input of " + name);
        this.stdout = Pipe.reading(process.getInputStream(), "the output of " + name);
        this.stderr = Pipe.reading(process.getErrorStream(), "the errors of " + name);
        this.in = new PipeStreams.Out(stdin);
        this.out = new PipeStreams.In(stdout);
        this.err = new PipeStreams.In(stderr);
        ChildProcess.whenExited(process, code -> {
            exitCode = code;
            exited.set();
        });
    }

    static Child start(Command.Settings settings) throws IOException {
        if (!ChildProcess.problem().isEmpty()) {
            throw new IOException("cannot run " + settings.words().getFirst() + " beside greenlets: "
                    + ChildProcess.problem() + ". Use java.lang.ProcessBuilder, in hub.threadPool()");
        }
        ProcessBuilder builder = new ProcessBuilder(settings.words());
        if (settings.directory() != null) {
            builder.directory(settings.directory().toFile());
        }
        builder.environment().putAll(settings.environment());
        builder.redirectErrorStream(settings.merge());
        if (settings.inheritErrors()) {
            builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        }
        Process process = builder.start();
        boolean made = false;
        try {
            Child child = new Child(settings, process);
            made = true;
            return child;
        } finally {
            if (!made) {
                process.destroyForcibly(); // closes the pipes that are still its own
            }
        }
    }

    /** What was started. */
    public List<String> command() {
        return command;
    }

    /** Its number, as the system counts. */
    public long pid() {
        return process.pid();
    }

    /** For what the JDK can tell of it. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /** Whether it has not ended yet. Never waits. */
    public boolean isAlive() {
        return !exited.isSet();
    }

    /** Its exit code, if it has ended. Never waits. */
    public OptionalInt exitCode() {
        return exited.isSet() ? OptionalInt.of(exitCode) : OptionalInt.empty();
    }

    /**
     * Where its input is written to. Not buffered; a write waits while the pipe is full, and fails with "Broken pipe" when
     * the program does not read any more. Close it, and the program sees the end of its input.
     */
    public OutputStream stdin() {
        return in;
    }

    /** Where its output is read from. */
    public InputStream stdout() {
        return out;
    }

    /** Where its errors are read from; empty if they are merged or inherited. */
    public InputStream stderr() {
        return err;
    }

    /** The next line of its output without its end, or empty at the end of the output. Waits for it. */
    public Optional<String> readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (;;) {
            int b = out.read();
            if (b < 0 && line.size() == 0) {
                return Optional.empty();
            }
            if (b < 0 || b == '\n') {
                String text = line.toString(charset);
                return Optional.of(text.endsWith("\r") ? text.substring(0, text.length() - 1) : text);
            }
            line.write(b);
        }
    }

    /** Waits until it ends, and gives its exit code. A killed greenlet leaves; the program goes on. */
    public int waitFor() {
        awaitExit(null);
        return exitCode;
    }

    /** The same, at most so long; empty if it still runs then. */
    public OptionalInt waitFor(Duration timeout) {
        awaitExit(timeout);
        return exitCode();
    }

    private boolean awaitExit(@Nullable Duration timeout) {
        Loop loop = Loop.here();
        if (loop != null) {
            loop.promise(); // the thread that sees the exit will call in
        }
        try {
            if (timeout != null) {
                return exited.await(timeout);
            }
            exited.await();
            return true;
        } finally {
            if (loop != null) {
                loop.promiseKept();
            }
        }
    }

    /**
     * Feeds it this input, closes its input, collects its output and errors, and waits for its end, all at the same time.
     *
     * <p>The end is that of its output too: a program that leaves another one running with the same output is waited for as
     * long as that runs.
     *
     * @throws ProcessFailed if it prints more than the command's limit; it is killed then
     */
    public Result communicate(byte[] input) throws IOException {
        return communicate(input, -1);
    }

    /**
     * The same, at most so long.
     *
     * @throws ProcessTimeout if the time is over; it still runs then, and you can call this again, with no input, to go on:
     *     nothing that it has printed is lost. Or {@link #kill} it
     */
    public Result communicate(byte[] input, Duration timeout) throws IOException {
        return communicate(input, Nanos.of(timeout));
    }

    private Result communicate(byte[] more, long nanos) throws IOException {
        if (input == null) {
            input = more;
        } else if (more.length > 0) {
            throw new IllegalStateException("the input of " + command.getFirst() + " was given before");
        }
        long end = System.nanoTime() + Math.max(nanos, 0);
        byte[] chunk = new byte[CHUNK];
        List<Pipe> open = new ArrayList<>(3);
        int idle = 0;
        for (int turns = 1;; turns++) {
            boolean moved = feed(input);
            moved |= collect(stdout, out, output, chunk);
            moved |= collect(stderr, err, errors, chunk);
            open.clear();
            for (Pipe each : List.of(stdin, stdout, stderr)) {
                if (!each.closed()) {
                    open.add(each);
                }
            }
            if (stdout.closed() && stderr.closed()) {
                stdin.close(); // it can still read, but what for: nobody will see what becomes of it
                break;
            }
            if (moved) {
                idle = 0;
                if (turns % TURN == 0) {
                    Loop.giveWay();
                }
            }
            long left = nanos < 0 ? -1 : Math.max(0, end - System.nanoTime());
            if (left == 0 || (!moved && !Pipe.await(open, left, idle++))) {
                throw late(nanos);
            }
        }
        if (nanos < 0) {
            waitFor();
        } else if (waitFor(Duration.ofNanos(Math.max(0, end - System.nanoTime()))).isEmpty()) {
            throw late(nanos);
        }
        return result();
    }

    private boolean feed(byte[] input) throws IOException {
        if (stdin.closed()) {
            return false;
        }
        int n = 0;
        if (sent < input.length) {
            try {
                n = stdin.write(input, sent, input.length - sent);
            } catch (IOException e) {
                sent = input.length; // it has closed its input, as head does: no error of ours, what it prints counts
            }
        }
        sent += n;
        if (sent >= input.length) {
            stdin.close();
            return true;
        }
        return n > 0;
    }

    private boolean collect(Pipe pipe, PipeStreams.In stream, ByteArrayOutputStream into, byte[] chunk)
            throws IOException {
        if (pipe.closed()) {
            return false;
        }
        int n = stream.takeBuffered(chunk, 0, chunk.length);
        if (n == 0) {
            n = pipe.read(chunk, 0, chunk.length);
        }
        if (n < 0) {
            pipe.close();
            return true;
        }
        int room = (int) Math.min(n, limit - into.size());
        into.write(chunk, 0, room);
        if (room < n) {
            close();
            throw new ProcessFailed(String.join(" ", command) + " printed more than " + limit
                    + " bytes and was killed", result());
        }
        return n > 0;
    }

    private ProcessTimeout late(long nanos) {
        return new ProcessTimeout(String.join(" ", command) + " (process " + pid() + ") did not end within "
                + nanos / 1_000_000 + " ms", result());
    }

    private Result result() {
        return new Result(command, exitCode().orElse(-1), output.toByteArray(), errors.toByteArray(), charset);
    }

    /** Asks it to end (SIGTERM), and nobody else. Does not wait. */
    public void terminate() {
        if (isAlive()) {
            handle().destroy();
        }
    }

    /**
     * Kills it and all it has started and these have started (SIGKILL), and waits until it is gone. A program that has left
     * its family, as daemons do, is not found.
     */
    public void kill() {
        if (!isAlive()) {
            return;
        }
        killTree(handle());
        awaitExit(REAPING); // one that hangs in the kernel is left to the JDK's thread, which waits for it
    }

    /**
     * From the root down, and each one's children are looked up just before it dies: after that it could start no more, and
     * nobody would know any more whose they were.
     */
    private static void killTree(ProcessHandle root) {
        Set<ProcessHandle> known = new LinkedHashSet<>();
        known.add(root);
        root.descendants().forEach(known::add);
        List<ProcessHandle> next = List.copyOf(known);
        while (!next.isEmpty()) {
            List<ProcessHandle> found = new ArrayList<>();
            for (ProcessHandle each : next) {
                each.children().filter(known::add).forEach(found::add);
                each.destroyForcibly();
            }
            next = found;
        }
    }

    /** Kills it if it still runs, see {@link #kill}, and closes the pipes. Closing twice is harmless. Any thread. */
    @Override
    public void close() throws IOException {
        try {
            kill();
        } finally {
            stdin.close();
            stdout.close();
            stderr.close();
        }
    }

    @Override
    public String toString() {
        return "Child[" + String.join(" ", command) + ", process " + pid() + ", "
                + (isAlive() ? "running" : "exit code " + exitCode) + "]";
    }
}
