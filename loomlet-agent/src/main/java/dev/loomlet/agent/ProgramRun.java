package dev.loomlet.agent;

import dev.loomlet.Hub;
import dev.loomlet.LoopExit;
import dev.loomlet.internal.jdk.FileHooks;
import dev.loomlet.internal.jdk.ThreadHooks;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.OutsideThreads;
import dev.loomlet.internal.loop.Waiter;
import dev.loomlet.internal.loop.Warnings;
import dev.loomlet.net.FastSockets;
import java.lang.instrument.Instrumentation;
import java.net.URI;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One run of a program: its {@code main} and its threads as greenlets of one hub, on the process's main thread.
 *
 * <p>It ends as {@code java} ends it: when the last thread has ended that is not a daemon, greenlet or real, with 1 if an
 * error left {@code main}; or by {@code System.exit}. While shutdown hooks run, so do the greenlets.
 */
public final class ProgramRun {
    private final RunOptions options;
    private final Set<URI> own;
    private volatile int exitCode;

    /**
     * Prepares one.
     *
     * @param options how to run it
     * @param own where the program's own classes are loaded from
     */
    public ProgramRun(RunOptions options, Set<URI> own) {
        this.options = options;
        this.own = Set.copyOf(own);
    }

    /** Something that may be called as a program's main. */
    interface Body {
        void run() throws Throwable;
    }

    /** The program that a class is, not loaded yet. */
    public interface Loading {
        /** Loads it and finds its {@code main}. */
        MainMethod load() throws UnusableProgram;
    }

    /**
     * Runs it on the calling thread, which must be the process's main thread and hold no monitor. Does not return.
     *
     * @throws UnusableProgram if there is no such program; nothing has been run then
     */
    public void run(Loading program, String[] args) throws UnusableProgram {
        Hub hub = Hub.current();
        AppThreads threads = install(hub, null);
        MainMethod main = program.load();
        run(threads, () -> main.call(args));
    }

    /** Prepares a program that the JVM is about to start by itself, on the calling thread. */
    void await(StartedProgram program) throws UnusableProgram {
        AppThreads threads = install(Hub.current(), program);
        threads.onMain((receiver, args) -> run(threads, () -> MainMethod.callAgain(receiver, args)));
    }

    private AppThreads install(Hub hub, @Nullable StartedProgram program) throws UnusableProgram {
        Warnings.printTo(System.err); // as it is now; the program may set another
        Ownership ownership = new Ownership(own);
        AppThreads threads = new AppThreads(hub, options.threads(), ownership);
        Instrumentation instrumentation = LoomletAgent.instrumentation().orElse(null);
        Patches patches = null;
        if (instrumentation != null) {
            ThreadHooks.install(threads);
            OutsideThreads.facesAre(ThreadHooks::isFace);
            FileHooks.install(new FileWaits(options.files()));
            patches = new Patches(ownership, new Offloading(instrumentation, options.offload()), program);
            patches.install(instrumentation);
            patches.failed()
                    .forEach((name, error) -> System.err.println("loomlet: cannot patch " + name + ": " + error));
        }
        SocketMode sockets = options.sockets();
        String why = sockets == SocketMode.JDK ? "as asked for" : FastSockets.install();
        if (sockets == SocketMode.FAST && !why.isEmpty()) {
            System.err.println("loomlet: the program runs on the JDK's sockets: " + why);
        }
        if (options.report()) {
            new RunReport(hub, threads, ownership, patches, why.isEmpty() ? "fast" : "the JDK's: " + why).watch();
        }
        return threads;
    }

    private void run(AppThreads threads, Body body) {
        Thread home = Thread.currentThread();
        Thread face = new Thread(home.getThreadGroup(), () -> {
            try {
                body.run();
            } catch (Throwable t) {
                exitCode = 1;
                throw ProgramRun.<RuntimeException>sneak(t);
            }
        }, home.getName());
        threads.launch(face);
        try {
            awaitEnd(threads);
        } catch (LoopExit e) {
            System.err.println("loomlet: " + e.getMessage());
            exitCode = 1;
        }
        // The hub goes on, for greenlets run on while shutdown hooks do, so another thread has to end the process.
        Waiter end = new Waiter("the end of the process");
        Loop loop = end.loop();
        if (loop != null) {
            loop.promise(); // or it would find that nothing can end this wait
        }
        new Thread(null, () -> System.exit(exitCode), "loomlet-exit").start();
        for (;;) {
            await(new Waiter("the end of the process"), -1); // an interrupt would end one of them
        }
    }

    private static void awaitEnd(AppThreads threads) {
        long pause = 1_000_000;
        for (;;) {
            Waiter over = new Waiter("the end of the program's last thread");
            threads.onOver(() -> over.resume(null));
            if (!threads.over()) {
                await(over, -1);
                pause = 1_000_000;
            } else if (RealThreads.keepAlive()) {
                // Nobody tells us when a real thread ends.
                await(over, pause);
                pause = Math.min(pause * 2, 50_000_000);
            } else {
                return;
            }
        }
    }

    private static void await(Waiter waiter, long nanos) {
        try {
            waiter.await(nanos);
        } catch (InterruptedException e) {
            // the program cannot know this thread; whoever it was meant nothing by it
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }

    /** The process's real threads. */
    private static final class RealThreads {
        /** Whether one besides the caller, and besides greenlets, keeps the process alive. */
        static boolean keepAlive() {
            ThreadGroup root = Thread.currentThread().getThreadGroup();
            for (ThreadGroup parent = root.getParent(); parent != null; parent = root.getParent()) {
                root = parent;
            }
            Thread[] all = new Thread[root.activeCount() + 10];
            int count = root.enumerate(all);
            while (count == all.length) {
                all = new Thread[all.length * 2];
                count = root.enumerate(all);
            }
            for (int i = 0; i < count; i++) {
                @Nullable Thread each = all[i];
                if (each != null && each != Thread.currentThread() && !each.isDaemon() && each.isAlive()) {
                    return true;
                }
            }
            return false;
        }
    }
}
