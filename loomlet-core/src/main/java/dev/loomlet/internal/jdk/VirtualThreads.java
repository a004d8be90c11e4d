package dev.loomlet.internal.jdk;

import static java.lang.invoke.MethodType.methodType;

import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle.AccessMode;
import java.lang.reflect.AccessFlag;
import java.security.ProtectionDomain;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Virtual threads on a scheduler of our own, and the few steps of {@code java.lang.VirtualThread} that a hub takes
 * itself. Use only where there is no {@link #problem}.
 */
public final class VirtualThreads {
    /** Apart, for it is also needed where there are no hubs. */
    private static final class Carrier {
        static final MethodHandle CURRENT = Access.staticMethod(Thread.class, "currentCarrierThread", Thread.class);
    }

    /** All that is needed of the JDK: if one is missing, this class cannot be initialised. */
    private static final class Jdk {
        static final Class<?> TYPE = Access.type("java.lang.VirtualThread");
        static final int RUNNING = constant("RUNNING");
        static final int PARKING = constant("PARKING");
        static final int YIELDING = constant("YIELDING");
        static final int PARKED = constant("PARKED");
        static final int UNPARKED = constant("UNPARKED");
        static final MethodHandle NEW = Access.staticMethod(Access.type("java.lang.ThreadBuilders"),
                "newVirtualThread", Thread.class, Executor.class, String.class, int.class, Runnable.class);
        static final MethodHandle YIELD_CONTINUATION = Access.method(TYPE, "yieldContinuation", boolean.class)
                .asType(methodType(boolean.class, Thread.class));
        static final Yielder YIELDER = Yielder.make();
        static final MethodHandle GET_SCHEDULER = Access.field(TYPE, "scheduler", Executor.class)
                .toMethodHandle(AccessMode.GET).asType(methodType(Object.class, Thread.class));
        static final MethodHandle GET_TURN = Access.field(TYPE, "runContinuation", Runnable.class)
                .toMethodHandle(AccessMode.GET).asType(methodType(Runnable.class, Thread.class));
        static final MethodHandle SET_STATE = state(AccessMode.SET_RELEASE, void.class, Thread.class, int.class);
        static final MethodHandle CAS_STATE =
                state(AccessMode.COMPARE_AND_SET, boolean.class, Thread.class, int.class, int.class);
        static final MethodHandle GET_PERMIT = permit(AccessMode.GET_VOLATILE, boolean.class, Thread.class);
        static final MethodHandle SET_PERMIT =
                permit(AccessMode.SET_VOLATILE, void.class, Thread.class, boolean.class);

        private static int constant(String name) {
            return (int) Access.staticField(TYPE, name, int.class);
        }

        private static MethodHandle state(AccessMode mode, Class<?> result, Class<?>... parameters) {
            return Access.field(TYPE, "state", int.class).toMethodHandle(mode).asType(methodType(result, parameters));
        }

        private static MethodHandle permit(AccessMode mode, Class<?> result, Class<?>... parameters) {
            return Access.field(TYPE, "parkPermit", boolean.class).toMethodHandle(mode)
                    .asType(methodType(result, parameters));
        }
    }

    private static final int STRONG_HIDDEN_NESTMATE = 1 | 2 | 4; // as MethodHandleNatives.Constants has them

    /** How a thread gives way, and why not in the best way. */
    private record Yielder(Predicate<Thread> yield, String problem) {
        static Yielder make() {
            List<Predicate<Thread>> best = new ArrayList<>(1);
            String problem = Access.problem(() -> best.add(yielder()));
            return new Yielder(best.isEmpty() ? Yielder::byHandle : best.getFirst(), problem);
        }

        private static boolean byHandle(Thread thread) {
            try {
                return (boolean) Jdk.YIELD_CONTINUATION.invokeExact(thread);
            } catch (Throwable t) {
                throw Access.sneak(t);
            }
        }
    }

    private static final String PROBLEM = Access.granted() ? Access.problem(() -> {
        Objects.requireNonNull(Carrier.CURRENT);
        Objects.requireNonNull(Jdk.SET_PERMIT);
    }) : Access.refusal();
    private static final boolean USABLE = PROBLEM.isEmpty();

    /** The class of {@link Continuations}, once there are any; null to have nothing to do with them until then. */
    private static @Nullable Class<?> continuations;

    private VirtualThreads() {}

    static void expect(Class<?> ours) {
        continuations = ours;
    }

    /**
     * Whether {@code carrier} runs the body of a coroutine or generator just now. To ask for its stack, or for that of the
     * virtual thread on it, is then dangerous: see {@code docs/design/coroutines.md}. Any thread.
     */
    public static boolean runsBody(Thread carrier) {
        Class<?> ours = continuations;
        return ours != null && Continuations.runsOne(carrier, ours);
    }

    /** Why frames of method handles stay on the stack of each thread that waits, for people, or an empty string. */
    public static String yieldProblem() {
        return Jdk.YIELDER.problem;
    }

    /**
     * {@code thread -> thread.yieldContinuation()}, as a class of the JDK's own package would write it. The frames of a
     * method handle would stay on the stack of every greenlet that waits, and until the compiler has got that far, they are
     * three.
     */
    @SuppressWarnings("unchecked")
    private static Predicate<Thread> yielder() {
        ClassDesc type = Jdk.TYPE.describeConstable().orElseThrow();
        ClassDesc test = Predicate.class.describeConstable().orElseThrow();
        byte[] bytes = ClassFile.of().build(ClassDesc.of("java.lang.LoomletYield"), b -> b
                .withFlags(AccessFlag.FINAL)
                .withInterfaceSymbols(test)
                .withMethodBody(ConstantDescs.INIT_NAME, MethodTypeDesc.of(ConstantDescs.CD_void), 0, c -> c
                        .aload(0).invokespecial(ConstantDescs.CD_Object, ConstantDescs.INIT_NAME,
                                MethodTypeDesc.of(ConstantDescs.CD_void))
                        .return_())
                .withMethodBody("test", MethodTypeDesc.of(ConstantDescs.CD_boolean, ConstantDescs.CD_Object),
                        ClassFile.ACC_PUBLIC, c -> c
                                .aload(1).checkcast(type)
                                .invokevirtual(type, "yieldContinuation",
                                        MethodTypeDesc.of(ConstantDescs.CD_boolean))
                                .ireturn()));
        try {
            // Lookup.defineHiddenClass gives no nestmates to another module, whatever is open to it.
            Class<?> jdk = Access.type("jdk.internal.access.JavaLangAccess");
            Object access =
                    Access.staticMethod(Access.type("jdk.internal.access.SharedSecrets"), "getJavaLangAccess", jdk)
                            .invoke();
            var made = (Class<?>) Access.method(jdk, "defineClass", Class.class, ClassLoader.class, Class.class,
                    String.class, byte[].class, ProtectionDomain.class, boolean.class, int.class, Object.class)
                    .invoke(access, null, Jdk.TYPE, "java.lang.LoomletYield", bytes, null, true, STRONG_HIDDEN_NESTMATE,
                            null);
            return (Predicate<Thread>) Access.in(made).findConstructor(made, methodType(void.class)).invoke();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** What is missing, for people, or an empty string. If anything is, only {@link #scheduler} may be called;
     * {@link #currentCarrier} throws if it is that. */
    public static String problem() {
        return PROBLEM;
    }

    /**
     * Tries on this JDK what all the rest is built on: a virtual thread whose turns come to an executor of ours, that parks
     * by {@link #park}, and that {@link #claimParked} makes runnable. On a platform thread that holds no monitor.
     *
     * @throws IllegalStateException if it goes another way
     */
    public static void selfTest() {
        ArrayDeque<Runnable> turns = new ArrayDeque<>();
        List<String> steps = new ArrayList<>();
        Executor scheduler = turns::add;
        Thread thread = create(scheduler, "loomlet-self-test", false, () -> {
            steps.add("runs");
            boolean unmounted = park(Thread.currentThread());
            steps.add(unmounted ? "goes on" : "cannot park");
        });
        must(scheduler(thread) == scheduler, "a virtual thread does not keep its scheduler");
        thread.start();
        must(turns.size() == 1, "a virtual thread that is started does not ask its scheduler for a turn");
        Runnable turn = turns.remove();
        turn.run();
        must(steps.equals(List.of("runs")), "a virtual thread that parks " + steps);
        must(claimParked(thread), "a virtual thread that has parked is in another state");
        turn.run();
        must(steps.equals(List.of("runs", "goes on")) && thread.getState() == Thread.State.TERMINATED,
                "a virtual thread that was claimed " + steps + " and is " + thread.getState());
        must(currentCarrier() == Thread.currentThread(), "a platform thread is not its own carrier");
    }

    private static void must(boolean good, String otherwise) {
        if (!good) {
            throw new IllegalStateException(otherwise);
        }
    }

    /** A new, unstarted virtual thread whose turns are handed to {@code scheduler}. */
    public static Thread create(Executor scheduler, String name, boolean inheritLocals, Runnable body) {
        try {
            int characteristics = inheritLocals ? 0 : 1 << 2; // Thread.NO_INHERIT_THREAD_LOCALS
            return (Thread) Jdk.NEW.invokeExact(scheduler, name, characteristics, body);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The platform thread under the caller: itself, or the carrier of the calling virtual thread. */
    public static Thread currentCarrier() {
        try {
            return (Thread) Carrier.CURRENT.invokeExact();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * The scheduler of a virtual thread: what was given to {@link #create}, or what it inherited from its creator. Null where
     * that cannot be told, and so nobody can have given it one.
     */
    public static @Nullable Object scheduler(Thread virtual) {
        if (!USABLE) {
            return null;
        }
        try {
            return Jdk.GET_SCHEDULER.invokeExact(virtual);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** What is handed to the scheduler of a virtual thread for each of its turns: always the same object. */
    public static Runnable turn(Thread virtual) {
        try {
            return (Runnable) Jdk.GET_TURN.invokeExact(virtual);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Parks the calling virtual thread, as {@code LockSupport.park} would, but where it cannot be unmounted (a native
     * frame or a class initialiser is on its stack) it returns false at once instead of blocking the carrier. Returns
     * true early when a permit was there, or for no reason.
     *
     * @param self the calling virtual thread
     */
    public static boolean park(Thread self) {
        try {
            if ((boolean) Jdk.GET_PERMIT.invokeExact(self)) {
                Jdk.SET_PERMIT.invokeExact(self, false);
                return true;
            }
            boolean yielded = false;
            Jdk.SET_STATE.invokeExact(self, Jdk.PARKING);
            try {
                yielded = Jdk.YIELDER.yield.test(self);
            } catch (OutOfMemoryError e) {
                yielded = false; // no room for the frames: stay on the carrier, as the JDK does
            } finally {
                if (!yielded) {
                    Jdk.SET_STATE.invokeExact(self, Jdk.RUNNING);
                }
            }
            return yielded;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Lets whoever is ready run first, as {@code Thread.yield} would.
     *
     * @param self the calling virtual thread
     * @return false if it cannot be unmounted
     */
    public static boolean giveWay(Thread self) {
        try {
            boolean yielded = false;
            Jdk.SET_STATE.invokeExact(self, Jdk.YIELDING);
            try {
                yielded = Jdk.YIELDER.yield.test(self);
            } finally {
                if (!yielded) {
                    Jdk.SET_STATE.invokeExact(self, Jdk.RUNNING);
                }
            }
            return yielded;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * If {@code virtual} is parked and unmounted, makes it runnable and returns true: the caller must then run it. Saves
     * what {@code unpark} does for threads that race with the parking one, so call it only on the carrier that parked it.
     */
    public static boolean claimParked(Thread virtual) {
        try {
            return (boolean) Jdk.CAS_STATE.invokeExact(virtual, Jdk.PARKED, Jdk.UNPARKED);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
