package dev.loomlet.internal.jdk;

import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.function.IntConsumer;

/**
 * What {@link Process} does not offer: pipes that say "nothing there yet" instead of blocking, and the exit code as soon
 * as it is known, without a thread that waits for it.
 *
 * <p>The JDK's own thread for a child closes the child's pipes when it exits, after it has read what is left in them. A pipe
 * is therefore taken away from {@code Process} under the same monitor under which that thread looks at it: either it finds
 * nothing to close, or we find what it has read.
 */
public final class ChildProcess {
    private static final int UNAVAILABLE = -2; // sun.nio.ch.IOStatus
    private static final int INTERRUPTED = -3;
    private static final int BUFFER = 64 * 1024; // a pipe holds that much
    private static final int SPARE_BUFFERS = 4;

    /** Found once, at the first child. */
    private static final class Natives {
        static final Class<?> IO = Access.type("sun.nio.ch.IOUtil");
        static final Class<?> FILES = Access.type("sun.nio.ch.UnixFileDispatcherImpl");
        static final MethodHandle CONFIGURE_BLOCKING =
                Access.staticMethod(IO, "configureBlocking", void.class, FileDescriptor.class, boolean.class);
        static final MethodHandle NUMBER = Access.staticMethod(IO, "fdVal", int.class, FileDescriptor.class);
        static final MethodHandle READ =
                Access.staticMethod(FILES, "read0", int.class, FileDescriptor.class, long.class, int.class);
        static final MethodHandle WRITE =
                Access.staticMethod(FILES, "write0", int.class, FileDescriptor.class, long.class, int.class);
        static final VarHandle IN = Access.field(FilterInputStream.class, "in", InputStream.class);
        static final VarHandle OUT = Access.field(FilterOutputStream.class, "out", OutputStream.class);
        static final ConcurrentMap<?, ?> EXITS = (ConcurrentMap<?, ?>) Access.staticField(
                Access.type("java.lang.ProcessHandleImpl"), "completions", ConcurrentMap.class);
    }

    private static final String PROBLEM = Access.problem(() -> java.util.Objects.requireNonNull(Natives.EXITS));

    private static final ConcurrentLinkedQueue<ByteBuffer> BUFFERS = new ConcurrentLinkedQueue<>();

    private ChildProcess() {}

    /** What is missing, for people, or an empty string; nothing else here may be called then. */
    public static String problem() {
        return PROBLEM;
    }

    /** One end of a pipe, not blocking. Not for several threads at the same time. */
    public static final class Pipe implements Closeable {
        private final FileDescriptor descriptor;
        private final int number;
        private final Closeable stream;

        private Pipe(FileDescriptor descriptor, Closeable stream) throws IOException {
            this.descriptor = descriptor;
            this.stream = stream;
            try {
                this.number = (int) Natives.NUMBER.invokeExact(descriptor);
                Natives.CONFIGURE_BLOCKING.invokeExact(descriptor, false);
            } catch (Throwable t) {
                stream.close();
                throw Access.sneak(t);
            }
        }

        public int number() {
            return number;
        }

        /** Reads what is there: how many bytes, 0 if nothing is there yet, -1 at the end. */
        public int read(byte[] into, int offset, int length) throws IOException {
            ByteBuffer buffer = borrow();
            try {
                int n;
                do {
                    n = (int) Natives.READ.invokeExact(descriptor, MemorySegment.ofBuffer(buffer).address(),
                            Math.min(length, BUFFER));
                } while (n == INTERRUPTED);
                if (n > 0) {
                    buffer.get(0, into, offset, n);
                }
                return n == UNAVAILABLE ? 0 : n;
            } catch (Throwable t) {
                throw Access.sneak(t);
            } finally {
                giveBack(buffer);
            }
        }

        /** Writes what there is room for: how many bytes. */
        public int write(byte[] from, int offset, int length) throws IOException {
            ByteBuffer buffer = borrow();
            try {
                int most = Math.min(length, BUFFER);
                buffer.put(0, from, offset, most);
                int n;
                do {
                    n = (int) Natives.WRITE.invokeExact(descriptor, MemorySegment.ofBuffer(buffer).address(), most);
                } while (n == INTERRUPTED);
                return n == UNAVAILABLE ? 0 : n;
            } catch (Throwable t) {
                throw Access.sneak(t);
            } finally {
                giveBack(buffer);
            }
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }

    private static ByteBuffer borrow() {
        ByteBuffer spare = BUFFERS.poll();
        return spare == null ? ByteBuffer.allocateDirect(BUFFER) : spare;
    }

    private static void giveBack(ByteBuffer buffer) {
        if (BUFFERS.size() < SPARE_BUFFERS) {
            BUFFERS.add(buffer);
        }
    }

    /** Takes the pipe behind a process's standard output or error: a {@link Pipe}, or a stream that never blocks. */
    public static Closeable take(InputStream stream) throws IOException {
        if (!(stream instanceof FilterInputStream filter)) {
            return stream; // redirected: an empty stream
        }
        InputStream in;
        synchronized (stream) {
            in = (InputStream) Natives.IN.getVolatile(filter);
            Natives.IN.setVolatile(filter, InputStream.nullInputStream());
        }
        return in instanceof FileInputStream file ? new Pipe(file.getFD(), file) : in;
    }

    /** The same for its standard input: a {@link Pipe}, or a stream that swallows everything. */
    public static Closeable take(OutputStream stream) throws IOException {
        if (!(stream instanceof FilterOutputStream filter)) {
            return stream;
        }
        OutputStream out;
        synchronized (stream) {
            out = (OutputStream) Natives.OUT.getVolatile(filter);
            Natives.OUT.setVolatile(filter, OutputStream.nullOutputStream());
        }
        return out instanceof FileOutputStream file ? new Pipe(file.getFD(), file) : out;
    }

    /**
     * Tells the exit code once, at once if it is known, else on the JDK's thread that waits for the process: the callback
     * must be short and must not wait.
     */
    public static void whenExited(Process process, IntConsumer exited) {
        // The entry is there until everybody was told of the exit. So if the process is alive after we have seen an entry,
        // the entry is its own, and not that of a later process with the same number.
        Object entry = Natives.EXITS.get(process.pid());
        if (entry instanceof CompletionStage<?> exit && process.isAlive()) {
            var told = exit.handle((code, failure) -> {
                exited.accept(code instanceof Integer number ? number : -1);
                return null;
            });
            assert told != null;
        } else {
            exited.accept(process.exitValue());
        }
    }
}
