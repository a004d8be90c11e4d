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
import java.net.SocketException;

/**
 * {@code recv} and {@code send} straight from and to arrays: the kernel copies from and to the Java heap, which the
 * collector leaves in place meanwhile. Cheaper by some 70 ns a call than the JDK's natives, which need a buffer outside the
 * heap and a copy. For descriptors that do not block, because the collector waits while a call lasts.
 *
 * <p>It needs the permission to call native code ({@code --enable-native-access}, or the manifest's line); where that was
 * not given, nothing here is touched and so nothing is warned of.
 *
 * <p>An instance belongs to one thread at a time: it holds the error number of the last call.
 */
public final class HeapIo {
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int ECONNRESET = 104;
    private static final int MSG_NOSIGNAL = 0x4000;

    /** The most at a time: a bound for how long the collector may have to wait. */
    private static final int MOST = 256 * 1024;

    /** Made at first use: the linker takes a while. */
    private static final class Natives {
        static final StructLayout STATE = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
        static final MethodHandle RECV = handle("recv");
        static final MethodHandle SEND = handle("send");

        @SuppressWarnings("restricted")
        private static MethodHandle handle(String name) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name),
                    FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT),
                    Linker.Option.critical(true), Linker.Option.captureCallState("errno"));
        }
    }

    private final MemorySegment state = Arena.ofAuto().allocate(Natives.STATE);

    private HeapIo() {}

    /** Whether {@link #make} may be called. */
    public static boolean permitted() {
        return HeapIo.class.getModule().isNativeAccessEnabled() && !Boolean.getBoolean("loomlet.noForeign");
    }

    public static HeapIo make() {
        return new HeapIo();
    }

    /** The number of bytes received, or one of {@link SocketNatives}' results below zero. */
    public int receive(int fd, byte[] bytes, int offset, int length) throws IOException {
        long n;
        try {
            int size = Math.min(length, MOST);
            n = (long) Natives.RECV.invokeExact(state, fd, MemorySegment.ofArray(bytes).asSlice(offset, size),
                    (long) size, 0);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        return n > 0 ? (int) n : n == 0 ? SocketNatives.EOF : outcome(errno(), true);
    }

    /** The number of bytes sent, or one of {@link SocketNatives}' results below zero. */
    public int send(int fd, byte[] bytes, int offset, int length) throws IOException {
        long n;
        try {
            int size = Math.min(length, MOST);
            n = (long) Natives.SEND.invokeExact(state, fd, MemorySegment.ofArray(bytes).asSlice(offset, size),
                    (long) size, MSG_NOSIGNAL);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        return n >= 0 ? (int) n : outcome(errno(), false);
    }

    private int errno() {
        return (int) Natives.ERRNO.get(state, 0L);
    }

    /** What an error number of {@code recv} or {@code send} means: one of {@link SocketNatives}' results, or an exception. */
    public static int outcome(int error, boolean reading) throws SocketException {
        if (error == EAGAIN) {
            return SocketNatives.UNAVAILABLE;
        }
        if (error == EINTR) {
            return SocketNatives.INTERRUPTED;
        }
        throw new SocketException(switch (error) {
            case ECONNRESET -> reading ? "Connection reset" : "Connection reset by peer";
            case 32 -> "Broken pipe";
            case 101 -> "Network is unreachable";
            case 103 -> "Software caused connection abort";
            case 105 -> "No buffer space available";
            case 110 -> "Connection timed out";
            case 111 -> "Connection refused";
            case 113 -> "No route to host";
            default -> "error " + error + " of the operating system";
        });
    }
}
