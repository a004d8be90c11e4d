package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;
import static java.lang.constant.ConstantDescs.INIT_NAME;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.AccessFlag;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntBinaryOperator;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The two places in which the JDK's virtual threads meet the outside world, taken over for those that belong to a hub:
 *
 * <ul>
 * <li>every socket wait of the JDK ends in a {@code sun.nio.ch.Poller}. The elements of its poller arrays are replaced by
 * a subclass that asks the hub of the calling thread; threads of no hub go to the element that was there;
 * <li>timed parks and timed {@code Object.wait}s go to {@code VirtualThread$DelayedTaskSchedulers.INSTANCE}, whose
 * elements are replaced in the same way.
 * </ul>
 *
 * <p>Only array elements change: no bytecode is rewritten, no final field is touched.
 */
public final class JdkHooks {
    /** What a hub offers to the JDK. Called on the thread that runs the hub's loop. */
    public interface Target {
        /** Watch {@code fd} until {@code polled} is told so, once. */
        void watch(int fd, boolean read, IntConsumer polled) throws IOException;

        /** The wait is over; {@code fired} tells whether the watch has fired. */
        void unwatch(int fd, boolean read, boolean fired);

        /** Runs {@code task} on the loop after so many nanoseconds. The task is the JDK's own and short. */
        ScheduledFuture<?> schedule(Runnable task, long nanos);
    }

    /** Finds the hub under the current thread. */
    public interface Finder {
        @Nullable
        Target find();
    }

    private JdkHooks() {}

    /** Takes the timers over, once per VM. */
    public static void installTimers(Finder finder) {
        Class<?> holder = Access.type("java.lang.VirtualThread$DelayedTaskSchedulers");
        var schedulers = (ScheduledExecutorService[]) Access.staticField(holder, "INSTANCE",
                ScheduledExecutorService[].class);
        for (int i = 0; i < schedulers.length; i++) {
            schedulers[i] = new Timers(schedulers[i], finder);
        }
    }

    /**
     * Makes the JDK start its own pollers now. Some are virtual threads on the scheduler of whoever comes first, which must
     * not be a hub: call it on a platform thread before there is one.
     */
    public static void startPollers() throws ReflectiveOperationException {
        Class.forName(Access.type("sun.nio.ch.Poller").getName(), true, null);
    }

    /** Takes the pollers over, once per VM: all of them or, if it throws, none. After {@link #startPollers}. */
    public static void installPollers(Finder finder) throws IOException {
        try {
            Class<?> poller = Access.type("sun.nio.ch.Poller");
            Class<?> pollersType = Access.type("sun.nio.ch.Poller$Pollers");
            Object pollers = Access.staticField(poller, "POLLERS", pollersType);
            Object[] readers = (Object[]) Access.field(pollersType, "readPollers", poller.arrayType()).get(pollers);
            Object[] writers = (Object[]) Access.field(pollersType, "writePollers", poller.arrayType()).get(pollers);
            Pollers.define(poller);
            Object[] ourReaders = Pollers.create(readers, true, finder);
            Object[] ourWriters = Pollers.create(writers, false, finder);
            System.arraycopy(ourReaders, 0, readers, 0, readers.length);
            System.arraycopy(ourWriters, 0, writers, 0, writers.length);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** A generated subclass of the JDK's poller; it reaches us through types of {@code java.util.function} only. */
    private static final class Pollers {
        private static final MethodHandle UNSET =
                MethodHandles.throwException(Object.class, IllegalStateException.class);
        private static final ClassDesc NAME = ClassDesc.of("sun.nio.ch.LoomletPoller");
        private static MethodHandle constructor = UNSET;
        private static MethodHandle map = UNSET;
        private static MethodHandle register = UNSET;
        private static MethodHandle deregister = UNSET;

        static void define(Class<?> poller) throws Throwable {
            register = Access.method(poller, "implRegister", void.class, int.class);
            deregister = Access.method(poller, "implDeregister", void.class, int.class, boolean.class);
            MethodHandles.Lookup lookup = Access.in(poller);
            Class<?> type = lookup.defineClass(bytes(poller.describeConstable().orElseThrow()));
            constructor = lookup.findConstructor(type,
                    MethodType.methodType(void.class, IntUnaryOperator.class, IntBinaryOperator.class));
            map = Access.field(poller, "map", Map.class).toMethodHandle(VarHandle.AccessMode.GET);
        }

        static Object[] create(Object[] originals, boolean read, Finder finder) throws Throwable {
            Object[] ours = originals.clone(); // of the JDK's own type
            for (int i = 0; i < ours.length; i++) {
                ours[i] = create(originals[i], read, finder);
            }
            return ours;
        }

        private static Object create(Object original, boolean read, Finder finder) throws Throwable {
            Hook hook = new Hook(original, read, finder);
            Object poller = constructor.invoke((IntUnaryOperator) hook::register, (IntBinaryOperator) hook::deregister);
            hook.polled = (IntConsumer) poller;
            return poller;
        }

        /** What one element of the array does. */
        private static final class Hook {
            private final Object original;
            private final boolean read;
            private final Finder finder;
            private final Map<Integer, Thread> originals;
            private final Set<Integer> pinned = ConcurrentHashMap.newKeySet(); // hubs' waits left to the original
            IntConsumer polled = fd -> {};

            @SuppressWarnings("unchecked")
            Hook(Object original, boolean read, Finder finder) throws Throwable {
                this.original = original;
                this.read = read;
                this.finder = finder;
                this.originals = (Map<Integer, Thread>) map.invoke(original);
            }

            int register(int fd) {
                try {
                    Target target = finder.find();
                    if (target == null) {
                        registerOriginal(fd);
                        return 0;
                    }
                    target.watch(fd, read, polled);
                    // The thread parks next. One that cannot be unmounted (in a class initialiser, say) parks together
                    // with its carrier, and no hub would be there to see the event: so find out, for the price of a turn.
                    Thread self = Thread.currentThread();
                    if (self.isVirtual() && !VirtualThreads.giveWay(self)) {
                        target.unwatch(fd, read, false);
                        registerOriginal(fd);
                        pinned.add(fd);
                    }
                    return 0;
                } catch (Throwable t) {
                    throw Access.sneak(t);
                }
            }

            private void registerOriginal(int fd) throws Throwable {
                originals.put(fd, Thread.currentThread());
                try {
                    register.invoke(original, fd);
                } catch (Throwable t) {
                    originals.remove(fd);
                    throw t;
                }
            }

            int deregister(int fd, int fired) {
                try {
                    Target target = finder.find();
                    if (target != null && (pinned.isEmpty() || !pinned.remove(fd))) {
                        target.unwatch(fd, read, fired != 0);
                    } else {
                        boolean gone = originals.remove(fd) == null;
                        deregister.invoke(original, fd, gone);
                    }
                    return 0;
                } catch (Throwable t) {
                    throw Access.sneak(t);
                }
            }
        }

        private static byte[] bytes(ClassDesc poller) {
            ClassDesc register = IntUnaryOperator.class.describeConstable().orElseThrow();
            ClassDesc deregister = IntBinaryOperator.class.describeConstable().orElseThrow();
            ClassDesc consumer = IntConsumer.class.describeConstable().orElseThrow();
            ClassDesc bool = java.lang.constant.ConstantDescs.CD_boolean;
            return ClassFile.of().build(NAME, b -> b
                    .withSuperclass(poller)
                    .withInterfaceSymbols(consumer)
                    .withFlags(AccessFlag.FINAL)
                    .withField("register", register, ClassFile.ACC_FINAL)
                    .withField("deregister", deregister, ClassFile.ACC_FINAL)
                    .withMethodBody(INIT_NAME, MethodTypeDesc.of(CD_void, register, deregister), 0, c -> c
                            .aload(0).invokespecial(poller, INIT_NAME, MethodTypeDesc.of(CD_void))
                            .aload(0).aload(1).putfield(NAME, "register", register)
                            .aload(0).aload(2).putfield(NAME, "deregister", deregister)
                            .return_())
                    .withMethodBody("implRegister", MethodTypeDesc.of(CD_void, CD_int), 0, c -> c
                            .aload(0).getfield(NAME, "register", register).iload(1)
                            .invokeinterface(register, "applyAsInt", MethodTypeDesc.of(CD_int, CD_int))
                            .pop().return_())
                    .withMethodBody("implDeregister", MethodTypeDesc.of(CD_void, CD_int, bool), 0, c -> c
                            .aload(0).getfield(NAME, "deregister", deregister).iload(1).iload(2)
                            .invokeinterface(deregister, "applyAsInt", MethodTypeDesc.of(CD_int, CD_int, CD_int))
                            .pop().return_())
                    .withMethodBody("poll", MethodTypeDesc.of(CD_int, CD_int), 0, c -> c.iconst_0().ireturn())
                    .withMethodBody("accept", MethodTypeDesc.of(CD_void, CD_int), ClassFile.ACC_PUBLIC, c -> c
                            .aload(0).iload(1).invokevirtual(poller, "polled", MethodTypeDesc.of(CD_void, CD_int))
                            .return_()));
        }
    }

    /** Timed waits of a hub's threads go to its own timers, everything else to the JDK's scheduler. */
    private static final class Timers extends AbstractExecutorService implements ScheduledExecutorService {
        private final ScheduledExecutorService original;
        private final Finder finder;

        Timers(ScheduledExecutorService original, Finder finder) {
            this.original = original;
            this.finder = finder;
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            Target target = finder.find();
            return target == null
                    ? original.schedule(task, delay, unit)
                    : target.schedule(task, unit.toNanos(delay));
        }

        @Override
        public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
            return original.schedule(task, delay, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initial, long period, TimeUnit unit) {
            return original.scheduleAtFixedRate(task, initial, period, unit);
        }

        @Override
        public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long initial, long delay, TimeUnit unit) {
            return original.scheduleWithFixedDelay(task, initial, delay, unit);
        }

        @Override
        public void execute(Runnable command) {
            original.execute(command);
        }

        @Override
        public void shutdown() {
            original.shutdown();
        }

        @Override
        public List<Runnable> shutdownNow() {
            return original.shutdownNow();
        }

        @Override
        public boolean isShutdown() {
            return original.isShutdown();
        }

        @Override
        public boolean isTerminated() {
            return original.isTerminated();
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
            return original.awaitTermination(timeout, unit);
        }
    }
}
