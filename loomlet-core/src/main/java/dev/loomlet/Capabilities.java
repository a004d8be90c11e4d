package dev.loomlet;

import dev.loomlet.internal.jdk.Access;
import dev.loomlet.internal.jdk.ChildProcess;
import dev.loomlet.internal.jdk.Continuations;
import dev.loomlet.internal.jdk.HeldMonitors;
import dev.loomlet.internal.jdk.LockGraph;
import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.jdk.NameCache;
import dev.loomlet.internal.jdk.Ring;
import dev.loomlet.internal.jdk.ScopedBindings;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.internal.loop.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

    /**
     * Whether what many greenlets send at once goes to the kernel in one system call: that is, whether Linux's io_uring is
     * there and neither the container, nor {@code -Dloomlet.noUring=true}, nor a missing {@code --enable-native-access}
     * forbids it. Where not, each send is a system call; nothing else is different. Found out anew at each call, which
     * takes some milliseconds; any thread.
     */
    public boolean sendsTogether() {
        var ring = backend.equals("epoll") ? Ring.open() : Optional.<Ring>empty();
        ring.ifPresent(Ring::close);
        return ring.isPresent();
    }

    static Capabilities find() {
        Level level = Level.valueOf(Platform.level().name());
        String backend = Platform.backend();
        if (!Access.granted()) {
            return new Capabilities(level, backend, false, false, Platform.detail(),
                    "start it with ./loomlet run, with -javaagent:loomlet.jar, or add " + Access.FLAG);
        }
        var missing = new ArrayList<String>();
        if (!Platform.detail().isEmpty()) {
            missing.add(Platform.detail());
        }
        if (level != Level.NONE) {
            boolean ownSockets = backend.equals("epoll");
            lacks(missing, "sockets of Loomlet's own cannot be made",
                    ownSockets ? SocketNatives.SelfTest.problem() : "");
            lacks(missing, "programs cannot be run beside greenlets", ChildProcess.problem());
            lacks(missing, "look-ups of names hold up the hub", NameCache.problem());
        }
        lacks(missing, "each coroutine takes a thread", Continuations.problem());
        lacks(missing, "scoped values do not follow coroutines", ScopedBindings.problem());
        lacks(missing, "a monitor that is in the way cannot be named", HeldMonitors.problem());
        lacks(missing, "deadlocks in the JDK's locks are not seen", LockGraph.problem());
        String advice = !missing.isEmpty() ? "use a JDK that this version of Loomlet knows (25)"
                : level != Level.POLLERS
                        ? "this is what there is without Linux's epoll; everything works, at more cost for"
                                + " each wait"
                : "";
        return new Capabilities(level, backend, LockStack.readable(), Continuations.available(),
                String.join("; ", missing), advice);
    }

    private static void lacks(List<String> missing, String consequence, String problem) {
        if (!problem.isEmpty()) {
            missing.add(consequence + " (" + problem + ")");
        }
    }
}
