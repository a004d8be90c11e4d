package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.LockGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Which fibers of a loop wait in the JDK for a lock, or for the end of a thread, and who has that. */
public final class Locks {
    /** Of how many fibers that is looked at, which takes some 10 microseconds each. */
    private static final int MOST = 1000;
    private static final long PATIENCE = 200_000_000L;

    private Locks() {}

    /** Asks a loop. Any thread; if the loop does not answer in time, or has too many fibers, nothing is known. */
    public static Map<Thread, LockGraph.Wait> of(Loop loop) {
        if (loop.onLoop()) {
            return onLoop(loop);
        }
        AtomicReference<@Nullable Map<Thread, LockGraph.Wait>> answer = new AtomicReference<>();
        Waiter answered = new Waiter("which locks " + loop.name() + " waits for");
        if (loop.post(() -> {
            answer.set(onLoop(loop));
            answered.resume(null);
        })) {
            try {
                var _ = answered.await(PATIENCE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        Map<Thread, LockGraph.Wait> locks = answer.get();
        return locks == null ? Map.of() : locks;
    }

    /** On the loop, where none of its fibers can go on but one that runs just now. */
    static Map<Thread, LockGraph.Wait> onLoop(Loop loop) {
        List<Thread> threads = new ArrayList<>();
        boolean waits = false;
        for (Fiber each : loop.fibers()) {
            if (each != loop.running() && !Away.is(each.thread())) {
                threads.add(each.thread());
                waits |= each.inForeignWait() && LockGraph.mayWait(each.thread());
            }
        }
        if (!waits || threads.size() > MOST) {
            return Map.of();
        }
        if (loop.running() == null) {
            threads.add(loop.runner()); // the hub's own thread waits, and may own a monitor
        }
        return LockGraph.of(threads);
    }
}
