package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.VirtualThreads;

/**
 * Times native calls that may block, made on a loop: told of their beginning and end by the agent's patches of the JDK, which
 * marks such calls itself. A short one costs two looks at the clock; one that held the loop up is reported with its stack,
 * exactly, where the stall detector's samples would only see what takes longer.
 */
public final class NativeWaits {
    private static final long THRESHOLD = Long.getLong("loomlet.stall.native", 50) * 1_000_000;

    private NativeWaits() {}

    /** A native call begins. Any thread; only fibers on their loop count. */
    public static void begin() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual() && THRESHOLD > 0 && VirtualThreads.scheduler(thread) instanceof Fiber fiber
                && !Away.is(thread)) {
            fiber.loop().nativeSince = System.nanoTime();
        }
    }

    /** It has ended; or what began was no native call after all, but a wait that gave way. */
    public static void end() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual() && VirtualThreads.scheduler(thread) instanceof Fiber own && !Away.is(thread)) {
            long since = own.loop().nativeSince;
            own.loop().nativeSince = 0;
            long took = System.nanoTime() - since;
            Fiber fiber = took >= THRESHOLD && since != 0 ? Fiber.of(thread) : null;
            if (fiber != null) {
                Greenlets.inside().heldUp(fiber, took);
            }
        }
    }
}
