package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.Access;
import dev.loomlet.internal.jdk.JdkHooks;
import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.internal.jdk.ThreadEnd;
import dev.loomlet.internal.jdk.ThreadList;
import dev.loomlet.internal.jdk.VirtualThreads;
import dev.loomlet.internal.jdk.VmEnd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What this JVM lets a hub do, found out once, at first use. */
public final class Platform {
    /** The rungs of the ladder, best last. */
    public enum Level {
        /** The JDK's packages are closed: no hub can be made. */
        NONE,
        /** Greenlets run on the hub; timed waits and sockets of the JDK are woken by the JDK's own threads. */
        SCHEDULER,
        /** Timed waits are the hub's timers as well. */
        TIMERS,
        /** Sockets are polled in the hub's own thread as well. */
        POLLERS
    }

    private static final Discovery FOUND = Discovery.made();

    private Platform() {}

    public static Level level() {
        return FOUND.level;
    }

    /** Why the level is not the best, for people, or an empty string. */
    public static String detail() {
        return FOUND.detail;
    }

    /** Whether sockets of our own work here; where not, the JDK's are used. */
    public static boolean ownSockets() {
        return FOUND.level != Level.NONE && FOUND.epoll && SocketNatives.SelfTest.problem().isEmpty();
    }

    /** The poller that {@link #openPoller} gives: "epoll" or "selector". */
    public static String backend() {
        return FOUND.epoll ? "epoll" : "selector";
    }

    public static Poller openPoller() throws IOException {
        return FOUND.epoll ? new EpollPoller() : new SelectorPoller();
    }

    /**
     * Finds out, on a thread of its own. That one holds no monitor, as the self-test needs it, and is no virtual thread on
     * whose scheduler the JDK's pollers would land. It must not have to wait for the initialisation of the class whose
     * initialiser waits for it, which is why this is a class apart.
     */
    private static final class Discovery {
        Level level = Level.NONE;
        String detail = "";
        boolean epoll;
        private final List<String> problems = new ArrayList<>();

        static Discovery made() {
            Discovery discovery = new Discovery();
            Thread thread = new Thread(discovery::discover, "loomlet-start");
            thread.start();
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return discovery;
        }

        private void discover() {
            if (!Access.granted()) {
                detail = Access.refusal();
                return;
            }
            climb();
            detail = String.join("; ", problems);
        }

        /** The rungs, and beside them what a hub can do without. */
        private void climb() {
            String otherwise = "greenlets cannot run";
            if (!works(otherwise, VirtualThreads.problem()) || !works(otherwise, VirtualThreads::selfTest)) {
                return;
            }
            level = Level.SCHEDULER;
            works("a greenlet that waits takes more memory", VirtualThreads.yieldProblem());
            works("a thread dump does not tell which hub a greenlet belongs to", ThreadList.problem());
            works("a hub that nobody closes is not freed when its thread ends", ThreadEnd.problem());
            works("a process takes 0.3 s longer to end", VmEnd.problem());
            works("monitors held by a waiting thread cannot be seen, so every wait on a hub's own thread uses a stand-in",
                    LockStack.problem());
            boolean pollers = works("sockets are left to the JDK", JdkHooks::startPollers);
            boolean wanted = !"selector".equals(System.getProperty("loomlet.backend"));
            epoll = wanted && works("no epoll here", () -> {
                try (Poller probe = new EpollPoller()) {
                    probe.poll(0);
                }
            });
            if (works("sleeps are left to the JDK's timer", () -> JdkHooks.installTimers(Loop::here))) {
                level = Level.TIMERS;
                if (epoll && pollers
                        && works("sockets are left to the JDK's pollers", () -> JdkHooks.installPollers(Loop::here))) {
                    level = Level.POLLERS;
                }
            }
        }

        private boolean works(String otherwise, Access.Step step) {
            return works(otherwise, Access.problem(step));
        }

        private boolean works(String otherwise, String problem) {
            if (!problem.isEmpty()) {
                problems.add(otherwise + " (" + problem + ")");
            }
            return problem.isEmpty();
        }
    }
}
