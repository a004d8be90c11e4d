package dev.loomlet;

import dev.loomlet.WaitGraph.Wait;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Finds greenlets that wait for one another's locks in a circle, also in a program that goes on otherwise, and tells of each
 * circle once. On the watchdog's thread, once a second, or less often so that it takes no more than a hundredth of that
 * thread's time.
 *
 * <p>Threads go on while they are looked at, so a circle counts when it has been seen twice.
 */
final class Deadlocks {
    private static final long PAUSE = 1_000_000_000L;

    private final Consumer<String> tell;
    /** Those seen at the last look, by who is in them, and whether they have been told of. */
    private Map<Set<Object>, Boolean> seen = Map.of();
    private long next;

    Deadlocks(long now, Consumer<String> tell) {
        this.tell = tell;
        next = now + PAUSE;
    }

    void look(Collection<Hub> hubs, long now) {
        if (now - next < 0) {
            return;
        }
        Map<Set<Object>, Boolean> found = new HashMap<>();
        if (WaitGraph.mayHaveCircles(hubs)) {
            for (List<Wait> circle : new WaitGraph(hubs).circles()) {
                if (circle.stream().allMatch(Deadlocks::hopeless)) {
                    Set<Object> members = circle.stream().map(Wait::who).collect(Collectors.toSet());
                    Boolean told = seen.get(members);
                    if (Boolean.FALSE.equals(told)) {
                        tell.accept(report(circle));
                    }
                    found.put(members, told != null);
                }
            }
        }
        seen = found;
        long took = System.nanoTime() - now;
        next = now + Math.max(PAUSE, 100 * took);
    }

    /** Whether only one can help. */
    private static boolean hopeless(Wait wait) {
        Waiter waiter = wait.waiter();
        return wait.owners().size() == 1 && (waiter == null
                || (!waiter.armed() && !(waiter.reason() instanceof Owned owned && !owned.alone())));
    }

    private static String report(List<Wait> circle) {
        long now = System.nanoTime();
        StringBuilder text = new StringBuilder("these wait for one another in a circle:");
        circle.forEach(each -> WaitGraph.describe(text.append('\n'), each, now));
        return text.toString();
    }
}
