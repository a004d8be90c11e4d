package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.AccessFlag;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.locks.AbstractQueuedSynchronizer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Lets a {@code Thread} object of a program stand for a virtual thread.
 *
 * <p>The program makes and keeps a platform {@code Thread}, its <em>face</em>; what runs is a virtual thread, the
 * <em>real</em> one. Methods of {@code java.lang.Thread} that are called on a face are passed on to the real thread, and
 * those that ask a real thread for what only platform threads have (daemon status, group, priority) to its face. Code of
 * the JDK sees the real thread as current, so that locks, parking, thread locals and interrupts are untouched; code
 * outside the JDK has its calls of {@code Thread.currentThread()} rewritten to see the face.
 *
 * <p>The link between the two lies in fields that such threads do not need themselves: the face's {@code parkBlocker}
 * (it never parks) and the real thread's {@code uncaughtExceptionHandler} (its errors are its face's). So neither a map
 * nor a lock is between {@code currentThread()} and its answer.
 *
 * <p>The rewritten methods call {@code java.lang.LoomletThreads}, generated and defined into {@code java.base}, which
 * knows us only through types of {@code java.util.function}.
 */
public final class ThreadHooks {
    /** The class that rewritten call sites name; it is public and in {@code java.lang}, so every class can reach it. */
    public static final ClassDesc HOOK = ClassDesc.of("java.lang.LoomletThreads");

    /** Its name in class files. */
    public static final String HOOK_NAME = "java/lang/LoomletThreads";

    /** The classes of the JDK that {@link #transform} changes for threads, and those for files. */
    public static final List<Set<Class<?>>> PATCHED = List.of(
            Set.of(Thread.class, Access.type("java.lang.VirtualThread"), LockSupport.class,
                    AbstractQueuedSynchronizer.class, ThreadPoolExecutor.class, CompletableFuture.class,
                    Access.type("sun.nio.ch.ServerSocketChannelImpl")),
            FileHooks.PATCHED);

    private static final ClassDesc THREAD = ClassDesc.of("java.lang.Thread");
    private static final ClassDesc STATE = ClassDesc.of("java.lang.Thread$State");
    private static final ClassDesc FUNCTION = ClassDesc.of("java.util.function.Function");
    private static final ClassDesc CONSUMER = ClassDesc.of("java.util.function.Consumer");
    private static final ClassDesc BI_CONSUMER = ClassDesc.of("java.util.function.BiConsumer");
    private static final ClassDesc SUPPLIER = ClassDesc.of("java.util.function.Supplier");
    private static final ClassDesc PREDICATE = ClassDesc.of("java.util.function.Predicate");

    private static final VarHandle PARK_BLOCKER = Access.field(Thread.class, "parkBlocker", Object.class);
    private static final VarHandle HANDLER =
            Access.field(Thread.class, "uncaughtExceptionHandler", Thread.UncaughtExceptionHandler.class);
    private static final VarHandle LOCALS = Access.field(Thread.class, "inheritableThreadLocals",
            Access.type("java.lang.ThreadLocal$ThreadLocalMap"));
    private static final VarHandle BINDINGS = Access.field(Thread.class, "scopedValueBindings", Object.class);
    private static final VarHandle INTERRUPTED = Access.field(Thread.class, "interrupted", boolean.class);
    private static final MethodHandle EXIT = Access.method(Thread.class, "exit", void.class);
    private static final MethodHandle DISPATCH =
            Access.method(Thread.class, "dispatchUncaughtException", void.class, Throwable.class);
    private static final MethodHandle STACK =
            Access.method(Thread.class, "asyncGetStackTrace", StackTraceElement[].class);
    private static final Class<?> HOLDER = Access.type("java.lang.Thread$FieldHolder");
    private static final VarHandle HELD = Access.field(Thread.class, "holder", HOLDER);
    private static final VarHandle TASK = Access.field(HOLDER, "task", Runnable.class);

    private static final Class<?> WORKER = Access.type("java.util.concurrent.ThreadPoolExecutor$Worker");
    private static final VarHandle POOL =
            Access.field(WORKER, "this$0", ThreadPoolExecutor.class);

    /** What decides about a program's threads. Called in the middle of {@code Thread}'s own methods: be brief. */
    public interface Callbacks {
        /** The program starts this thread. True if it was taken over, false if it shall be a real thread. */
        boolean start(Thread thread);

        /** All faces that are alive. */
        List<Thread> faces();

        /** Whether a platform thread is none that the program has to see. */
        boolean hidden(Thread thread);

        /** A {@code ThreadPoolExecutor} is being made. */
        void pool(Object pool);

        /** What {@code CompletableFuture} uses as its own executor, in the calling thread. */
        Executor async(Executor original);

        /**
         * The calling virtual thread is about to block its carrier, in a wait of the JDK that cannot give way because a
         * native frame or a class initialiser is on the stack.
         *
         * @return what to give to {@link #afterPinnedWait}
         */
        @Nullable
        Object beforePinnedWait(boolean sleeps);

        /** That wait is over. */
        void afterPinnedWait(@Nullable Object token);

        /**
         * The {@code main} of the program was entered whose class was given to {@link #atMain}.
         *
         * @param receiver its instance, or its class if it is static
         * @param args its arguments, or null if it takes none
         */
        void enterMain(Object receiver, @Nullable Object args);
    }

    /** A face and its real thread. */
    public static final class Pair implements Thread.UncaughtExceptionHandler {
        final Thread face;
        final Thread real;
        private volatile boolean ended;

        private Pair(Thread face, Thread real) {
            this.face = face;
            this.real = real;
        }

        /** What the program sees. */
        public Thread face() {
            return face;
        }

        /** Its errors are its face's. */
        @Override
        public void uncaughtException(Thread thread, Throwable error) {
            dispatch(face, error);
        }

        /** Runs what the face was made for, in the real thread. What it throws comes out. */
        @SuppressWarnings("DoNotCall") // it is not started: this is its start
        public void run() {
            face.run();
        }

        /** Tells the face of an error that nobody caught. */
        public void fail(Throwable error) {
            dispatch(face, error);
        }

        /** The end, in the real thread: the face is no longer alive, and whoever joins it goes on. */
        public void end() {
            try {
                EXIT.invokeExact(face);
            } catch (Throwable t) {
                throw Access.sneak(t);
            } finally {
                ended = true;
                synchronized (face) { // what join waits on
                    face.notifyAll();
                }
            }
        }

        public boolean ended() {
            return ended;
        }
    }

    private static void dispatch(Thread face, Throwable error) {
        try {
            DISPATCH.invokeExact(face, error);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private ThreadHooks() {}

    /** Defines the hook class and connects it; before any class is transformed. Once. */
    public static void install(Callbacks callbacks) {
        try {
            MethodHandles.Lookup lookup = Access.in(Thread.class);
            Class<?> hook = lookup.defineClass(hookClass());
            set(lookup, hook, "START", Predicate.class, (Predicate<Thread>) callbacks::start);
            set(lookup, hook, "FACE", Function.class, (UnaryOperator<Thread>) ThreadHooks::face);
            set(lookup, hook, "REAL", Function.class, (Function<Thread, @Nullable Thread>) ThreadHooks::realOrNull);
            set(lookup, hook, "STATE", Function.class, (Function<Thread, Thread.@Nullable State>) ThreadHooks::state);
            set(lookup, hook, "STACK", Function.class,
                    (Function<Thread, StackTraceElement @Nullable []>) ThreadHooks::stack);
            set(lookup, hook, "MAIN", BiConsumer.class, (BiConsumer<Object, @Nullable Object>) callbacks::enterMain);
            set(lookup, hook, "NAME", BiConsumer.class, (BiConsumer<Thread, String>) ThreadHooks::rename);
            set(lookup, hook, "LOADER", BiConsumer.class, (BiConsumer<Thread, ClassLoader>) ThreadHooks::setLoader);
            set(lookup, hook, "ALL", Function.class, (UnaryOperator<Thread[]>) all -> withFaces(all, callbacks));
            set(lookup, hook, "TRACES", Function.class,
                    (UnaryOperator<Map<Thread, StackTraceElement[]>>) all -> withFaces(all, callbacks));
            set(lookup, hook, "ASYNC", Function.class, (UnaryOperator<Executor>) callbacks::async);
            set(lookup, hook, "PIN", Supplier.class, (Supplier<@Nullable Object>) () -> beforePinnedWait(callbacks));
            set(lookup, hook, "UNPIN", Consumer.class, (Consumer<@Nullable Object>) callbacks::afterPinnedWait);
            set(lookup, hook, "JOIN", Function.class, (Function<Thread, @Nullable Thread>) ThreadHooks::joinable);
            set(lookup, hook, "POOL", Consumer.class, (Consumer<Object>) callbacks::pool);
            // Whatever these need is loaded now, and not in the middle of a method of Thread.
            face(Thread.currentThread());
            state(Thread.currentThread());
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static void set(MethodHandles.Lookup lookup, Class<?> hook, String name, Class<?> type, Object value)
            throws Throwable {
        lookup.findStaticVarHandle(hook, name, type).set(value);
    }

    // --- pairs

    /** Connects a face that was never started with the virtual thread that is going to run it, not started yet. */
    public static Pair pair(Thread face, Thread real) {
        Pair pair = new Pair(face, real);
        LOCALS.set(real, LOCALS.get(face));
        Object bindings = BINDINGS.get(face);
        if (bindings != Thread.class) { // not "none of its own"
            BINDINGS.set(real, bindings);
        }
        real.setContextClassLoader(face.getContextClassLoader());
        if ((boolean) INTERRUPTED.get(face)) {
            INTERRUPTED.set(face, false);
            real.interrupt();
        }
        HANDLER.setVolatile(real, pair);
        PARK_BLOCKER.setVolatile(face, pair);
        return pair;
    }

    /** The face of a real thread; any other thread is its own. */
    public static Thread face(Thread thread) {
        return thread.isVirtual() && HANDLER.getVolatile(thread) instanceof Pair pair ? pair.face : thread;
    }

    /** Whether a thread stands for a real one. */
    public static boolean isFace(Thread thread) {
        return pairOf(thread) != null;
    }

    /** What a thread runs, or null. */
    public static @Nullable Runnable task(Thread thread) {
        Object holder = HELD.get(thread);
        return holder == null ? null : (Runnable) TASK.get(holder);
    }

    /** The {@code ThreadPoolExecutor} whose worker a task is, or null if it is none. */
    public static @Nullable Object poolOf(Runnable task) {
        return WORKER.isInstance(task) ? POOL.get(task) : null;
    }

    /**
     * Whether a class of the JDK that starts a thread does so for its caller, as an executor or a timer does, and not for
     * itself. The server of {@code com.sun.net.httpserver} is counted among them: its dispatcher runs the handlers.
     */
    public static boolean startsForCaller(Class<?> type) {
        String name = type.getName();
        if (name.startsWith("java.lang.Process")) {
            return false; // it waits for the program's processes on threads of its own, in native code
        }
        return name.startsWith("java.lang.") || name.startsWith("java.util.") || name.startsWith("jdk.internal.vm.")
                || name.startsWith("jdk.internal.reflect.") || name.startsWith("jdk.internal.misc.")
                || name.startsWith("sun.net.httpserver.") || name.startsWith("com.sun.net.httpserver.");
    }

    /** Whether a class of the JDK that is a thread runs a program's tasks, and may run them on a virtual thread. */
    public static boolean isTimer(Class<?> type) {
        return type.getName().equals("java.util.TimerThread");
    }

    /** Whether a thread is of the JDK's own making: such a one does nothing where it is not the current thread. */
    public static boolean isInnocuous(Thread thread) {
        return thread.getClass().getName().equals("jdk.internal.misc.InnocuousThread");
    }

    /** Whether a class is the one that starts the threads of {@code Runtime.addShutdownHook}. */
    public static boolean runsShutdownHooks(Class<?> type) {
        return type.getName().equals("java.lang.ApplicationShutdownHooks");
    }

    private static @Nullable Pair pairOf(Thread face) {
        return PARK_BLOCKER.getVolatile(face) instanceof Pair pair ? pair : null;
    }

    private static @Nullable Thread realOrNull(Thread face) {
        Pair pair = pairOf(face);
        return pair == null ? null : pair.real;
    }

    private static Thread.@Nullable State state(Thread face) {
        Pair pair = pairOf(face);
        if (pair == null) {
            return null;
        }
        if (pair.ended) {
            return Thread.State.TERMINATED;
        }
        Thread.State state = pair.real.getState();
        return switch (state) {
            case NEW -> Thread.State.RUNNABLE;
            case TERMINATED -> Thread.State.TERMINATED;
            default -> state;
        };
    }

    private static StackTraceElement @Nullable [] stack(Thread face) {
        Pair pair = pairOf(face);
        if (pair == null) {
            return null;
        }
        StackTraceElement[] frames;
        try {
            frames = pair.real == Thread.currentThread() ? new Exception("where").getStackTrace()
                    : (StackTraceElement[]) STACK.invoke(pair.real);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        for (int i = frames.length - 1; i >= 0; i--) {
            if (frames[i].getClassName().equals(Pair.class.getName())) { // below it is only how we got there
                return java.util.Arrays.copyOf(frames, i);
            }
        }
        return frames;
    }

    private static void rename(Thread face, String name) {
        Thread real = realOrNull(face);
        if (real != null) {
            real.setName(name);
        }
    }

    private static void setLoader(Thread face, ClassLoader loader) {
        Thread real = realOrNull(face);
        if (real != null) {
            real.setContextClassLoader(loader);
        }
    }

    private static Thread[] withFaces(Thread[] threads, Callbacks callbacks) {
        List<Thread> all = new java.util.ArrayList<>(callbacks.faces());
        for (Thread each : threads) {
            if (!callbacks.hidden(each)) {
                all.add(each);
            }
        }
        return all.toArray(Thread[]::new);
    }

    private static Map<Thread, StackTraceElement[]> withFaces(Map<Thread, StackTraceElement[]> threads,
            Callbacks callbacks) {
        Map<Thread, StackTraceElement[]> all = new HashMap<>(threads);
        all.keySet().removeIf(callbacks::hidden);
        for (Thread each : callbacks.faces()) {
            all.put(each, each.getStackTrace());
        }
        return all;
    }

    /**
     * The real thread, if the caller had better join that one: where the caller is pinned, {@code Object.wait}, which
     * joining a face comes down to, would block its carrier in native code. A thread that is not on its way yet is no
     * good for that: joining it would return at once.
     */
    private static @Nullable Thread joinable(Thread face) {
        Thread real = Thread.currentThread().isVirtual() ? realOrNull(face) : null;
        return real != null && real.isAlive() ? real : null;
    }

    private static @Nullable Object beforePinnedWait(Callbacks callbacks) {
        boolean sleeps = StackWalker.getInstance()
                .walk(frames -> frames.limit(20).anyMatch(each -> each.getMethodName().equals("sleepNanos")));
        return callbacks.beforePinnedWait(sleeps);
    }

    // --- bytes

    private static byte[] hookClass() {
        int shared = ClassFile.ACC_STATIC | ClassFile.ACC_PUBLIC;
        return ClassFile.of().build(HOOK, b -> {
            b.withFlags(AccessFlag.PUBLIC, AccessFlag.FINAL);
            for (String each : List.of("FACE", "REAL", "STATE", "STACK", "ALL", "TRACES", "ASYNC", "JOIN")) {
                b.withField(each, FUNCTION, shared);
            }
            b.withField("START", PREDICATE, shared).withField("POOL", CONSUMER, shared)
                    .withField("PIN", SUPPLIER, shared).withField("UNPIN", CONSUMER, shared)
                    .withField("NAME", BI_CONSUMER, shared).withField("LOADER", BI_CONSUMER, shared)
                    .withField("MAIN", BI_CONSUMER, shared);
            FileHooks.fields().forEach((name, type) -> b.withField(name, type, shared));
            // public static Thread current(): what Thread.currentThread() becomes outside the JDK
            b.withMethodBody("current", MethodTypeDesc.of(THREAD), shared, c -> {
                c.getstatic(HOOK, "FACE", FUNCTION).invokestatic(THREAD, "currentThread", MethodTypeDesc.of(THREAD));
                apply(c, THREAD);
                c.areturn();
            });
            // public static void spin(): what Thread.onSpinWait() becomes there. On a hub, what is waited for comes only
            // if this one gives way.
            b.withMethodBody("spin", MethodTypeDesc.of(CD_void), shared, c -> {
                c.invokestatic(THREAD, "currentThread", MethodTypeDesc.of(THREAD));
                c.invokevirtual(THREAD, "isVirtual", MethodTypeDesc.of(CD_boolean));
                c.ifThenElse(
                        then -> then.invokestatic(THREAD, "yield", MethodTypeDesc.of(CD_void)),
                        real -> real.invokestatic(THREAD, "onSpinWait", MethodTypeDesc.of(CD_void)));
                c.return_();
            });
        });
    }

    private static void apply(CodeBuilder c, ClassDesc result) {
        c.invokeinterface(FUNCTION, "apply", MethodTypeDesc.of(CD_Object, CD_Object)).checkcast(result);
    }

    /**
     * Rewrites a class so that its {@code main} begins with a call of {@link Callbacks#enterMain}.
     *
     * @param loader where the classes it names can be looked up
     */
    public static byte[] atMain(byte[] bytes, ClassLoader loader) {
        ClassFile classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(loader)
                        .orElse(ClassHierarchyResolver.defaultResolver()).cached()));
        ClassModel model = classFile.parse(bytes);
        return classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && method.methodName().equalsString("main")
                    && method.code().isPresent()) {
                boolean isStatic = method.flags().has(AccessFlag.STATIC);
                boolean takesArgs = method.methodType().equalsString("([Ljava/lang/String;)V");
                if (takesArgs || method.methodType().equalsString("()V")) {
                    CodeModel code = method.code().get();
                    builder.transformMethod(method, (m, part) -> {
                        if (part instanceof CodeModel) {
                            m.withCode(c -> {
                                c.getstatic(HOOK, "MAIN", BI_CONSUMER);
                                if (isStatic) {
                                    c.ldc(model.thisClass());
                                } else {
                                    c.aload(0);
                                }
                                if (takesArgs) {
                                    c.aload(isStatic ? 0 : 1);
                                } else {
                                    c.aconst_null();
                                }
                                c.invokeinterface(BI_CONSUMER, "accept",
                                        MethodTypeDesc.of(CD_void, CD_Object, CD_Object));
                                code.forEach(c);
                            });
                        } else {
                            m.with(part);
                        }
                    });
                    return;
                }
            }
            builder.with(element);
        });
    }

    /** A change of one method. */
    interface Change {
        void write(CodeBuilder code, CodeModel original);
    }

    /** Changed methods of the class given with slashes, or null if it is none of those that are patched. */
    private static Map<String, Change> changes(String name) {
        Map<String, Change> changes = new HashMap<>();
        switch (name) {
            case "java/lang/Thread" -> {
                changes.put("start()V", ThreadHooks::takeOver);
                changes.put("start(Ljdk/internal/vm/ThreadContainer;)V", ThreadHooks::takeOver);
                changes.put("alive()Z", before(c -> {
                    // State s = STATE.apply(this); if (s != null) return s != TERMINATED;
                    c.getstatic(HOOK, "STATE", FUNCTION).aload(0);
                    apply(c, STATE);
                    c.dup();
                    c.ifThenElse(Opcode.IFNONNULL, yes -> {
                        yes.getstatic(STATE, "TERMINATED", STATE);
                        yes.ifThenElse(Opcode.IF_ACMPEQ, dead -> dead.iconst_0().ireturn(),
                                alive -> alive.iconst_1().ireturn());
                    }, CodeBuilder::pop);
                }));
                changes.put("threadState()Ljava/lang/Thread$State;",
                        firstAsk("STATE", STATE, CodeBuilder::areturn));
                changes.put("asyncGetStackTrace()[Ljava/lang/StackTraceElement;",
                        firstAsk("STACK", ClassDesc.of("java.lang.StackTraceElement").arrayType(),
                                CodeBuilder::areturn));
                changes.put("interrupt()V", firstAsk("REAL", THREAD, c -> c
                        .invokevirtual(THREAD, "interrupt", MethodTypeDesc.of(CD_void)).return_()));
                changes.put("isInterrupted()Z", firstAsk("REAL", THREAD, c -> c
                        .invokevirtual(THREAD, "isInterrupted", MethodTypeDesc.of(CD_boolean)).ireturn()));
                ClassDesc loader = ClassDesc.of("java.lang.ClassLoader");
                changes.put("getContextClassLoader()Ljava/lang/ClassLoader;", firstAsk("REAL", THREAD, c -> c
                        .invokevirtual(THREAD, "getContextClassLoader", MethodTypeDesc.of(loader)).areturn()));
                changes.put("setContextClassLoader(Ljava/lang/ClassLoader;)V", before(c -> c
                        .getstatic(HOOK, "LOADER", BI_CONSUMER).aload(0).aload(1)
                        .invokeinterface(BI_CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_Object, CD_Object))));
                changes.put("setName(Ljava/lang/String;)V", before(c -> c
                        .getstatic(HOOK, "NAME", BI_CONSUMER).aload(0).aload(1)
                        .invokeinterface(BI_CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_Object, CD_Object))));
                changes.put("join(J)V", firstAsk("JOIN", THREAD, c -> c.lload(1)
                        .invokevirtual(THREAD, "join", MethodTypeDesc.of(CD_void, CD_long)).return_()));
                changes.put("isDaemon()Z", onFace());
                changes.put("getPriority()I", onFace());
                changes.put("getThreadGroup()Ljava/lang/ThreadGroup;", onFace());
                changes.put("getAllThreads()[Ljava/lang/Thread;", result("ALL", THREAD.arrayType()));
                changes.put("getAllStackTraces()Ljava/util/Map;", result("TRACES", ClassDesc.of("java.util.Map")));
            }
            case "java/lang/VirtualThread" ->
                    changes.put("parkOnCarrierThread(ZJ)V", ThreadHooks::aroundPark);
            case "java/util/concurrent/CompletableFuture" -> {
                changes.put("supplyAsync(Ljava/util/function/Supplier;)Ljava/util/concurrent/CompletableFuture;",
                        asyncPool());
                changes.put("runAsync(Ljava/lang/Runnable;)Ljava/util/concurrent/CompletableFuture;", asyncPool());
                changes.put("defaultExecutor()Ljava/util/concurrent/Executor;", asyncPool());
            }
            case "java/util/concurrent/locks/LockSupport" -> {
                changes.put("unpark(Ljava/lang/Thread;)V", onReal(0));
                changes.put("getBlocker(Ljava/lang/Thread;)Ljava/lang/Object;", onReal(0));
            }
            case "java/util/concurrent/locks/AbstractQueuedSynchronizer" ->
                    changes.put("isQueued(Ljava/lang/Thread;)Z", onReal(1));
            case "sun/nio/ch/ServerSocketChannelImpl" ->
                    changes.put("netBind(Ljava/net/SocketAddress;I)Ljava/net/SocketAddress;", ThreadHooks::longBacklog);
            case "java/util/concurrent/ThreadPoolExecutor" -> {
                // the constructor that all others call
                changes.put("<init>(IIJLjava/util/concurrent/TimeUnit;Ljava/util/concurrent/BlockingQueue;"
                        + "Ljava/util/concurrent/ThreadFactory;Ljava/util/concurrent/RejectedExecutionHandler;)V",
                        atReturn(c -> c.getstatic(HOOK, "POOL", CONSUMER).aload(0)
                                .invokeinterface(CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_Object))));
                // what beforeExecute is told
                changes.put("runWorker(Ljava/util/concurrent/ThreadPoolExecutor$Worker;)V", currentThreads());
            }
            default -> FileHooks.changes(name, changes);
        }
        return changes;
    }

    /** Each {@code start0()} becomes {@code if (!START.test(this)) start0()}. */
    private static void takeOver(CodeBuilder code, CodeModel original) {
        for (CodeElement each : original) {
            if (each instanceof InvokeInstruction invoke && invoke.name().equalsString("start0")) {
                code.pop().getstatic(HOOK, "START", PREDICATE).aload(0)
                        .invokeinterface(PREDICATE, "test", MethodTypeDesc.of(CD_boolean, CD_Object))
                        .ifThen(Opcode.IFEQ, no -> no.aload(0).with(invoke));
            } else {
                code.with(each);
            }
        }
    }

    /** A variable that the method does not use. */
    static int freeLocal(CodeModel original) {
        return ((CodeAttribute) original).maxLocals(); // a builder of its own would only know the parameters
    }

    /**
     * Each {@code Net.listen(fd, backlog)} becomes {@code Net.listen(fd, max(backlog, 4096))}: hundreds of greenlets may
     * connect before the one that accepts has its turn, and what overflows, the kernel drops in silence.
     */
    private static void longBacklog(CodeBuilder code, CodeModel original) {
        for (CodeElement each : original) {
            if (each instanceof InvokeInstruction invoke && invoke.name().equalsString("listen")) {
                code.sipush(4096).invokestatic(ClassDesc.of("java.lang.Math"), "max",
                        MethodTypeDesc.of(CD_int, CD_int, CD_int));
            }
            code.with(each);
        }
    }

    /** Each {@code U.park(..)} becomes {@code t = PIN.get(); U.park(..); UNPIN.accept(t)}. */
    private static void aroundPark(CodeBuilder code, CodeModel original) {
        int token = freeLocal(original);
        for (CodeElement each : original) {
            if (each instanceof InvokeInstruction invoke && invoke.name().equalsString("park")) {
                code.getstatic(HOOK, "PIN", SUPPLIER).invokeinterface(SUPPLIER, "get", MethodTypeDesc.of(CD_Object))
                        .astore(token).with(invoke)
                        .getstatic(HOOK, "UNPIN", CONSUMER).aload(token)
                        .invokeinterface(CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_Object));
            } else {
                code.with(each);
            }
        }
    }

    /** Each read of {@code ASYNC_POOL} goes through {@code ASYNC}. */
    private static Change asyncPool() {
        ClassDesc executor = ClassDesc.of("java.util.concurrent.Executor");
        return (code, original) -> {
            for (CodeElement each : original) {
                code.with(each);
                if (each instanceof FieldInstruction field && field.name().equalsString("ASYNC_POOL")) {
                    code.getstatic(HOOK, "ASYNC", FUNCTION).swap();
                    apply(code, executor);
                }
            }
        };
    }

    private static Change before(Consumer<CodeBuilder> prologue) {
        return (code, original) -> {
            prologue.accept(code);
            original.forEach(code);
        };
    }

    /** {@code r = HOOK.field.apply(this); if (r != null) use(r) and return; ...} */
    private static Change firstAsk(String field, ClassDesc type, Consumer<CodeBuilder> use) {
        return before(c -> {
            c.getstatic(HOOK, field, FUNCTION).aload(0);
            apply(c, type);
            c.dup().ifThenElse(Opcode.IFNONNULL, use::accept, CodeBuilder::pop);
        });
    }

    /** The method runs on the face instead: {@code this = FACE.apply(this)}. */
    private static Change onFace() {
        return before(c -> {
            c.getstatic(HOOK, "FACE", FUNCTION).aload(0);
            apply(c, THREAD);
            c.astore(0);
        });
    }

    /** A variable of the method, a thread or null, is replaced by its real one. */
    private static Change onReal(int slot) {
        return before(c -> c.aload(slot).ifThen(Opcode.IFNONNULL, some -> {
            some.getstatic(HOOK, "REAL", FUNCTION).aload(slot);
            apply(some, THREAD);
            some.dup().ifThenElse(Opcode.IFNONNULL, real -> real.astore(slot), CodeBuilder::pop);
        }));
    }

    /** What the method returns goes through a function. */
    private static Change result(String field, ClassDesc type) {
        return (code, original) -> {
            for (CodeElement each : original) {
                if (each instanceof ReturnInstruction) {
                    code.getstatic(HOOK, field, FUNCTION).swap();
                    apply(code, type);
                }
                code.with(each);
            }
        };
    }

    private static Change atReturn(Consumer<CodeBuilder> epilogue) {
        return (code, original) -> {
            for (CodeElement each : original) {
                if (each instanceof ReturnInstruction) {
                    epilogue.accept(code);
                }
                code.with(each);
            }
        };
    }

    private static Change currentThreads() {
        return (code, original) -> {
            for (CodeElement each : original) {
                if (each instanceof InvokeInstruction invoke && isCurrentThread(invoke)) {
                    code.invokestatic(HOOK, "current", MethodTypeDesc.of(THREAD));
                } else {
                    code.with(each);
                }
            }
        };
    }

    /** Whether an instruction is a call of {@code Thread.currentThread()}. */
    public static boolean isCurrentThread(InvokeInstruction invoke) {
        return invoke.name().equalsString("currentThread") && invoke.owner().name().equalsString("java/lang/Thread");
    }

    /**
     * Rewrites a class of the JDK.
     *
     * @throws Access.MissingInternal if a method that must be changed is not there
     */
    public static byte[] transform(String name, byte[] bytes) {
        Map<String, Change> changes = changes(name);
        Set<String> missing = new HashSet<>(changes.keySet());
        ClassFile classFile = ClassFile.of(ClassFile.DebugElementsOption.PASS_DEBUG);
        ClassModel model = classFile.parse(bytes);
        byte[] result = classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method) {
                String key = method.methodName().stringValue() + method.methodType().stringValue();
                Change change = changes.get(key);
                CodeModel code = method.code().orElse(null);
                if (change != null && code != null) {
                    missing.remove(key);
                    builder.transformMethod(method, (m, part) -> {
                        if (part instanceof CodeModel) {
                            m.withCode(c -> change.write(c, code));
                        } else {
                            m.with(part);
                        }
                    });
                    return;
                }
            }
            builder.with(element);
        });
        if (!missing.isEmpty()) {
            throw new Access.MissingInternal(name.replace('/', '.') + "." + missing, new NoSuchMethodException());
        }
        return result;
    }
}
