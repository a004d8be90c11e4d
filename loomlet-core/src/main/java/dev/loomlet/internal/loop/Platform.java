package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.Access;
import dev.loomlet.internal.jdk.JdkHooks;
import dev.loomlet.internal.jdk.LockStack;
import java.io.IOException;

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

    /** The poller that {@link #openPoller} gives: "epoll" or "selector". */
    public static String backend() {
        return FOUND.epoll ? "epoll" : "selector";
    }

    public static Poller openPoller() throws IOException {
        return FOUND.epoll ? new EpollPoller() : new SelectorPoller();
    }

    /**
     * Finds out. A class of its own: on a virtual thread another thread does it, and that one must not have to wait for the
     * initialisation of the class whose initialiser waits for it.
     */
    private static final class Discovery {
        Level level = Level.NONE;
        String detail = "";
        boolean epoll;

        static Discovery made() {
            Discovery discovery = new Discovery();
            // The JDK's pollers run on the scheduler of whoever touches them first: that must not be a hub.
            if (!Thread.currentThread().isVirtual()) {
                discovery.discover();
                return discovery;
            }
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
            try {
                try (Poller probe = new EpollPoller()) {
                    epoll = probe.watchesDescriptors() && !"selector".equals(System.getProperty("loomlet.backend"));
                } catch (IOException | RuntimeException | LinkageError e) {
                    epoll = false;
                    detail = "no epoll here (" + e + ")";
                }
                level = Level.SCHEDULER;
                JdkHooks.installTimers(Loop::here);
                level = Level.TIMERS;
                if (epoll) {
                    JdkHooks.installPollers(Loop::here);
                    level = Level.POLLERS;
                }
                if (!LockStack.readable()) {
                    detail = "monitors held by a waiting thread cannot be seen (" + LockStack.problem()
                            + "): every wait on a hub's own thread uses a stand-in";
                }
            } catch (IOException | RuntimeException | LinkageError e) {
                detail = "stopped at level " + level + ": " + e;
            }
        }
    }
}
