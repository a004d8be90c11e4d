package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.VirtualThreads;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A fiber that has left its loop for a while: its turns run on a thread of a pool. So native code that blocks runs in the
 * very thread that called it, with its monitors, thread locals and identity, and yet holds up no loop.
 *
 * <pre>
 *   on its loop ──leave: the next turn is the pool's──▶ away ──comeHome: the next turn is the loop's──▶ on its loop
 * </pre>
 *
 * Both steps are a yield. The thread's scheduler ({@link Fiber#execute}) asks here where a turn goes, so a fiber that parks
 * while it is away goes on where it was. Nothing of a loop may be touched by a fiber that is away: {@link Fiber#of} and
 * {@link Loop#here} do not know it, and it waits like a thread that belongs to no loop.
 *
 * <h2>Turns handed in twice</h2>
 * The entry is made by the fiber itself before its first yield, and taken out before its second, and the JDK hands in a turn
 * after the yield. But when somebody looks at the stack of an unmounted thread (a thread dump, say), the JDK hands the turn in
 * once more than needed. To the JDK a turn too many is nothing: it finds the thread not runnable, or runs it a little
 * earlier. Here it would run the fiber in the wrong place. So a turn of a fiber that is away does nothing on the loop
 * ({@link #is(Runnable)}), and one in the pool only what {@link #state} allows:
 *
 * <pre>
 *   IDLE ⇄ CARRIED ⇄ CARRIED_AGAIN        a turn comes while another is being run: run it again after that
 *              └──────┴──comeHome──▶ HOME  nothing runs in the pool any more
 * </pre>
 *
 * A turn that is dropped is never the one that was needed: what is in the pool's hands when the fiber is at home was handed in
 * before the fiber last ran, and so was what is in the loop's hands when the fiber is away.
 */
public final class Away implements Runnable {
    private static final int IDLE = 0;
    private static final int CARRIED = 1;
    private static final int CARRIED_AGAIN = 2;
    private static final int HOME = 3;

    /** All, of every loop: hardly ever more than the pools have places, so they are looked through, without a lock. */
    private static final ConcurrentLinkedQueue<Away> ALL = new ConcurrentLinkedQueue<>();

    private final Fiber fiber;
    private final Thread thread;
    private final Runnable turn; // what the JDK hands to the scheduler for each turn, always the same object
    private final Executor carriers;
    private final Runnable atHome;
    private final long since = System.nanoTime();
    private final AtomicInteger state = new AtomicInteger(IDLE);

    private Away(Fiber fiber, Thread thread, Executor carriers, Runnable atHome) {
        this.fiber = fiber;
        this.thread = thread;
        this.turn = VirtualThreads.turn(thread);
        this.carriers = carriers;
        this.atHome = atHome;
    }

    /**
     * The calling fiber leaves its loop: after this, its code runs on a thread of {@code carriers}.
     *
     * @param carriers platform threads that hold no monitor; must not refuse
     * @param atHome run when it is back, on the loop and in the fiber
     * @return null if it stays where it is: the caller is no fiber, is away already, or cannot be unmounted (a native frame
     *     or a class initialiser is on its stack)
     */
    public static @Nullable Away leave(Executor carriers, Runnable atHome) {
        Thread thread = Thread.currentThread();
        Fiber fiber = thread.isVirtual() ? Fiber.of(thread) : null;
        if (fiber == null || fiber.loop().closed()) {
            return null;
        }
        Away away = new Away(fiber, thread, carriers, atHome);
        fiber.loop().promise(); // it is going to call in, so the loop is not stuck
        ALL.add(away);
        boolean left = false;
        try {
            left = VirtualThreads.giveWay(thread);
        } finally {
            if (!left) {
                remove(away);
                fiber.loop().promiseKept();
            }
        }
        return left ? away : null;
    }

    private static @Nullable Away find(Runnable turn) {
        for (Away each : ALL) {
            if (each.turn == turn) {
                return each;
            }
        }
        return null;
    }

    private static void remove(Away away) {
        boolean removed = ALL.remove(away);
        assert removed : "it was not away";
    }

    /** Does what the initialisation of this class does. */
    public static void load() {}

    /** The stay of the calling thread, or null. */
    public static @Nullable Away current() {
        Thread thread = Thread.currentThread();
        return thread.isVirtual() && !ALL.isEmpty() ? find(VirtualThreads.turn(thread)) : null;
    }

    /** The stay of a virtual thread, or null. For a look from another thread: may be out of date. */
    public static @Nullable Away of(Thread virtual) {
        return ALL.isEmpty() ? null : find(VirtualThreads.turn(virtual));
    }

    /** When it left, as {@link System#nanoTime} tells it. */
    public long since() {
        return since;
    }

    /** Whether a virtual thread is away. */
    static boolean is(Thread virtual) {
        return !ALL.isEmpty() && find(VirtualThreads.turn(virtual)) != null;
    }

    /** Takes a turn if it is that of a fiber which is away. Any thread. */
    static boolean takes(Runnable turn) {
        if (ALL.isEmpty()) {
            return false;
        }
        Away away = find(turn);
        if (away == null) {
            return false;
        }
        away.carriers.execute(away);
        return true;
    }

    /** Whether this is a turn of a fiber that is away. */
    static boolean is(Runnable turn) {
        return !ALL.isEmpty() && find(turn) != null;
    }

    /** A turn, on a thread of the pool. */
    @Override
    public void run() {
        if (!state.compareAndSet(IDLE, CARRIED)) {
            if (state.compareAndSet(CARRIED, CARRIED_AGAIN) || state.get() != IDLE) {
                return;
            }
            carriers.execute(this); // it has become idle in between
            return;
        }
        do {
            turn.run();
        } while (!state.compareAndSet(CARRIED, IDLE) && state.compareAndSet(CARRIED_AGAIN, CARRIED));
    }

    /** The end of the stay, in the fiber: after this, its code runs on its loop again. If that is closed, it parks for good. */
    public void comeHome() {
        state.set(HOME);
        remove(this);
        while (!VirtualThreads.giveWay(thread)) {
            Thread.onSpinWait(); // what pinned it would have kept it from leaving
        }
        fiber.loop().promiseKept();
        atHome.run();
    }
}
