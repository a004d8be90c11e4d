package dev.loomlet.internal.jdk;

import static java.lang.invoke.MethodType.methodType;

import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds the frames of the calling thread that hold a monitor, fast-locked or inflated, by walking the stack with the
 * JDK's {@code LiveStackFrame}. Takes microseconds: for error messages, and for checks now and then.
 */
public final class HeldMonitors {
    private static final @Nullable MethodHandle WALKER;
    private static final @Nullable MethodHandle MONITORS;
    private static final String PROBLEM;

    static {
        MethodHandle walker = null;
        MethodHandle monitors = null;
        String problem = Access.refusal();
        if (Access.granted()) {
            try {
                Class<?> live = Access.type("java.lang.LiveStackFrame");
                walker = Access.staticMethod(live, "getStackWalker", StackWalker.class, Set.class);
                monitors = Access.method(live, "getMonitors", Object[].class)
                        .asType(methodType(Object[].class, StackWalker.StackFrame.class));
            } catch (RuntimeException e) {
                walker = monitors = null;
                problem = String.valueOf(e.getMessage());
            }
        }
        PROBLEM = problem;
        WALKER = walker;
        MONITORS = monitors;
    }

    private HeldMonitors() {}

    /** What is missing for that, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** Whether frames can be asked for their monitors. */
    public static boolean readable() {
        return WALKER != null;
    }

    /**
     * The innermost frame that holds a monitor, in words, looking from the caller outwards to the first frame for which
     * {@code end} holds.
     */
    public static Optional<String> find(Predicate<StackWalker.StackFrame> end) {
        if (WALKER == null) {
            return Optional.empty();
        }
        try {
            var walker = (StackWalker) WALKER.invokeExact(Set.<StackWalker.Option>of());
            return walker.walk(frames -> frames.takeWhile(end.negate()).map(HeldMonitors::describe)
                    .filter(text -> !text.isEmpty()).findFirst());
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static String describe(StackWalker.StackFrame frame) {
        MethodHandle monitors = MONITORS;
        if (monitors == null) {
            return "";
        }
        try {
            for (Object each : (Object[]) monitors.invokeExact(frame)) {
                // A compiled frame may list an object whose lock was optimised away, or already left.
                if (each != null && Thread.holdsLock(each)) {
                    return frame.toStackTraceElement() + " holds the monitor of a " + each.getClass().getName();
                }
            }
            return "";
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
