package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.invoke.MethodType.methodType;

import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessFlag;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls an action on a platform thread when that thread ends, as the very last thing it does, through
 * {@code jdk.internal.misc.TerminatingThreadLocal}, by which the JDK itself frees what belongs to a thread.
 *
 * <p>The JDK walks over the set of a thread's terminating thread-locals while it calls them. The action may be long and
 * run code of the program, which may make the JDK add others to that set, and then the walk would break off: so another
 * set stands in its place meanwhile, and what has come into it is ended after the action.
 */
public final class ThreadEnd {
    private static final class Jdk {
        static final Class<?> TYPE = Access.type("jdk.internal.misc.TerminatingThreadLocal");
        static final MethodHandle END_ALL = Access.staticMethod(TYPE, "threadTerminated", void.class);
        static final ThreadLocal<Object> REGISTRY = registry(TYPE);
        static final ThreadLocal<@Nullable Runnable> ACTION = define(TYPE);
    }

    private static final String PROBLEM = Access.problem(() -> Objects.requireNonNull(Jdk.ACTION));

    private ThreadEnd() {}

    /** Why nothing is ever called here, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** From now on {@code action} is called when the calling platform thread ends, instead of the one set before. */
    public static void set(Runnable action) {
        if (PROBLEM.isEmpty()) {
            Jdk.ACTION.set(action);
        }
    }

    /** Takes it back. */
    public static void remove() {
        if (PROBLEM.isEmpty()) {
            Jdk.ACTION.remove();
        }
    }

    private static void ended(Object value) {
        if (!(value instanceof Runnable action)) {
            return;
        }
        Object before = Jdk.REGISTRY.get();
        Jdk.REGISTRY.set(Collections.newSetFromMap(new IdentityHashMap<>()));
        try {
            try {
                action.run();
            } finally {
                Jdk.END_ALL.invokeExact();
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        } finally {
            Jdk.REGISTRY.set(before);
        }
    }

    @SuppressWarnings("unchecked")
    private static ThreadLocal<Object> registry(Class<?> type) {
        return (ThreadLocal<Object>) Access.staticField(type, "REGISTRY", type);
    }

    @SuppressWarnings("unchecked")
    private static ThreadLocal<@Nullable Runnable> define(Class<?> parentType) {
        ClassDesc self = ClassDesc.of("jdk.internal.misc.LoomletThreadEnd");
        ClassDesc parent = ClassDesc.of("jdk.internal.misc.TerminatingThreadLocal");
        ClassDesc consumer = Consumer.class.describeConstable().orElseThrow();
        byte[] bytes = ClassFile.of().build(self, b -> b
                .withSuperclass(parent)
                .withFlags(AccessFlag.FINAL)
                .withField("action", consumer, ClassFile.ACC_FINAL)
                .withMethodBody(INIT_NAME, MethodTypeDesc.of(CD_void, consumer), 0, c -> c
                        .aload(0).invokespecial(parent, INIT_NAME, MethodTypeDesc.of(CD_void))
                        .aload(0).aload(1).putfield(self, "action", consumer)
                        .return_())
                .withMethodBody("threadTerminated", MethodTypeDesc.of(CD_void, CD_Object), ClassFile.ACC_PROTECTED,
                        c -> c.aload(0).getfield(self, "action", consumer).aload(1)
                                .invokeinterface(consumer, "accept", MethodTypeDesc.of(CD_void, CD_Object))
                                .return_()));
        try {
            MethodHandles.Lookup lookup = Access.in(parentType);
            Class<?> type = lookup.defineClass(bytes);
            return (ThreadLocal<@Nullable Runnable>) lookup
                    .findConstructor(type, methodType(void.class, Consumer.class))
                    .invoke((Consumer<Object>) ThreadEnd::ended);
        } catch (Throwable e) {
            throw new Access.MissingInternal("jdk.internal.misc.TerminatingThreadLocal", e);
        }
    }
}
