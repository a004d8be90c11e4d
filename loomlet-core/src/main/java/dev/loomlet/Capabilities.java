package dev.loomlet;

import dev.loomlet.internal.jdk.Access;
import dev.loomlet.internal.jdk.Continuations;
import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.loop.Platform;

/**
 * What this JVM lets Loomlet do. It is found out once, at first use, and does not change.
 *
 * {@snippet :
 * var can = Hub.capabilities();
 * if (can.level() != Capabilities.Level.POLLERS) {
 *     System.err.println(can.missing() + ": " + can.advice());
 * }
 * }
 *
 * @param level how much of the JDK's waiting the hubs do themselves
 * @param backend how hubs poll: "epoll" or "selector"
 * @param monitorsVisible whether a hub can see that the thread that waits on it holds a monitor; where not, every wait on
 *     a hub's own thread takes a stand-in thread, which costs time and changes nothing else
 * @param fastCoroutines whether coroutines run on the JDK's continuations; else each has a thread
 * @param missing what is not as it could be and why, for people; empty if nothing is
 * @param advice what to do about it, with the exact flag; empty if nothing is missing
 */
public record Capabilities(
        Level level, String backend, boolean monitorsVisible, boolean fastCoroutines, String missing, String advice) {

    /** The rungs of the ladder, best last. */
    public enum Level {
        /** The JDK's packages are closed to Loomlet: it cannot make a hub. */
        NONE,
        /** Greenlets run on the hub; their sleeps and sockets are woken by the JDK's own threads. */
        SCHEDULER,
        /** Sleeps are the hub's own timers as well. */
        TIMERS,
        /** Sockets are polled by the hub itself as well. */
        POLLERS
    }

    static Capabilities find() {
        Level level = Level.valueOf(Platform.level().name());
        boolean granted = Access.granted();
        String missing = Platform.detail();
        String advice = "";
        if (!granted) {
            advice = "start it with ./loomlet run, with -javaagent:loomlet.jar, or add " + Access.FLAG;
        } else if (level != Level.POLLERS) {
            advice = Platform.backend().equals("selector")
                    ? "this is what there is without Linux's epoll; everything works, at more cost for each wait"
                    : "use a JDK that this version of Loomlet knows (25)";
        }
        return new Capabilities(level, Platform.backend(), granted && LockStack.readable(),
                granted && Continuations.available(), missing, advice);
    }
}
