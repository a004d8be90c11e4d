package dev.loomlet.internal.jdk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * Linux's io_uring (io_uring(7)), for one thing only: many {@code send}s that do not block, of many sockets, in one system
 * call. Nothing stays in the kernel: what was queued has been done, or refused, when {@link #submit} returns, so there is
 * nothing to cancel and no buffer that somebody else owns.
 *
 * <p>The bytes are copied out of the heap when they are queued. An instance belongs to one thread at a time.
 */
public final class Ring implements AutoCloseable {
    /** How many sends one {@link #submit} takes at most. */
    public static final int ENTRIES = 64;

    /** How many bytes one send takes at most. */
    public static final int MOST = 4096;

    /** The result of a send that was never tried, since the ring broke before. */
    public static final int NOT_TRIED = Integer.MIN_VALUE;

    private static final int CAPACITY = 32 * MOST;
    private static final int ALIGNMENT = 64; // no two sends share a line of the cache

    // linux/io_uring.h; the numbers are the same on x86-64 and aarch64
    private static final long SETUP = 425;
    private static final long ENTER = 426;
    private static final int SETUP_SUBMIT_ALL = 1 << 7; // one that is refused does not hold up the rest; since Linux 5.18
    private static final int ENTER_GETEVENTS = 1;
    private static final int OP_NOP = 0;
    private static final int OP_SEND = 26;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final long ENTRIES_OFFSET = 0x10000000L;
    private static final int ENTRY = 64;
    private static final int COMPLETION = 16;
    private static final int READ_WRITE = 3;
    private static final int SHARED_POPULATED = 0x8001;
    private static final int EINTR = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** Made at first use: the linker takes a while. */
    private static final class Natives {
        static final VarHandle WORD = INT.varHandle();
        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
        static final MethodHandle CALL_SETUP = handle("syscall",
                FunctionDescriptor.of(LONG, LONG, INT, ValueLayout.ADDRESS), Linker.Option.firstVariadicArg(1));
        static final MethodHandle CALL_ENTER = handle("syscall",
                FunctionDescriptor.of(LONG, LONG, INT, INT, INT, INT, LONG, LONG), Linker.Option.firstVariadicArg(1));
        static final MethodHandle MAP = handle("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
        static final MethodHandle UNMAP = handle("munmap", FunctionDescriptor.of(INT, LONG, LONG));
        static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(INT, INT));

        @SuppressWarnings("restricted")
        private static MethodHandle handle(String name, FunctionDescriptor type, Linker.Option... options) {
            Linker linker = Linker.nativeLinker();
            Linker.Option[] all = new Linker.Option[options.length + 1];
            all[0] = Linker.Option.captureCallState("errno");
            System.arraycopy(options, 0, all, 1, options.length);
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type, all);
        }
    }

    private final MemorySegment state = Arena.ofAuto().allocate(Natives.STATE);
    private final MemorySegment data = Arena.ofAuto().allocate(CAPACITY, 4096);
    private final int fd;
    private final MemorySegment rings;
    private final MemorySegment entries;
    private final long tailAt;
    private final long completedHeadAt;
    private final long completedTailAt;
    private final long completions;
    private final int mask;
    private final int completionMask;
    private final int[] results = new int[ENTRIES];
    private int tail;
    private int queued;
    private int used;
    private boolean broken;
    private boolean closed;

    /**
     * A new ring, or nothing where that is not to be had: an older kernel, a container that forbids it, no permission to
     * call native code, or {@code -Dloomlet.noUring=true}. Takes a while. Any thread.
     */
    public static Optional<Ring> open() {
        if (!HeapIo.permitted() || Boolean.getBoolean("loomlet.noUring")
                || !"Linux".equals(System.getProperty("os.name"))) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Ring());
        } catch (IOException e) {
            return Optional.empty(); // an optimisation that is not to be had: everything works without
        }
    }

    private Ring() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment parameters = arena.allocate(120, 8);
            parameters.set(INT, 8, SETUP_SUBMIT_ALL);
            long made = (long) Natives.CALL_SETUP.invokeExact(state, SETUP, ENTRIES, parameters);
            if (made < 0) {
                throw failure("io_uring_setup");
            }
            fd = (int) made;
            int size = parameters.get(INT, 0);
            int completionSize = parameters.get(INT, 4);
            int submission = 40; // struct io_sqring_offsets
            int completion = 80; // struct io_cqring_offsets
            long array = parameters.get(INT, submission + 24);
            completions = parameters.get(INT, completion + 20);
            rings = map(Math.max(array + 4L * size, completions + (long) COMPLETION * completionSize), 0);
            entries = map((long) ENTRY * size, ENTRIES_OFFSET);
            for (int i = 0; i < size; i++) {
                rings.set(INT, array + 4L * i, i);
            }
            tailAt = parameters.get(INT, submission + 4);
            mask = size - 1;
            completedHeadAt = parameters.get(INT, completion);
            completedTailAt = parameters.get(INT, completion + 4);
            completionMask = completionSize - 1;
            tail = rings.get(INT, tailAt);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    @SuppressWarnings("restricted")
    private MemorySegment map(long size, long offset) throws Throwable {
        long at = (long) Natives.MAP.invokeExact(state, 0L, size, READ_WRITE, SHARED_POPULATED, fd, offset);
        if (at == -1) {
            IOException failure = failure("mmap of io_uring");
            close(fd);
            throw failure;
        }
        return MemorySegment.ofAddress(at).reinterpret(size);
    }

    private IOException failure(String call) {
        return new IOException(call + " failed with errno " + (int) Natives.ERRNO.get(state, 0L));
    }

    /** How many sends wait for {@link #submit}. */
    public int queued() {
        return queued;
    }

    /** Whether there is room for one more send of so many bytes, at most {@link #MOST}. */
    public boolean fits(int length) {
        return queued < ENTRIES && used + length <= CAPACITY;
    }

    /** Queues a send. Its result is the one of the number that {@link #queued} was before. */
    public void send(int socket, byte[] bytes, int offset, int length) {
        MemorySegment.copy(bytes, offset, data, ValueLayout.JAVA_BYTE, used, length);
        long at = (long) (tail & mask) * ENTRY;
        entries.set(LONG, at, OP_SEND | (long) socket << 32);
        entries.set(LONG, at + 8, 0L);
        entries.set(LONG, at + 16, data.address() + used);
        entries.set(LONG, at + 24, length | (long) (MSG_DONTWAIT | MSG_NOSIGNAL) << 32);
        entries.set(LONG, at + 32, queued);
        entries.set(LONG, at + 40, 0L);
        entries.set(LONG, at + 48, 0L);
        entries.set(LONG, at + 56, 0L);
        results[queued] = NOT_TRIED;
        tail++;
        queued++;
        used = Math.min(CAPACITY, used + length + ALIGNMENT - 1 & -ALIGNMENT);
    }

    /** Takes a queued send back. */
    public void drop(int number) {
        entries.set(ValueLayout.JAVA_BYTE, (long) (tail - queued + number & mask) * ENTRY, (byte) OP_NOP);
    }

    /** Does what was queued. Afterwards {@link #result} has what became of it, until something is queued again. */
    public void submit() {
        int left = queued;
        int toSubmit = queued;
        queued = 0;
        used = 0;
        Natives.WORD.setRelease(rings, tailAt, tail);
        while (left > 0 && !broken) {
            long done = enter(toSubmit, left);
            if (done < 0 && (int) Natives.ERRNO.get(state, 0L) != EINTR) {
                broken = true; // what was not taken stays untried, and will never be taken
            }
            toSubmit -= (int) Math.max(0, done);
            left -= take();
        }
    }

    private long enter(int toSubmit, int least) {
        try {
            return (long) Natives.CALL_ENTER.invokeExact(state, ENTER, fd, toSubmit, least, ENTER_GETEVENTS, 0L, 0L);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private int take() {
        int head = rings.get(INT, completedHeadAt);
        int end = (int) Natives.WORD.getAcquire(rings, completedTailAt);
        int taken = end - head;
        for (; head != end; head++) {
            long at = completions + (long) COMPLETION * (head & completionMask);
            results[(int) rings.get(LONG, at)] = rings.get(INT, at + 8);
        }
        Natives.WORD.setRelease(rings, completedHeadAt, head);
        return taken;
    }

    /** What became of a send: the number of bytes, an error number below zero, or {@link #NOT_TRIED}. */
    public int result(int number) {
        return results[number];
    }

    /** Whether the kernel has refused to go on. */
    public boolean broken() {
        return broken;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        broken = true;
        try {
            int unmapped = (int) Natives.UNMAP.invokeExact(state, rings.address(), rings.byteSize())
                    + (int) Natives.UNMAP.invokeExact(state, entries.address(), entries.byteSize());
            assert unmapped == 0;
            close(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private void close(int descriptor) throws Throwable {
        int failed = (int) Natives.CLOSE.invokeExact(state, descriptor);
        assert failed == 0;
    }
}
