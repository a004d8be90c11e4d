package dev.loomlet.internal.loop;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs a loop while the thread that ought to cannot. One is kept for a while after it was needed, since a program that
 * waits under a monitor once mostly does so again.
 *
 * <pre>
 *   WORKING ──rest──▶ IDLE ──take──▶ TAKEN ──go──▶ WORKING
 *                      │                └──end──▶ OVER
 *                      └──nobody came for two seconds──▶ OVER
 * </pre>
 */
final class StandIn extends Thread {
    private static final int WORKING = 0;
    private static final int IDLE = 1;
    private static final int TAKEN = 2;
    private static final int OVER = 3;
    private static final long KEEP = 2_000_000_000L;
    private static final VarHandle PHASE;

    static {
        try {
            PHASE = MethodHandles.lookup().findVarHandle(StandIn.class, "phase", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Loop loop;
    private volatile int phase = WORKING;

    StandIn(Loop loop) {
        super(null, null, "loomlet-stand-in-" + loop.name(), 0, false);
        this.loop = loop;
        setDaemon(true);
    }

    @Override
    public void run() {
        do {
            loop.standIn(this);
        } while (wanted());
    }

    private boolean wanted() {
        long end = System.nanoTime() + KEEP;
        for (;;) {
            int now = phase;
            if (now == WORKING) {
                return true;
            }
            if (now == OVER) {
                return false;
            }
            long left = end - System.nanoTime();
            if (now == IDLE && left <= 0 && PHASE.compareAndSet(this, IDLE, OVER)) {
                return false;
            }
            LockSupport.parkNanos(this, Math.max(left, 1_000_000L));
        }
    }

    /** It is about to give the baton away. Before that, on its own thread. */
    void rest() {
        phase = IDLE;
    }

    /** Reserves it; false if it has just gone. */
    boolean take() {
        return PHASE.compareAndSet(this, IDLE, TAKEN);
    }

    void go() {
        phase = WORKING;
        LockSupport.unpark(this);
    }

    void end() {
        phase = OVER;
        LockSupport.unpark(this);
    }
}
