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
import java.util.concurrent.Executor;
import java.util.function.Predicate;

/**
 * Virtual threads on a scheduler of our own, and the few steps of {@code java.lang.VirtualThread} that a hub takes
 * itself. Use only where {@link Access#granted()}.
 */
public final class VirtualThreads {
    private static final MethodHandle NEW;
    private static final MethodHandle CURRENT_CARRIER;
    private static final Predicate<Thread> YIELD_CONTINUATION;
    private static final MethodHandle GET_SCHEDULER;
    private static final MethodHandle SET_STATE;
    private static final MethodHandle CAS_STATE;
    private static final MethodHandle GET_PERMIT;
    private static final MethodHandle SET_PERMIT;
    private static final int STRONG_HIDDEN_NESTMATE = 1 | 2 | 4; // as MethodHandleNatives.Constants has them
    private static final Class<?> TYPE = Access.type("java.lang.VirtualThread");
    private static final int RUNNING = constant("RUNNING");
    private static final int PARKING = constant("PARKING");
    private static final int YIELDING = constant("YIELDING");
    private static final int PARKED = constant("PARKED");
    private static final int UNPARKED = constant("UNPARKED");

    static {
        NEW = Access.staticMethod(Access.type("java.lang.ThreadBuilders"), "newVirtualThread", Thread.class,
                Executor.class, String.class, int.class, Runnable.class);
        CURRENT_CARRIER = Access.staticMethod(Thread.class, "currentCarrierThread", Thread.class);
        YIELD_CONTINUATION = yielder();
        GET_SCHEDULER = Access.field(TYPE, "scheduler", Executor.class).toMethodHandle(AccessMode.GET)
                .asType(methodType(Object.class, Thread.class));
        var state = Access.field(TYPE, "state", int.class);
        SET_STATE =
                state.toMethodHandle(AccessMode.SET_RELEASE).asType(methodType(void.class, Thread.class, int.class));
        CAS_STATE = state.toMethodHandle(AccessMode.COMPARE_AND_SET)
                .asType(methodType(boolean.class, Thread.class, int.class, int.class));
        var permit = Access.field(TYPE, "parkPermit", boolean.class);
        GET_PERMIT = permit.toMethodHandle(AccessMode.GET_VOLATILE).asType(methodType(boolean.class, Thread.class));
        SET_PERMIT = permit.toMethodHandle(AccessMode.SET_VOLATILE)
                .asType(methodType(void.class, Thread.class, boolean.class));
    }

    private VirtualThreads() {}

    /**
     * {@code thread -> thread.yieldContinuation()}, as a class of the JDK's own package would write it. The frames of a
     * method handle would stay on the stack of every greenlet that waits, and until the compiler has got that far, they are
     * three.
     */
    @SuppressWarnings("unchecked")
    private static Predicate<Thread> yielder() {
        ClassDesc type = TYPE.describeConstable().orElseThrow();
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
                    .invoke(access, null, TYPE, "java.lang.LoomletYield", bytes, null, true, STRONG_HIDDEN_NESTMATE,
                            null);
            return (Predicate<Thread>) Access.in(made).findConstructor(made, methodType(void.class)).invoke();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static int constant(String name) {
        return (int) Access.staticField(TYPE, name, int.class);
    }

    /** A new, unstarted virtual thread whose turns are handed to {@code scheduler}. */
    public static Thread create(Executor scheduler, String name, boolean inheritLocals, Runnable body) {
        try {
            int characteristics = inheritLocals ? 0 : 1 << 2; // Thread.NO_INHERIT_THREAD_LOCALS
            return (Thread) NEW.invokeExact(scheduler, name, characteristics, body);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The platform thread under the caller: itself, or the carrier of the calling virtual thread. */
    public static Thread currentCarrier() {
        try {
            return (Thread) CURRENT_CARRIER.invokeExact();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The scheduler of a virtual thread: what was given to {@link #create}, or what it inherited from its creator. */
    public static Object scheduler(Thread virtual) {
        try {
            return GET_SCHEDULER.invokeExact(virtual);
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
            if ((boolean) GET_PERMIT.invokeExact(self)) {
                SET_PERMIT.invokeExact(self, false);
                return true;
            }
            boolean yielded = false;
            SET_STATE.invokeExact(self, PARKING);
            try {
                yielded = YIELD_CONTINUATION.test(self);
            } catch (OutOfMemoryError e) {
                yielded = false; // no room for the frames: stay on the carrier, as the JDK does
            } finally {
                if (!yielded) {
                    SET_STATE.invokeExact(self, RUNNING);
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
            SET_STATE.invokeExact(self, YIELDING);
            try {
                yielded = YIELD_CONTINUATION.test(self);
            } finally {
                if (!yielded) {
                    SET_STATE.invokeExact(self, RUNNING);
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
            return (boolean) CAS_STATE.invokeExact(virtual, PARKED, UNPARKED);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
