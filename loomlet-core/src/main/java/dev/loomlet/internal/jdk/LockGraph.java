package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.AbstractOwnableSynchronizer;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Which threads wait, without a limit of time, for a lock of the JDK's, or for the end of a thread, and who alone can end that:
 * the owner of a monitor or of a lock of {@code java.util.concurrent}, or the thread that is joined. Waits that anybody can
 * end (conditions, queues, {@code Object.wait}) are none of these.
 *
 * <p>The monitors are told by the JDK's snapshots for thread dumps ({@code jdk.internal.vm.ThreadSnapshot}), which take some
 * 10 microseconds a thread; they are taken only if a thread may be blocked at a monitor or in {@code Object.wait}.
 */
public final class LockGraph {
    /**
     * One wait.
     *
     * @param what the lock, in words
     * @param owned what the owner does with it: "held by"
     * @param owner who has it
     */
    public record Wait(String what, String owned, Thread owner) {}

    private static final class Jdk {
        static final Class<?> SNAPSHOT = Access.type("jdk.internal.vm.ThreadSnapshot");
        static final MethodHandle OF = Access.staticMethod(SNAPSHOT, "of", SNAPSHOT, Thread.class)
                .asType(MethodType.methodType(Object.class, Thread.class));
        static final MethodHandle BLOCKED_ON = Access.method(SNAPSHOT, "blockedOn", Object.class)
                .asType(MethodType.methodType(Object.class, Object.class));
        static final MethodHandle WAITING_ON = Access.method(SNAPSHOT, "waitingOn", Object.class)
                .asType(MethodType.methodType(Object.class, Object.class));
        static final MethodHandle STACK = Access.method(SNAPSHOT, "stackTrace", StackTraceElement[].class)
                .asType(MethodType.methodType(StackTraceElement[].class, Object.class));
        static final MethodHandle STATE = Access.method(SNAPSHOT, "threadState", Thread.State.class)
                .asType(MethodType.methodType(Thread.State.class, Object.class));
        static final MethodHandle OWNS = Access.method(SNAPSHOT, "ownsMonitors", boolean.class)
                .asType(MethodType.methodType(boolean.class, Object.class));
        static final MethodHandle MONITORS = Access.method(SNAPSHOT, "ownedMonitorsAt", Stream.class, int.class)
                .asType(MethodType.methodType(Stream.class, Object.class, int.class));
        static final MethodHandle OWNER =
                Access.method(AbstractOwnableSynchronizer.class, "getExclusiveOwnerThread", Thread.class);
        static final VarHandle TERMINATION =
                Access.field(Access.type("java.lang.VirtualThread"), "termination", CountDownLatch.class);
        static final VarHandle SYNC = Access.field(CountDownLatch.class, "sync",
                Access.type("java.util.concurrent.CountDownLatch$Sync"));
    }

    private static final String PROBLEM =
            Access.granted() ? Access.problem(() -> java.util.Objects.requireNonNull(Jdk.SYNC)) : Access.refusal();

    private LockGraph() {}

    /** Why nothing is found, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** Whether a thread waits for a lock that has an owner, or may do so: cheap, and for most threads already the answer. */
    public static boolean mayWait(Thread thread) {
        return PROBLEM.isEmpty() && switch (thread.getState()) {
            case BLOCKED -> true;
            case WAITING ->
                    LockSupport.getBlocker(thread) instanceof AbstractOwnableSynchronizer || waitsForObject(thread);
            default -> false;
        };
    }

    /** Whether it may be in {@code Object.wait}, with which threads are joined. It waits, and not in {@code park}. */
    private static boolean waitsForObject(Thread thread) {
        return LockSupport.getBlocker(thread) == null;
    }

    /**
     * Those of the threads that wait so; who owns a monitor is looked for among them only.
     *
     * <p>A snapshot of a virtual thread that goes on meanwhile kills JDK 25.0.3 now and then (it walks a stack that moves away
     * under it), so the caller has to see to it that none can: it is the only one who could let them go on.
     *
     * @param threads who may wait, and who may own what they wait for: virtual ones that are not running, platform ones
     */
    public static Map<Thread, Wait> of(Collection<Thread> threads) {
        Map<Thread, Wait> waits = new HashMap<>();
        if (!PROBLEM.isEmpty()) {
            return waits;
        }
        boolean look = false;
        IdentityHashMap<Object, Thread> joined = new IdentityHashMap<>();
        try {
            for (Thread each : threads) {
                CountDownLatch end = each.isVirtual() ? (CountDownLatch) Jdk.TERMINATION.getVolatile(each) : null;
                if (end != null) {
                    joined.put(Jdk.SYNC.get(end), each);
                }
            }
            for (Thread each : threads) {
                Thread.State state = each.getState();
                if (state == Thread.State.WAITING
                        && LockSupport.getBlocker(each) instanceof AbstractOwnableSynchronizer lock) {
                    Thread owner = joined.get(lock);
                    if (owner != null) {
                        waits.put(each, new Wait("the end of " + owner.getName(), "owed by", owner));
                        continue;
                    }
                    owner = (Thread) Jdk.OWNER.invokeExact(lock);
                    if (owner != null && owner != each) {
                        waits.put(each, new Wait(name(lock), "held by", owner));
                    }
                } else {
                    look |= state == Thread.State.BLOCKED
                            || (state == Thread.State.WAITING && waitsForObject(each));
                }
            }
            if (look) {
                monitors(threads, waits);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
        return waits;
    }

    private static void monitors(Collection<Thread> threads, Map<Thread, Wait> waits) throws Throwable {
        IdentityHashMap<Object, Thread> owners = new IdentityHashMap<>();
        Map<Thread, Object> wanted = new HashMap<>();
        for (Thread each : threads) {
            Object snapshot = Jdk.OF.invokeExact(each);
            if (snapshot == null) {
                continue;
            }
            if ((boolean) Jdk.OWNS.invokeExact(snapshot)) {
                int depth = ((StackTraceElement[]) Jdk.STACK.invokeExact(snapshot)).length;
                for (int i = 0; i < depth; i++) {
                    ((Stream<?>) Jdk.MONITORS.invokeExact(snapshot, i)).filter(one -> one != null)
                            .forEach(one -> owners.put(one, each));
                }
            }
            switch ((Thread.State) Jdk.STATE.invokeExact(snapshot)) {
                case BLOCKED -> {
                    Object monitor = Jdk.BLOCKED_ON.invokeExact(snapshot);
                    if (monitor != null) {
                        wanted.put(each, monitor);
                    }
                }
                case WAITING -> {
                    if (Jdk.WAITING_ON.invokeExact(snapshot) instanceof Thread other && other.isAlive()) {
                        waits.put(each, new Wait("the end of " + other.getName(), "owed by", runner(other)));
                    }
                }
                default -> {}
            }
        }
        wanted.forEach((thread, monitor) -> {
            Thread owner = owners.get(monitor);
            if (owner != null && owner != thread) {
                waits.put(thread, new Wait("the monitor of " + name(monitor), "held by", owner));
            }
        });
    }

    /** What runs: under the agent a program's thread only stands for it. */
    private static Thread runner(Thread thread) {
        return LockSupport.getBlocker(thread) instanceof ThreadHooks.Pair pair ? pair.real : thread;
    }

    /** Without calling anything of the program's. */
    private static String name(Object lock) {
        Class<?> type = lock.getClass();
        if (lock instanceof AbstractOwnableSynchronizer) {
            while (type.getEnclosingClass() != null) {
                type = type.getEnclosingClass();
            }
        }
        return lock instanceof Class<?> itself ? "class " + itself.getName()
                : "a " + type.getName() + "@" + Integer.toHexString(System.identityHashCode(lock));
    }
}
