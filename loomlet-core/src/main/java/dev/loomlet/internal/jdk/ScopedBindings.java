package dev.loomlet.internal.jdk;

import static java.lang.invoke.MethodType.methodType;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle.AccessMode;
import org.jspecify.annotations.Nullable;

/**
 * The {@link ScopedValue} bindings of a thread, which a coroutine must carry along: the JDK keeps them in a field of the
 * thread, so that a body which suspends inside {@code ScopedValue.where(...).run(...)} would leave its bindings to whoever
 * runs next.
 *
 * <p>Beside the field the VM has a cache of looked-up values for each OS thread, which knows nothing of bindings: it is
 * thrown away whenever they change here.
 */
public final class ScopedBindings {
    private static final @Nullable MethodHandle GET;
    private static final @Nullable MethodHandle SET;
    private static final @Nullable MethodHandle CLEAR_CACHE;
    private static final String PROBLEM;

    /** The bindings of a thread that has none: {@code Thread.NEW_THREAD_BINDINGS}. */
    public static final Object NONE = Thread.class;

    static {
        MethodHandle get = null;
        MethodHandle set = null;
        MethodHandle clear = null;
        String problem = Access.refusal();
        if (Access.granted()) {
            try {
                var field = Access.field(Thread.class, "scopedValueBindings", Object.class);
                get = field.toMethodHandle(AccessMode.GET);
                set = field.toMethodHandle(AccessMode.SET);
                clear = Access.staticMethod(Thread.class, "setScopedValueCache", void.class, Object[].class)
                        .bindTo(null).asType(methodType(void.class));
            } catch (RuntimeException e) {
                get = set = clear = null; // a JDK without them: bindings then stay with the thread
                problem = String.valueOf(e.getMessage());
            }
        }
        PROBLEM = problem;
        GET = get;
        SET = set;
        CLEAR_CACHE = clear;
    }

    private ScopedBindings() {}

    /** What is missing for that, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** The bindings of the calling thread; {@link #NONE} also where they cannot be read. */
    public static @Nullable Object get(Thread current) {
        MethodHandle get = GET;
        if (get == null) {
            return NONE;
        }
        try {
            return (Object) get.invokeExact(current);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Gives the calling thread other bindings. */
    public static void set(Thread current, @Nullable Object bindings) {
        MethodHandle set = SET;
        MethodHandle clear = CLEAR_CACHE;
        if (set == null || clear == null) {
            return;
        }
        try {
            set.invokeExact(current, bindings);
            clear.invokeExact();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
