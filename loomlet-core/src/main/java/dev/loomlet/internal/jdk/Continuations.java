package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.invoke.MethodHandles.insertArguments;
import static java.lang.invoke.MethodType.methodType;

import java.lang.classfile.Annotation;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.RuntimeVisibleAnnotationsAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodHandles.Lookup.ClassOption;
import java.lang.invoke.VarHandle;
import java.lang.invoke.VarHandle.AccessMode;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One-shot delimited continuations: the JDK's {@code jdk.internal.vm.Continuation}, entered and left without the part of
 * its Java code that a coroutine does not need.
 *
 * <p>{@code Continuation.run} and {@code yield} surround the VM's two stubs ({@code enterSpecial} copies frozen frames
 * back to the stack, {@code doYield} freezes them) with an atomic claim, a volatile release, two writes of the
 * scoped-value cache and a walk over the scopes. {@link #resume} and {@link #suspend} call the stubs themselves and keep
 * exactly what the VM and the JDK's virtual threads rely on:
 *
 * <ul>
 * <li>{@code Thread.cont} of the carrier and {@code Continuation.parent} form the chain of mounted continuations. A
 * virtual thread that parks inside a body walks it, freezes the innermost, and expects each {@code run} on the way out
 * to freeze its parent as well: {@link #unmount} does.
 * <li>{@code child} of a suspended parent, for stack walks of a suspended virtual thread.
 * <li>{@code mounted}, which such stack walks claim. Written with release semantics only: who may resume a
 * continuation is decided before it comes here, with an atomic claim or by confinement to a thread.
 * <li>{@code tail} is dropped at the end, as {@code postYieldCleanup} does.
 * </ul>
 *
 * <p>The class of our continuations is spun at start-up as a hidden nestmate, because it must live in
 * {@code jdk.internal.vm} twice over: it overrides {@code onPinned}, which would otherwise make {@code Thread.sleep}
 * throw under a native frame instead of blocking the carrier, and it contains the method that calls {@code doYield}.
 * That one must not be inlined. The VM thaws a stack that has interpreted frames (a body's first frame nearly always is:
 * it is called once) two frames at a time; if the stub's caller were the body's loop itself, its interpreted caller would
 * come along with each thaw and the next freeze would take the slow path: 240 ns instead of 80. With one frame between,
 * the loop comes back alone. If there happen to be two frames between, the same trouble is back, therefore
 * {@link #suspend} can put one more there ({@code deeper}), and its callers do so now and then: once the loop is thawed
 * without its caller, either way is fast.
 *
 * <p>Inside a virtual thread our continuations are entered as if each were the virtual thread's own: with
 * {@code isVirtualThread} set, under its scope, and named by its field {@code cont}. For the VM looks at the innermost
 * continuation only:
 *
 * <ul>
 * <li>A contended {@code synchronized} and {@code Object.wait} preempt the thread (JEP 491) if that is a virtual thread's, and
 * otherwise block the carrier, and with it a hub whose other greenlets may own the monitor. The preemption freezes that
 * continuation, sets the thread's state to {@code BLOCKING} or {@code WAITING}, and comes out of our {@code enterSpecial} as if
 * the body had yielded; so does everything else that unmounts the thread. {@link #unmount} then freezes the continuations around
 * it, one after the other, and on the way back each is entered again; the innermost one's thaw takes the monitor, or finds it
 * taken and comes out once more.
 * <li>Whoever asks for the stack of another virtual thread is answered if {@code cont} names the innermost continuation, and
 * asks again if it does not, which is so in the moments between.
 * </ul>
 *
 * <p>The price: a walk over the stack from inside ends at the base of the body, as it ends at the base of a virtual thread.
 *
 * <pre>
 *                  yieldInfo   left by                     what resume does
 *   after ENTER    itself      suspend                     returns
 *                  another     suspend of one outside      passOn: freezes its parent as well, then enters again
 *                  null        the thread: parks, blocks,  unmount: freezes its parent as well, then enters again
 *                              waits, gives way
 *                  null, done  the end of the body         returns
 * </pre>
 *
 * <p>Nothing here looks at monitors: call {@link LockStackFlush#ensureEmpty()} before {@link #resume}, and do not call
 * {@link #suspend} while the body holds a fast-locked monitor.
 */
public final class Continuations {
    /** What a continuation runs. The object is also how a continuation found on the chain is recognised. */
    public interface Body extends Runnable {
        /** Whether a {@link #suspend} of a continuation outside of this one must not freeze this one with it. */
        boolean closed();

        /**
         * Whether its frames, in the innermost of which the caller is, may be frozen for a {@link #suspend} by a body nested
         * in it. Asked on virtual threads only: on others that body has seen these frames as well.
         */
        boolean mayBeLeft();
    }

    /** {@link #suspend} succeeded: the continuation has been resumed. */
    public static final int RESUMED = 0;
    /** {@link #suspend} refused: inside {@code Continuation.pin}. */
    public static final int PINNED_CRITICAL_SECTION = 2;
    /** {@link #suspend} refused: a native frame is in between. */
    public static final int PINNED_NATIVE = 3;
    /** {@link #suspend} refused: a monitor is held (older locking modes only). */
    public static final int PINNED_MONITOR = 4;
    /** {@link #suspend} refused: no memory, or no stack, to freeze the frames. */
    public static final int PINNED_EXCEPTION = 5;
    /** {@link #suspend} refused: the caller is not inside that continuation on this thread. */
    public static final int NOT_INSIDE = -1;
    /** {@link #suspend} refused: a {@linkplain Body#closed() closed} continuation is in between. */
    public static final int CROSSES_CLOSED = -2;

    private static final String PROBLEM;

    static {
        String problem = "";
        if (!Access.granted()) {
            problem = Access.refusal();
        } else {
            try {
                problem = Jdk.selfTest();
            } catch (Throwable t) {
                problem = (t instanceof ExceptionInInitializerError e && e.getCause() != null ? e.getCause() : t)
                        .toString();
            }
        }
        PROBLEM = problem;
    }

    private Continuations() {}

    /** Whether continuations can be used in this VM. Everything else here may only be called if so. */
    public static boolean available() {
        return PROBLEM.isEmpty();
    }

    /** Why not, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** A new continuation of {@code body}, not started. */
    public static Object create(Body body) {
        try {
            return Jdk.NEW.invokeExact((Runnable) body);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Runs {@code continuation} on the calling thread until it suspends itself or ends. It must not be running, nor be
     * done, and nobody else may try the same at the same time.
     *
     * <p>Throws what the body threw, or {@link StackOverflowError} if the caller's stack has no room for the frozen
     * frames; the continuation is then as it was before.
     */
    public static void resume(Object continuation) {
        try {
            Thread carrier = (Thread) Jdk.CARRIER.invokeExact();
            Object parent = Jdk.CURRENT.invokeExact(carrier);
            if (parent != null) {
                resumeWithin(continuation, parent);
                return;
            }
            Jdk.SET_MOUNTED.invokeExact(continuation, true);
            Jdk.SET_CURRENT.invokeExact(carrier, continuation);
            try {
                Object tail = Jdk.TAIL.invokeExact(continuation);
                Jdk.ENTER.invokeExact(continuation, tail != null, false);
            } finally {
                Jdk.SET_CURRENT.invokeExact(carrier, (Object) null);
                if ((boolean) Jdk.DONE.invokeExact(continuation)) {
                    Jdk.SET_TAIL.invokeExact(continuation, (Object) null);
                }
                Jdk.SET_MOUNTED.invokeExact(continuation, false);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The same inside {@code parent}: another one of ours, or a virtual thread's. */
    private static void resumeWithin(Object continuation, Object parent) {
        try {
            Jdk.SET_PARENT.invokeExact(continuation, parent);
            Thread virtual = virtual();
            Object around = virtual == null ? null : Jdk.VIRTUALS.invokeExact((Object) virtual);
            while (true) {
                Jdk.SET_MOUNTED.invokeExact(continuation, true);
                Jdk.SET_CURRENT.invokeExact((Thread) Jdk.CARRIER.invokeExact(), continuation);
                if (virtual != null) {
                    Jdk.SET_SCOPE.invokeExact(continuation, Jdk.VIRTUAL_SCOPE);
                    Jdk.SET_VIRTUALS.invokeExact((Object) virtual, continuation);
                }
                try {
                    Object tail = Jdk.TAIL.invokeExact(continuation);
                    Jdk.ENTER.invokeExact(continuation, tail != null, virtual != null);
                } finally {
                    // The body may have moved with its virtual thread: this can be another carrier than above.
                    Jdk.SET_CURRENT.invokeExact((Thread) Jdk.CARRIER.invokeExact(), parent);
                    if (virtual != null) {
                        Jdk.SET_VIRTUALS.invokeExact((Object) virtual, around);
                        Jdk.SET_SCOPE.invokeExact(continuation, Jdk.SCOPE);
                    }
                    Jdk.SET_CHILD.invokeExact(parent, (Object) null);
                    if ((boolean) Jdk.DONE.invokeExact(continuation)) {
                        Jdk.SET_TAIL.invokeExact(continuation, (Object) null);
                    }
                    Jdk.SET_MOUNTED.invokeExact(continuation, false);
                }
                Object target = Jdk.YIELD_INFO.invokeExact(continuation);
                if (target == null && virtual != null && !(boolean) Jdk.DONE.invokeExact(continuation)) {
                    unmount(virtual, continuation, parent);
                    continue;
                }
                if (target == null || target == continuation) {
                    if (target != null) {
                        Jdk.SET_YIELD_INFO.invokeExact(continuation, (Object) null);
                    }
                    Jdk.SET_PARENT.invokeExact(continuation, (Object) null);
                    if (virtual != null && (int) Jdk.STATE.invokeExact((Object) virtual) == Jdk.BLOCKING) {
                        // JDK 25 leaves it like that where a wait that timed out gets the monitor at its second try, and
                        // would not preempt a thread in that state.
                        Jdk.SET_STATE.invokeExact((Object) virtual, Jdk.RUNNING);
                    }
                    return;
                }
                passOn(continuation, parent, target, virtual != null);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The calling thread, if it is a virtual one. */
    private static @Nullable Thread virtual() {
        Thread current = Thread.currentThread();
        return current.isVirtual() ? current : null;
    }

    /** Whether the innermost continuation of a carrier is one of ours, as another thread sees it just now. */
    static boolean runsOne(Thread carrier, Class<?> ours) {
        try {
            Object innermost = Jdk.CURRENT.invokeExact(carrier);
            return innermost != null && innermost.getClass() == ours;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * {@code virtual} is on its way out, and {@code child} has frozen for that: freezes its parent, in whose frames we are, as
     * well. Returns when the thread goes on, or could not be unmounted; the caller then goes back into {@code child}.
     */
    private static void unmount(Thread virtual, Object child, Object parent) throws Throwable {
        int state = (int) Jdk.STATE.invokeExact((Object) virtual);
        Jdk.SET_CHILD.invokeExact(parent, child);
        boolean preempted = state == Jdk.BLOCKING || state == Jdk.WAITING || state == Jdk.TIMED_WAITING;
        int outcome;
        if (parent.getClass() == Jdk.TYPE) {
            try {
                outcome = (int) Jdk.SUSPEND.invokeExact();
                VarHandle.releaseFence();
            } catch (VirtualMachineError e) {
                outcome = PINNED_EXCEPTION;
            }
            Object info = Jdk.YIELD_INFO.invokeExact(parent);
            Jdk.SET_YIELD_INFO.invokeExact(parent, (Object) null);
            if (outcome == RESUMED && info instanceof Integer further) {
                outcome = further;
            }
        } else {
            try {
                outcome = (boolean) Jdk.YIELD0.invokeExact(parent, Jdk.VIRTUAL_SCOPE, child) ? RESUMED
                        : (int) (Integer) (Object) Jdk.YIELD_INFO.invokeExact(child);
            } catch (VirtualMachineError e) {
                outcome = PINNED_EXCEPTION;
            }
        }
        Jdk.SET_CHILD.invokeExact(parent, (Object) null);
        // Who parks asks for the outcome; who was preempted by the VM does not know that anything happened.
        Jdk.SET_YIELD_INFO.invokeExact(child, preempted ? null : (Object) (Integer) outcome);
        if (preempted && outcome != RESUMED) {
            waitMounted(virtual, state);
        }
    }

    /**
     * The VM has taken a thread that cannot be unmounted for one that can, because it looks at the innermost continuation only:
     * waits, on the carrier as the JDK does then, until it may be worth going back.
     */
    private static void waitMounted(Thread virtual, int state) throws Throwable {
        if (state == Jdk.BLOCKING) {
            Jdk.PARK_CARRIER.invokeExact(false, LOOK_AGAIN_NANOS);
        } else {
            long timeout = state == Jdk.WAITING ? Long.MAX_VALUE : (long) Jdk.TIMEOUT.invokeExact((Object) virtual);
            long start = System.nanoTime();
            while (!(boolean) Jdk.NOTIFIED.invokeExact((Object) virtual) && !virtual.isInterrupted()
                    && (System.nanoTime() - start) / 1_000_000 < timeout) {
                Jdk.PARK_CARRIER.invokeExact(false, LOOK_AGAIN_NANOS);
            }
        }
        Jdk.SET_STATE.invokeExact((Object) virtual, Jdk.RUNNING);
    }

    /** How often a thread that cannot be unmounted looks for the monitor that it wants: 0.2 ms. */
    private static final long LOOK_AGAIN_NANOS = 200_000;

    /**
     * {@code child} has frozen on its way out to {@code target}, one of the continuations around it: freezes its parent,
     * in whose frames we are, as well. Returns when the parent has been resumed, or could not be frozen; the caller then
     * goes back into {@code child}, which finds the outcome in its {@code yieldInfo}.
     */
    private static void passOn(Object child, Object parent, Object target, boolean virtual) throws Throwable {
        Jdk.SET_CHILD.invokeExact(parent, child);
        Jdk.SET_YIELD_INFO.invokeExact(parent, target);
        int outcome;
        if (virtual && !((Body) (Runnable) Jdk.TARGET.invokeExact(parent)).mayBeLeft()) {
            outcome = PINNED_MONITOR;
        } else {
            try {
                outcome = (int) Jdk.SUSPEND.invokeExact();
                VarHandle.releaseFence();
            } catch (VirtualMachineError e) {
                outcome = PINNED_EXCEPTION;
            }
        }
        Object info = Jdk.YIELD_INFO.invokeExact(parent);
        Jdk.SET_YIELD_INFO.invokeExact(parent, (Object) null);
        if (outcome == RESUMED && info instanceof Integer further) {
            outcome = further;
        }
        Jdk.SET_YIELD_INFO.invokeExact(child, (Object) (Integer) outcome);
        Jdk.SET_CHILD.invokeExact(parent, (Object) null);
    }

    /**
     * Freezes the calling frames up to the base of {@code continuation}, whose {@link #resume} then returns, and comes
     * back when it is resumed again. The caller may be in a continuation nested in it.
     *
     * @param deeper whether to use one more frame, see above
     * @return {@link #RESUMED}, or why nothing happened
     */
    public static int suspend(Object continuation, boolean deeper) {
        try {
            Object innermost = Jdk.CURRENT.invokeExact((Thread) Jdk.CARRIER.invokeExact());
            if (innermost != continuation) {
                return suspendNested(innermost, continuation);
            }
            if ((Object) Jdk.PARENT.invokeExact(continuation) != null) { // a virtual thread's perhaps: say who leaves
                Jdk.SET_YIELD_INFO.invokeExact(continuation, continuation);
            }
            int outcome = deeper ? (int) Jdk.SUSPEND_DEEPER.invokeExact() : (int) Jdk.SUSPEND.invokeExact();
            VarHandle.releaseFence(); // as in Continuation.yield0: nothing may move over the freeze
            if (outcome != RESUMED) {
                Jdk.SET_YIELD_INFO.invokeExact(continuation, (Object) null);
            }
            return outcome;
        } catch (Throwable t) {
            throw notLeft(continuation, t);
        }
    }

    private static RuntimeException notLeft(Object continuation, Throwable thrown) {
        try {
            Jdk.SET_YIELD_INFO.invokeExact(continuation, (Object) null);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        throw Access.sneak(thrown);
    }

    private static int suspendNested(@Nullable Object innermost, Object continuation) throws Throwable {
        for (Object each = innermost; each != continuation; each = Jdk.PARENT.invokeExact(each)) {
            if (each == null || each.getClass() != Jdk.TYPE) {
                return NOT_INSIDE;
            }
            if (((Body) (Runnable) Jdk.TARGET.invokeExact(each)).closed()) {
                return CROSSES_CLOSED;
            }
        }
        if (innermost == null) {
            return NOT_INSIDE;
        }
        Jdk.SET_YIELD_INFO.invokeExact(innermost, continuation);
        int outcome = PINNED_EXCEPTION;
        try {
            outcome = (int) Jdk.SUSPEND.invokeExact();
            VarHandle.releaseFence();
            if (outcome == RESUMED && (Object) Jdk.YIELD_INFO.invokeExact(innermost) instanceof Integer further) {
                outcome = further;
            }
        } finally {
            Jdk.SET_YIELD_INFO.invokeExact(innermost, (Object) null);
        }
        return outcome;
    }

    /** Whether the calling thread is inside {@code continuation}, at any depth. */
    public static boolean inside(Object continuation) {
        try {
            Object each = Jdk.CURRENT.invokeExact((Thread) Jdk.CARRIER.invokeExact());
            while (each != null && each != continuation && each.getClass() == Jdk.TYPE) {
                each = Jdk.PARENT.invokeExact(each);
            }
            return each == continuation;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The bodies of the continuations of ours that the calling thread is in, innermost first. */
    public static List<Runnable> around() {
        try {
            var bodies = new ArrayList<Runnable>();
            Object each = Jdk.CURRENT.invokeExact((Thread) Jdk.CARRIER.invokeExact());
            while (each != null && each.getClass() == Jdk.TYPE) {
                bodies.add((Runnable) Jdk.TARGET.invokeExact(each));
                each = Jdk.PARENT.invokeExact(each);
            }
            return bodies;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Whether the body has ended. */
    public static boolean done(Object continuation) {
        try {
            return (boolean) Jdk.DONE.invokeExact(continuation);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * The frames of a suspended continuation, innermost first, without those of this class and of the JDK's that make it
     * work. Nobody may resume it meanwhile.
     */
    public static List<StackTraceElement> stackTrace(Object continuation) {
        try {
            return Arrays.stream((StackTraceElement[]) Jdk.STACK_TRACE.invokeExact(continuation))
                    .filter(frame -> !isMachinery(frame.getClassName())).toList();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static boolean isMachinery(String type) {
        return type.equals(Continuations.class.getName()) || type.startsWith("jdk.internal.vm.")
                || type.startsWith("java.lang.invoke.");
    }

    /** The handles, apart so that a JDK without them shows as a {@link #problem()} and not as a class that fails to load. */
    private static final class Jdk {
        private static final Class<?> CONTINUATION = Access.type("jdk.internal.vm.Continuation");
        private static final Class<?> SCOPE_TYPE = Access.type("jdk.internal.vm.ContinuationScope");
        private static final Class<?> CHUNK = Access.type("jdk.internal.vm.StackChunk");

        /** The class of our continuations. */
        static final Class<?> TYPE;

        static final MethodHandle NEW;
        static final MethodHandle SUSPEND;
        static final MethodHandle SUSPEND_DEEPER;
        static final MethodHandle ENTER;
        static final MethodHandle YIELD0;
        static final MethodHandle STACK_TRACE;
        static final MethodHandle CARRIER;
        static final MethodHandle CURRENT;
        static final MethodHandle SET_CURRENT;
        static final MethodHandle PARENT;
        static final MethodHandle SET_PARENT;
        static final MethodHandle SET_CHILD;
        static final MethodHandle SET_MOUNTED;
        static final MethodHandle YIELD_INFO;
        static final MethodHandle SET_YIELD_INFO;
        static final MethodHandle TAIL;
        static final MethodHandle SET_TAIL;
        static final MethodHandle DONE;
        static final MethodHandle TARGET;
        /** {@code VirtualThread.cont}, which is final to the compiler and nobody else. */
        static final MethodHandle VIRTUALS;

        static final MethodHandle SET_VIRTUALS;
        /** {@code Continuation.scope}, which is as final. */
        static final MethodHandle SET_SCOPE;

        static final Object SCOPE;
        static final Object VIRTUAL_SCOPE;
        static final MethodHandle STATE;
        static final MethodHandle SET_STATE;
        static final MethodHandle NOTIFIED;
        static final MethodHandle TIMEOUT;
        static final MethodHandle PARK_CARRIER;
        static final int RUNNING;
        static final int BLOCKING;
        static final int WAITING;
        static final int TIMED_WAITING;

        static {
            try {
                Object support = Access.type("jdk.internal.vm.ContinuationSupport");
                if (!(boolean) Access.staticMethod((Class<?>) support, "isSupported", boolean.class).invoke()) {
                    throw new UnsupportedOperationException("this VM has no continuations");
                }
                Access.in(CONTINUATION).ensureInitialized(CONTINUATION);
                var ours = trusted().in(CONTINUATION).defineHiddenClass(spin(), true, ClassOption.NESTMATE);
                TYPE = ours.lookupClass();
                SCOPE = Access.in(SCOPE_TYPE).findConstructor(SCOPE_TYPE, methodType(void.class, String.class))
                        .invoke("loomlet");
                NEW = ours.findConstructor(TYPE, methodType(void.class, SCOPE_TYPE, Runnable.class)).bindTo(SCOPE)
                        .asType(methodType(Object.class, Runnable.class));
                SUSPEND = ours.findStatic(TYPE, "suspend", methodType(int.class));
                SUSPEND_DEEPER = ours.findStatic(TYPE, "suspendDeeper", methodType(int.class));
                ENTER = Access.staticMethod(CONTINUATION, "enterSpecial", void.class, CONTINUATION, boolean.class,
                        boolean.class).asType(methodType(void.class, Object.class, boolean.class, boolean.class));
                YIELD0 = Access.method(CONTINUATION, "yield0", boolean.class, SCOPE_TYPE, CONTINUATION)
                        .asType(methodType(boolean.class, Object.class, Object.class, Object.class));
                STACK_TRACE = Access.method(CONTINUATION, "getStackTrace", StackTraceElement[].class)
                        .asType(methodType(StackTraceElement[].class, Object.class));
                CARRIER = Access.staticMethod(Thread.class, "currentCarrierThread", Thread.class);
                CURRENT = get(Thread.class, "cont", CONTINUATION).asType(methodType(Object.class, Thread.class));
                SET_CURRENT = set(Thread.class, "cont", CONTINUATION)
                        .asType(methodType(void.class, Thread.class, Object.class));
                PARENT = getObject("parent", CONTINUATION);
                SET_PARENT = setObject("parent", CONTINUATION);
                SET_CHILD = setObject("child", CONTINUATION);
                SET_MOUNTED = Access.field(CONTINUATION, "mounted", boolean.class)
                        .toMethodHandle(AccessMode.SET_RELEASE)
                        .asType(methodType(void.class, Object.class, boolean.class));
                YIELD_INFO = getObject("yieldInfo", Object.class);
                SET_YIELD_INFO = setObject("yieldInfo", Object.class);
                TAIL = getObject("tail", CHUNK);
                SET_TAIL = setObject("tail", CHUNK);
                DONE = get(CONTINUATION, "done", boolean.class).asType(methodType(boolean.class, Object.class));
                TARGET = get(CONTINUATION, "target", Runnable.class).asType(methodType(Runnable.class, Object.class));
                Class<?> virtual = Access.type("java.lang.VirtualThread");
                VIRTUALS = get(virtual, "cont", CONTINUATION).asType(methodType(Object.class, Object.class));
                Class<?> unsafeType = Access.type("jdk.internal.misc.Unsafe");
                Object unsafe = Access.staticMethod(unsafeType, "getUnsafe", unsafeType).invoke();
                MethodHandle offset =
                        Access.method(unsafeType, "objectFieldOffset", long.class, Class.class, String.class)
                                .bindTo(unsafe);
                MethodHandle put = Access.method(unsafeType, "putReferenceRelease", void.class, Object.class,
                        long.class, Object.class).bindTo(unsafe);
                SET_VIRTUALS = insertArguments(put, 1, (long) offset.invoke(virtual, "cont"));
                SET_SCOPE = insertArguments(put, 1, (long) offset.invoke(CONTINUATION, "scope"));
                VIRTUAL_SCOPE = Access.staticField(virtual, "VTHREAD_SCOPE", SCOPE_TYPE);
                var state = Access.field(virtual, "state", int.class);
                STATE = state.toMethodHandle(AccessMode.GET_VOLATILE).asType(methodType(int.class, Object.class));
                SET_STATE = state.toMethodHandle(AccessMode.SET_VOLATILE)
                        .asType(methodType(void.class, Object.class, int.class));
                NOTIFIED = Access.field(virtual, "notified", boolean.class).toMethodHandle(AccessMode.GET_VOLATILE)
                        .asType(methodType(boolean.class, Object.class));
                TIMEOUT = get(virtual, "timeout", long.class).asType(methodType(long.class, Object.class));
                PARK_CARRIER = Access.method(unsafeType, "park", void.class, boolean.class, long.class).bindTo(unsafe);
                RUNNING = (int) Access.staticField(virtual, "RUNNING", int.class);
                BLOCKING = (int) Access.staticField(virtual, "BLOCKING", int.class);
                WAITING = (int) Access.staticField(virtual, "WAITING", int.class);
                TIMED_WAITING = (int) Access.staticField(virtual, "TIMED_WAITING", int.class);
                VirtualThreads.expect(TYPE);
            } catch (Throwable t) {
                throw new ExceptionInInitializerError(t);
            }
        }

        private Jdk() {}

        /** The lookup that may define a nestmate: the one of {@link Access#in} lacks module access, being from elsewhere. */
        private static Lookup trusted() throws ReflectiveOperationException {
            var field = Lookup.class.getDeclaredField("IMPL_LOOKUP");
            field.setAccessible(true);
            return (Lookup) field.get(null);
        }

        private static MethodHandle get(Class<?> owner, String name, Class<?> type) {
            return Access.field(owner, name, type).toMethodHandle(AccessMode.GET);
        }

        private static MethodHandle set(Class<?> owner, String name, Class<?> type) {
            return Access.field(owner, name, type).toMethodHandle(AccessMode.SET);
        }

        private static MethodHandle getObject(String name, Class<?> type) {
            return get(CONTINUATION, name, type).asType(methodType(Object.class, Object.class));
        }

        private static MethodHandle setObject(String name, Class<?> type) {
            return set(CONTINUATION, name, type).asType(methodType(void.class, Object.class, Object.class));
        }

        /**
         * <pre>
         * final class Loomlet extends Continuation {
         *     Loomlet(ContinuationScope scope, Runnable body) { super(scope, body); }
         *     protected void onPinned(Pinned reason) {}
         *     &#64;DontInline &#64;Hidden static int suspend() { return doYield(); }
         *     &#64;DontInline &#64;Hidden static int suspendDeeper() { return suspend(); }
         * }
         * </pre>
         */
        private static byte[] spin() {
            var continuation = ClassDesc.of("jdk.internal.vm.Continuation");
            var own = ClassDesc.of("jdk.internal.vm.Loomlet");
            var construct = MethodTypeDesc.of(CD_void, ClassDesc.of("jdk.internal.vm.ContinuationScope"),
                    ClassDesc.of("java.lang.Runnable"));
            var annotations = RuntimeVisibleAnnotationsAttribute.of(
                    Annotation.of(ClassDesc.of("jdk.internal.vm.annotation.DontInline")),
                    Annotation.of(ClassDesc.of("jdk.internal.vm.annotation.Hidden")));
            var number = MethodTypeDesc.of(CD_int);
            return ClassFile.of().build(own, type -> type
                    .withFlags(AccessFlag.FINAL, AccessFlag.SUPER)
                    .withSuperclass(continuation)
                    .withMethodBody(INIT_NAME, construct, 0, code -> code
                            .aload(0).aload(1).aload(2)
                            .invokespecial(continuation, INIT_NAME, construct).return_())
                    .withMethodBody("onPinned",
                            MethodTypeDesc.of(CD_void, ClassDesc.of("jdk.internal.vm.Continuation$Pinned")),
                            ClassFile.ACC_PROTECTED, code -> code.return_())
                    .withMethod("suspend", number, ClassFile.ACC_STATIC, method -> method
                            .with(annotations)
                            .withCode(code -> code.invokestatic(continuation, "doYield", number).ireturn()))
                    .withMethod("suspendDeeper", number, ClassFile.ACC_STATIC, method -> method
                            .with(annotations)
                            .withCode(code -> code.invokestatic(own, "suspend", number).ireturn())));
        }

        /** Goes in and out once, and once through a nested one, before anybody relies on it. */
        static String selfTest() {
            int[] step = new int[1];
            Object[] outer = new Object[1];
            Object inner = create(new Test(() -> {
                step[0] += 1;
                step[0] += suspend(outer[0], false) == RESUMED ? 10 : 0;
            }));
            outer[0] = create(new Test(() -> {
                step[0] += suspend(outer[0], true) == RESUMED ? 100 : 0;
                resume(inner);
                step[0] += 1000;
            }));
            for (int expected : new int[] {0, 101, 1111}) {
                resume(outer[0]);
                if (step[0] != expected) {
                    return "the start-up test of continuations stopped at " + step[0];
                }
            }
            return done(inner) && done(outer[0]) ? "" : "a continuation did not end";
        }

        private record Test(Runnable work) implements Body {
            @Override
            public void run() {
                work.run();
            }

            @Override
            public boolean closed() {
                return false;
            }

            @Override
            public boolean mayBeLeft() {
                return true;
            }
        }
    }
}
