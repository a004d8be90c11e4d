package dev.loomlet.agent;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.agent.Ownership.Owner;
import dev.loomlet.internal.jdk.ThreadHooks;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Wrapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The program's threads that are greenlets: which they are, and when the last one that the process has to wait for ends.
 *
 * <h2>Which</h2>
 * In this order:
 * <ol>
 * <li>workers of a fork-join pool and the JDK's innocuous threads, which must be what they are, and shutdown hooks, which
 * run when everything else may stand still, stay real;
 * <li>a worker of a {@code ThreadPoolExecutor} goes with its pool: it is the program's if the program made the pool;
 * <li>a thread is the program's if its class is, or what it runs is;
 * <li>a class of the JDK that starts threads for itself (an HTTP client's selector, a process reaper) starts real ones;
 * <li>anything else goes with who started it: the first on the stack that is no executor, timer or the like.
 * </ol>
 */
final class AppThreads implements ThreadHooks.Callbacks {
    private final Hub hub;
    private final Thread home = Thread.currentThread();
    private final ThreadMode mode;
    private final Ownership ownership;
    private final Set<ThreadHooks.Pair> alive = ConcurrentHashMap.newKeySet();
    private final Set<Object> pools = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
    private final Set<Object> libraryPools =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
    private final Set<String> leftReal = ConcurrentHashMap.newKeySet();
    private final Set<String> ofLibraries = ConcurrentHashMap.newKeySet();
    private final AtomicInteger keepAlive = new AtomicInteger();
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger asyncs = new AtomicInteger();
    private volatile @Nullable BiConsumer<Object, @Nullable Object> onMain;
    private volatile @Nullable Runnable whenOver;

    AppThreads(Hub hub, ThreadMode mode, Ownership ownership) {
        this.hub = hub;
        this.mode = mode;
        this.ownership = ownership;
    }

    /** Told when a program that was started without the launcher comes to its main. */
    void onMain(BiConsumer<Object, @Nullable Object> onMain) {
        this.onMain = onMain;
    }

    @Override
    public void enterMain(Object receiver, @Nullable Object args) {
        BiConsumer<Object, @Nullable Object> entered = onMain;
        if (entered != null) {
            onMain = null; // the second time it is we who call
            entered.accept(receiver, args);
        }
    }

    /** Told when the last thread that keeps a process alive has ended; and again, should another one come and go. */
    void onOver(Runnable whenOver) {
        this.whenOver = whenOver;
    }

    /** Whether none is left that keeps the process alive. */
    boolean over() {
        return keepAlive.get() == 0;
    }

    /** How many threads have become greenlets. */
    int started() {
        return started.get();
    }

    /** Names of threads of the program that stayed real. */
    Set<String> leftReal() {
        return leftReal;
    }

    /** Names of threads that stayed real since a library started them, and not the program itself. */
    Set<String> ofLibraries() {
        return ofLibraries;
    }

    @Override
    public boolean start(Thread thread) {
        if (ThreadHooks.isFace(thread)) {
            throw new IllegalThreadStateException();
        }
        if (!wanted(thread)) {
            noteReal(thread);
            return false;
        }
        launch(thread);
        return true;
    }

    /** Remembers the names of real threads that are going to run the program's code: for the report. */
    private void noteReal(Thread thread) {
        Runnable task = ThreadHooks.task(thread);
        boolean runsProgram = thread instanceof ForkJoinWorkerThread
                ? ownership.initiator(Owner.JDK) == Owner.PROGRAM
                : ownership.of(task == null ? thread.getClass() : task.getClass()) == Owner.PROGRAM && !shutdown();
        if (runsProgram) {
            leftReal.add(thread.getName());
        }
    }

    /** Makes a thread that has not been started a greenlet. */
    Greenlet<Void> launch(Thread face) {
        boolean keeps = !face.isDaemon();
        Body body = new Body(face, keeps);
        Greenlet<Void> greenlet = hub.unstarted(face.getName(), body);
        ThreadHooks.Pair made = ThreadHooks.pair(face, greenlet.thread());
        body.pair = made;
        alive.add(made);
        started.incrementAndGet();
        if (keeps) {
            keepAlive.incrementAndGet();
        }
        greenlet.start();
        return greenlet;
    }

    /** What the greenlet does, which for its spawn site is what the thread was made for. */
    private final class Body implements Action, Wrapper {
        private final Thread face;
        private final boolean keeps;
        private ThreadHooks.@Nullable Pair pair;

        Body(Thread face, boolean keeps) {
            this.face = face;
            this.keeps = keeps;
        }

        @Override
        public Object wrapped() {
            Runnable task = ThreadHooks.task(face);
            return task == null ? face : task;
        }

        @Override
        public void run() {
            ThreadHooks.Pair pair = this.pair;
            if (pair == null) {
                throw new IllegalStateException("started before it was paired");
            }
            try {
                pair.run();
            } catch (GreenletExit e) {
                // it was killed, and that is a good end
            } catch (Throwable t) {
                Traces.trim(t);
                fail(pair, t);
            } finally {
                alive.remove(pair);
                try {
                    pair.end();
                } finally {
                    Runnable over = whenOver;
                    if (keeps && keepAlive.decrementAndGet() == 0 && over != null) {
                        over.run();
                    }
                }
            }
        }
    }

    /** What a handler throws, the JVM reports without its stack, and in these words. */
    private static void fail(ThreadHooks.Pair pair, Throwable error) {
        try {
            pair.fail(error);
        } catch (Throwable t) {
            System.err.printf("%nException: %s thrown from the UncaughtExceptionHandler in thread \"%s\"%n",
                    t.getClass().getName(), pair.face().getName());
        }
    }

    private boolean wanted(Thread thread) {
        if (mode == ThreadMode.NONE) {
            return false;
        }
        if (thread instanceof ForkJoinWorkerThread || ThreadHooks.isInnocuous(thread)) {
            return false;
        }
        Owner initiator = ownership.initiator(
                ThreadHooks.face(Thread.currentThread()) == Thread.currentThread() ? Owner.JDK : Owner.PROGRAM);
        return decide(thread, initiator);
    }

    private boolean decide(Thread thread, Owner initiator) {
        Owner type = thread.getClass() == Thread.class ? Owner.JDK : ownership.of(thread.getClass());
        if (type == Owner.LOOMLET) {
            return false;
        }
        Runnable task = ThreadHooks.task(thread);
        Object pool = task == null ? null : ThreadHooks.poolOf(task);
        if (pool != null) {
            if (libraryPools.contains(pool)) {
                ofLibraries.add(thread.getName());
            }
            return pools.contains(pool);
        }
        if (type == Owner.JDK && thread.getClass() != Thread.class && !ThreadHooks.isTimer(thread.getClass())) {
            return false;
        }
        Owner work = task == null ? type : ownership.of(task.getClass());
        if (work == Owner.LOOMLET) {
            return false;
        }
        if (initiator == Owner.JDK && shutdown()) {
            return false;
        }
        if (ours(type) || ours(work) || ours(initiator)) {
            return true;
        }
        if (type == Owner.LIBRARY || work == Owner.LIBRARY || initiator == Owner.LIBRARY) {
            ofLibraries.add(thread.getName());
        }
        return false;
    }

    private static boolean shutdown() {
        return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.anyMatch(each -> ThreadHooks.runsShutdownHooks(each.getDeclaringClass())));
    }

    private boolean ours(Owner owner) {
        return owner == Owner.PROGRAM || (mode == ThreadMode.ALL && owner == Owner.LIBRARY);
    }

    @Override
    public void pool(Object pool) {
        if (mode == ThreadMode.NONE) {
            return;
        }
        Owner maker = ownership.initiator(Owner.JDK);
        if (ours(maker)) {
            pools.add(pool);
        } else if (maker == Owner.LIBRARY) {
            libraryPools.add(pool);
        }
    }

    /** Tasks that the program hands to no executor in particular become threads of its own, and so greenlets. */
    @Override
    public Executor async(Executor original) {
        if (mode == ThreadMode.NONE || ThreadHooks.face(Thread.currentThread()) == Thread.currentThread()) {
            return original;
        }
        return task -> {
            Thread face = new Thread(home.getThreadGroup(), task, "async-" + asyncs.incrementAndGet());
            face.setDaemon(true);
            launch(face);
        };
    }

    /**
     * While a sleep goes on, the hub waits with it: a class that sleeps in its initialiser would else be met by other
     * greenlets in the middle of it, and whoever meets it blocks the thread of the stand-in as well.
     */
    @Override
    public @Nullable Object beforePinnedWait(boolean sleeps) {
        return sleeps ? null : Loop.beforePinnedWait();
    }

    @Override
    public void afterPinnedWait(@Nullable Object token) {
        Loop.afterPinnedWait(token);
    }

    @Override
    public List<Thread> faces() {
        List<Thread> faces = new ArrayList<>();
        for (ThreadHooks.Pair each : alive) {
            faces.add(each.face());
        }
        return faces;
    }

    @Override
    public boolean hidden(Thread thread) {
        return thread == home || thread.getName().startsWith("loomlet-");
    }
}
