package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * Tells, in a nanosecond or two, whether the current OS thread holds a fast-locked monitor.
 *
 * <p>Why anybody wants to know: on JDK 25 a thread that holds one must not resume a continuation. Freezing moves the
 * thread's whole lock stack, the caller's locks included, into the continuation; once the caller has left its
 * {@code synchronized} block, the next resume dies in {@code Thaw::thaw_slow}. Inflated monitors are harmless and do not
 * show here.
 *
 * <p>How: HotSpot publishes the offsets of its own fields for the serviceability agent ({@code gHotSpotVMStructs}), among
 * them {@code JavaThread::_lock_stack} and {@code LockStack::_top}; {@code Thread.eetop} is the address of the
 * {@code JavaThread}. The value of {@code _top} at rest means empty; each fast-locked monitor adds 8.
 */
public final class LockStack {
    private static final MethodHandle GET_INT;
    private static final VarHandle EETOP = EetopHolder.handle();
    private static final long OFFSET;
    private static final int EMPTY;
    private static final String PROBLEM;

    /** A handle to some field even where {@code Thread.eetop} is out of reach; it is not used then. */
    private static final class EetopHolder {
        long eetop;

        static VarHandle handle() {
            try {
                return Access.problem(() -> Access.field(Thread.class, "eetop", long.class)).isEmpty()
                        ? Access.field(Thread.class, "eetop", long.class)
                        : MethodHandles.lookup().findVarHandle(EetopHolder.class, "eetop", long.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    static {
        MethodHandle getInt = MethodHandles.dropArguments(MethodHandles.constant(int.class, 0), 0, long.class);
        long offset = 0;
        int empty = 0;
        String problem = "";
        try {
            if (!Access.granted()) {
                throw new IllegalStateException(Access.refusal());
            }
            Access.field(Thread.class, "eetop", long.class);
            String carrier = Access.problem(VirtualThreads::currentCarrier);
            if (!carrier.isEmpty()) {
                throw new IllegalStateException(carrier);
            }
            Class<?> unsafeType = Access.type("jdk.internal.misc.Unsafe");
            Object unsafe = Access.staticMethod(unsafeType, "getUnsafe", unsafeType).invoke();
            getInt = Access.method(unsafeType, "getInt", int.class, long.class).bindTo(unsafe);
            MethodHandle getLong = Access.method(unsafeType, "getLong", long.class, long.class).bindTo(unsafe);
            MethodHandle getByte = Access.method(unsafeType, "getByte", byte.class, long.class).bindTo(unsafe);
            offset = find(getLong, getByte);
            empty = Probe.atRest(getInt, EETOP, offset);
        } catch (Throwable e) {
            offset = 0;
            problem = e instanceof Access.MissingInternal missing ? String.valueOf(missing.getMessage()) : e.toString();
        }
        GET_INT = getInt;
        OFFSET = offset;
        EMPTY = empty;
        PROBLEM = problem;
    }

    private LockStack() {}

    /** Whether the lock stack can be read in this VM. Where it cannot, take every thread for one that holds a monitor. */
    public static boolean readable() {
        return OFFSET != 0;
    }

    /** Why it cannot be read, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /**
     * Whether the current OS thread (the carrier, if the caller is a virtual thread) may hold a fast-locked monitor: false
     * only if it certainly holds none.
     */
    public static boolean held() {
        return depth() != 0;
    }

    /** How many fast-locked monitors the current OS thread holds, or -1 where that cannot be read. */
    public static int depth() {
        if (OFFSET == 0) {
            return -1;
        }
        try {
            long thread = (long) EETOP.get(VirtualThreads.currentCarrier());
            return ((int) GET_INT.invokeExact(thread + OFFSET) - EMPTY) >> 3;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static long find(MethodHandle getLong, MethodHandle getByte) throws Throwable {
        long stride = (long) getLong.invokeExact(symbol("gHotSpotVMStructEntryArrayStride"));
        long type = (long) getLong.invokeExact(symbol("gHotSpotVMStructEntryTypeNameOffset"));
        long field = (long) getLong.invokeExact(symbol("gHotSpotVMStructEntryFieldNameOffset"));
        long value = (long) getLong.invokeExact(symbol("gHotSpotVMStructEntryOffsetOffset"));
        long entry = (long) getLong.invokeExact(symbol("gHotSpotVMStructs"));
        long stack = -1;
        long top = -1;
        for (;; entry += stride) {
            long typeName = (long) getLong.invokeExact(entry + type);
            if (typeName == 0) {
                break;
            }
            long fieldName = (long) getLong.invokeExact(entry + field);
            if (is(getByte, typeName, "JavaThread") && is(getByte, fieldName, "_lock_stack")) {
                stack = (long) getLong.invokeExact(entry + value);
            } else if (is(getByte, typeName, "LockStack") && is(getByte, fieldName, "_top")) {
                top = (long) getLong.invokeExact(entry + value);
            }
        }
        if (stack < 0 || top < 0) {
            throw new IllegalStateException("this VM does not publish JavaThread::_lock_stack");
        }
        return stack + top;
    }

    /** The symbol's address: libjvm is loaded with global visibility, so the process-wide search finds it. */
    private static long symbol(String name) throws Throwable {
        MethodHandle find = Access.staticMethod(
                Access.type("jdk.internal.loader.NativeLibrary"), "findEntry0", long.class, long.class, String.class);
        long address = (long) find.invokeExact(0L, name);
        if (address == 0) {
            throw new IllegalStateException("this VM does not publish " + name);
        }
        return address;
    }

    private static boolean is(MethodHandle getByte, long address, String text) throws Throwable {
        byte[] expected = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i <= expected.length; i++) {
            byte b = (byte) getByte.invokeExact(address + i);
            if (b != (i < expected.length ? expected[i] : 0)) {
                return false;
            }
        }
        return true;
    }

    /** Apart, because the probing thread would wait for the initialisation of the class it is part of. */
    private static final class Probe {
        /** Reads the empty value on a thread that certainly holds no monitor, and checks that holding one shows. */
        static int atRest(MethodHandle getInt, VarHandle eetop, long offset) throws Throwable {
            int[] seen = new int[2];
            Throwable[] failed = new Throwable[1];
            Object lock = new Object();
            Thread reader = new Thread(() -> {
                try {
                    long at = (long) eetop.get(Thread.currentThread()) + offset;
                    seen[0] = (int) getInt.invokeExact(at);
                    synchronized (lock) {
                        seen[1] = (int) getInt.invokeExact(at);
                    }
                } catch (Throwable t) {
                    failed[0] = t;
                }
            }, "loomlet-lock-stack-probe");
            reader.setDaemon(true);
            reader.start();
            reader.join();
            if (failed[0] != null) {
                throw failed[0];
            }
            if (seen[1] != seen[0] + 8) {
                throw new IllegalStateException(
                        "a held monitor does not show on the lock stack (another locking mode?)");
            }
            return seen[0];
        }
    }
}
