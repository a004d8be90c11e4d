package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.LockGraph;
import dev.loomlet.internal.jdk.ThreadList;
import dev.loomlet.internal.jdk.VirtualThreads;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Which threads of the process could still call into a loop that has nothing left to do. */
public final class OutsideThreads {
    private static volatile Predicate<Thread> faces = thread -> false;

    private OutsideThreads() {}

    /** For the agent, once: which platform threads only stand for a virtual one. */
    public static void facesAre(Predicate<Thread> faces) {
        OutsideThreads.faces = faces;
    }

    /**
     * Whether a thread is alive that is neither the loop's nor one of those with which every JVM, debugger and test runner
     * comes, and which never call into a program.
     */
    static boolean mayCallIn(Loop loop) {
        // Once more, for a platform thread that a virtual one has started in between, before it ended.
        return platformMayCallIn(loop) || virtualMayCallIn(loop) || platformMayCallIn(loop);
    }

    /**
     * Whether a fiber of a loop is in a wait of the JDK that somebody else than its fibers could end. A lock that one of them
     * holds only that one can release. On the loop.
     */
    static boolean mayWake(Loop loop) {
        List<Fiber> fibers = loop.fibers();
        List<Thread> foreign = fibers.stream().filter(Fiber::inForeignWait).map(Fiber::thread).toList();
        if (foreign.isEmpty()) {
            return false;
        }
        if (!foreign.stream().allMatch(LockGraph::mayWait)) {
            return true;
        }
        Map<Thread, LockGraph.Wait> locks = Locks.onLoop(loop);
        Set<Thread> ours = fibers.stream().map(Fiber::thread).collect(Collectors.toSet());
        return !foreign.stream().allMatch(each -> {
            LockGraph.Wait wait = locks.get(each);
            return wait != null && (ours.contains(wait.owner()) || loop.belongs(wait.owner()));
        });
    }

    private static boolean platformMayCallIn(Loop loop) {
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        while (root.getParent() != null) {
            root = root.getParent();
        }
        Thread[] all = new Thread[root.activeCount() + 16];
        int n = root.enumerate(all, true);
        while (n == all.length) {
            all = new Thread[all.length * 2];
            n = root.enumerate(all, true);
        }
        Predicate<Thread> faces = OutsideThreads.faces;
        for (int i = 0; i < n; i++) {
            Thread each = all[i];
            ThreadGroup group = each.getThreadGroup();
            // Only threads below the group "main" are the program's; its siblings are the JDK's own.
            while (group != null && group.getParent() != null && group.getParent() != root) {
                group = group.getParent();
            }
            boolean program = group != null && group.getName().equals("main");
            // A face stands for a virtual thread, which the other half looks at.
            if (program && !loop.belongs(each) && !faces.test(each) && !infrastructure(each.getName())) {
                return true;
            }
            if (each instanceof ForkJoinWorkerThread worker && works(worker)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether it is one of the common pool's, and that has something to do. Its workers are of the group of whoever had work
     * for it when they were made: that may have been a thread of the JDK's, of a process that has ended, say.
     */
    private static boolean works(ForkJoinWorkerThread worker) {
        return worker.getPool() == ForkJoinPool.commonPool() && !worker.getPool().isQuiescent();
    }

    private static boolean virtualMayCallIn(Loop loop) {
        List<Thread> all = ThreadList.allVirtual();
        if (all == null) {
            return true; // there may be some
        }
        for (Thread each : all) {
            boolean ours = VirtualThreads.scheduler(each) instanceof Fiber fiber && fiber.loop() == loop;
            if (!ours && !infrastructure(each.getName())) {
                return true;
            }
        }
        return false;
    }

    private static boolean infrastructure(String name) {
        return name.startsWith("surefire-") || name.startsWith("junit-") || name.startsWith("loomlet-")
                || name.equals("DestroyJavaVM")
                || name.startsWith("SubPoller-") || name.startsWith("JFR ") || name.startsWith("RMI ")
                || name.startsWith("JDWP ");
    }
}
