package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The moment between the last shutdown hook and the end of the VM.
 *
 * <p>A VM that ends waits 0.3 s for threads that are in native code, and a hub with nothing to do is in {@code epoll_wait}. So is
 * the JDK's {@code MasterPoller}, which polls for virtual threads that belong to no hub. Both are led out of there: the
 * hubs stop polling (but not running: this may be the work of a greenlet, which may have to give way before it is done), and
 * the poller is made to wake a virtual thread whose scheduler does not return.
 */
public final class VmEnd {
    private static final int LAST_SLOT = 9; // of java.lang.Shutdown,
    private static final int FREE_SLOTS = 7; // which uses three

    private static volatile Runnable action = () -> {};

    private static final String PROBLEM = Access.problem(() -> {
        MethodHandle add = Access.staticMethod(Access.type("java.lang.Shutdown"), "add", void.class, int.class,
                boolean.class, Runnable.class);
        for (int i = 0;; i++) {
            try {
                add.invokeExact(LAST_SLOT - i, true, (Runnable) VmEnd::ends);
                return;
            } catch (InternalError e) { // taken, by another copy of Loomlet perhaps
                if (i == FREE_SLOTS - 1) {
                    throw new IllegalStateException("java.lang.Shutdown has no place left", e);
                }
            }
        }
    });

    private VmEnd() {}

    /** Why nothing is done here, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** What is to be done, on the thread that ends the VM. It must not wait for anything. */
    public static void then(Runnable last) {
        action = last;
    }

    private static void ends() {
        // What is not possible makes the end of the VM slower, and there is nobody left to be told.
        String ignored = Access.problem(VmEnd::stopMasterPoller);
        action.run();
    }

    private static void stopMasterPoller() throws Throwable {
        Class<?> poller = Access.type("sun.nio.ch.Poller");
        Object master = Access.staticMethod(poller, "masterPoller", poller).invoke();
        if (master == null) {
            return;
        }
        @SuppressWarnings("unchecked") var waiting =
                (Map<Integer, Thread>) Access.field(poller, "map", Map.class).get(master);
        MethodHandle register = Access.method(poller, "implRegister", void.class, int.class);
        var turns = new Turns();
        Thread parked = VirtualThreads.create(turns, "loomlet-end", false, LockSupport::park);
        parked.start();
        turns.first().join(100);
        int fd = Epoll.readable();
        waiting.put(fd, parked);
        register.invoke(master, fd);
    }

    /** Has the first turn on a thread of its own; whoever asks for the second is never heard of again. */
    private static final class Turns implements Executor {
        private @Nullable Thread first;

        Thread first() {
            return Objects.requireNonNull(first);
        }

        @Override
        public void execute(Runnable turn) {
            if (first == null) {
                first = Thread.ofPlatform().name("loomlet-end").daemon().start(turn);
                return;
            }
            standStill();
        }
    }

    /** Never returns, and is not in native code. */
    private static void standStill() {
        for (;;) {
            Thread.interrupted(); // or the next line would not wait
            LockSupport.park();
        }
    }
}
