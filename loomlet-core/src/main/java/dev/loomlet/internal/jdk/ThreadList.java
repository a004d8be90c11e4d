package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_String;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;
import static java.lang.invoke.MethodType.methodType;

import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A {@code jdk.internal.vm.ThreadContainer} for the virtual threads of one hub. The JDK puts every virtual thread that is
 * started without one into a concurrent set, so that thread dumps find it, which costs about as much as all the rest of a
 * spawn. A hub has a list of its fibers anyway: dumps ask that one, under the hub's name.
 *
 * <p>Where this JDK has no such container ({@link #problem}), its own set is used.
 */
public final class ThreadList implements AutoCloseable {
    private static final class Jdk {
        static final Class<?> CONTAINER = Access.type("jdk.internal.vm.ThreadContainer");
        static final Class<?> CONTAINERS = Access.type("jdk.internal.vm.ThreadContainers");
        static final MethodHandle CONSTRUCTOR = define(CONTAINER);
        static final MethodHandle REGISTER =
                Access.staticMethod(CONTAINERS, "registerContainer", Object.class, CONTAINER);
        static final MethodHandle DEREGISTER =
                Access.staticMethod(CONTAINERS, "deregisterContainer", void.class, Object.class);
        static final MethodHandle ROOT = Access.staticMethod(CONTAINERS, "root", CONTAINER);
        static final MethodHandle THREADS = Access.method(CONTAINER, "threads", Stream.class);
        static final MethodHandle CHILDREN = Access.method(CONTAINER, "children", Stream.class);
        static final MethodHandle START = Access.method(Access.type("java.lang.VirtualThread"), "start", void.class,
                CONTAINER).asType(methodType(void.class, Thread.class, Object.class));
    }

    private static final String PROBLEM = Access.problem(() -> java.util.Objects.requireNonNull(Jdk.START));

    private final @Nullable Object container;
    private final @Nullable Object key;

    /** Why the JDK's own set is used, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /**
     * Registers a list of threads with the JDK.
     *
     * @param threads asked on any thread, at any time
     */
    public ThreadList(String name, Supplier<Stream<Thread>> threads) {
        try {
            container = PROBLEM.isEmpty() ? Jdk.CONSTRUCTOR.invoke(name, threads) : null;
            key = PROBLEM.isEmpty() ? Jdk.REGISTER.invoke(container) : null;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Starts a virtual thread in it. */
    public void start(Thread virtual) {
        if (container == null) {
            virtual.start();
            return;
        }
        try {
            Jdk.START.invokeExact(virtual, container);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    @Override
    public void close() {
        if (key == null) {
            return;
        }
        try {
            Jdk.DEREGISTER.invoke(key);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Every virtual thread the JDK knows of; null where it was told not to keep track of them, or cannot be asked. */
    public static @Nullable List<Thread> allVirtual() {
        if (!PROBLEM.isEmpty() || "false".equalsIgnoreCase(System.getProperty("jdk.trackAllThreads"))) {
            return null;
        }
        List<Thread> all = new ArrayList<>();
        try {
            addVirtual(Jdk.ROOT.invoke(), all);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        return all;
    }

    private static void addVirtual(Object container, List<Thread> all) throws Throwable {
        Stream<?> threads = (Stream<?>) Jdk.THREADS.invoke(container);
        threads.forEach(each -> {
            if (each instanceof Thread thread && thread.isVirtual()) {
                all.add(thread);
            }
        });
        Stream<?> children = (Stream<?>) Jdk.CHILDREN.invoke(container);
        for (Object each : children.toList()) {
            addVirtual(each, all);
        }
    }

    private static MethodHandle define(Class<?> parent) {
        ClassDesc self = ClassDesc.of("jdk.internal.vm.LoomletThreads");
        ClassDesc container = ClassDesc.of("jdk.internal.vm.ThreadContainer");
        ClassDesc supplier = Supplier.class.describeConstable().orElseThrow();
        ClassDesc stream = Stream.class.describeConstable().orElseThrow();
        byte[] bytes = ClassFile.of().build(self, b -> b
                .withSuperclass(container)
                .withFlags(AccessFlag.FINAL)
                .withField("name", CD_String, ClassFile.ACC_FINAL)
                .withField("threads", supplier, ClassFile.ACC_FINAL)
                .withMethodBody(INIT_NAME, MethodTypeDesc.of(CD_void, CD_String, supplier), 0, c -> c
                        .aload(0).iconst_1().invokespecial(container, INIT_NAME, MethodTypeDesc.of(CD_void, CD_boolean))
                        .aload(0).aload(1).putfield(self, "name", CD_String)
                        .aload(0).aload(2).putfield(self, "threads", supplier)
                        .return_())
                .withMethodBody("name", MethodTypeDesc.of(CD_String), ClassFile.ACC_PUBLIC, c -> c
                        .aload(0).getfield(self, "name", CD_String).areturn())
                .withMethodBody("threads", MethodTypeDesc.of(stream), ClassFile.ACC_PUBLIC, c -> c
                        .aload(0).getfield(self, "threads", supplier)
                        .invokeinterface(supplier, "get", MethodTypeDesc.of(CD_Object))
                        .checkcast(stream).areturn()));
        try {
            MethodHandles.Lookup lookup = Access.in(parent);
            Class<?> type = lookup.defineClass(bytes);
            return lookup.findConstructor(type, methodType(void.class, String.class, Supplier.class))
                    .asType(methodType(Object.class, String.class, Supplier.class));
        } catch (ReflectiveOperationException e) {
            throw new Access.MissingInternal("jdk.internal.vm.ThreadContainer", e);
        }
    }
}
