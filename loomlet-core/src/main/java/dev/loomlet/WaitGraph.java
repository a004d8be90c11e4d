package dev.loomlet;

import dev.loomlet.internal.jdk.LockGraph;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Locks;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Who waits for what on some hubs, who holds or owes it, and who waits for one another in a circle. */
final class WaitGraph {
    private static final int FRAMES = 4;

    private final Map<Fiber, Wait> waits = new LinkedHashMap<>();
    private final Map<Thread, Wait> byThread = new HashMap<>();
    private final Map<Hub, Wait> homes = new LinkedHashMap<>();

    /**
     * One who waits.
     *
     * @param who a fiber, or the thread of a hub
     * @param waiter how, if in a wait of Loomlet's
     * @param lock for which lock, if in a wait of the JDK's that only one thread can end
     * @param owners who could end it
     * @param owned what the owners do with it: "held by"
     */
    record Wait(Object who, @Nullable Waiter waiter, LockGraph.@Nullable Wait lock, List<Object> owners, String owned) {
        /** What is waited for, in words. */
        String reason() {
            Object reason = waiter == null ? null : waiter.reason();
            return lock != null ? lock.what()
                    : reason instanceof Greenlet<?> greenlet ? "the end of " + greenlet.name() : String.valueOf(reason);
        }

        /** Who holds or owes it, in words. */
        String owner() {
            String names = owners.stream().limit(5).map(WaitGraph::name).collect(Collectors.joining(", "));
            return owned + " " + (owners.size() > 5 ? names + " and " + (owners.size() - 5) + " more" : names);
        }
    }

    /**
     * The hubs as they are now. On their loops; or from outside, where what is seen may have changed meanwhile, and what a hub
     * that does not answer waits for in the JDK is not seen.
     */
    WaitGraph(Collection<Hub> hubs) {
        List<Fiber> fibers = new ArrayList<>();
        Map<Thread, LockGraph.Wait> locks = new HashMap<>();
        for (Hub hub : hubs) {
            hub.loop().look(fibers::add);
            locks.putAll(Locks.of(hub.loop()));
        }
        for (Hub hub : hubs) {
            Wait home = wait(hub.thread(), hub.loop().homeWaiter(), null);
            homes.put(hub, home);
            byThread.put(hub.thread(), home);
        }
        for (Fiber each : fibers) {
            Wait wait = wait(each, each.waiting(), locks.get(each.thread()));
            waits.put(each, wait);
            byThread.put(each.thread(), wait);
        }
    }

    /** Whether two fibers or more wait for what somebody else has, so that there may be a circle. Any thread; cheap. */
    static boolean mayHaveCircles(Collection<Hub> hubs) {
        int[] found = {0};
        for (Hub hub : hubs) {
            hub.loop().look(each -> {
                Waiter waiter = each.waiting();
                if (waiter == null ? LockGraph.mayWait(each.thread()) : hasOwners(waiter.reason())) {
                    found[0]++;
                }
            });
        }
        return found[0] >= 2;
    }

    private static boolean hasOwners(Object reason) {
        return reason instanceof Owned || reason instanceof Greenlet<?>;
    }

    private static Wait wait(Object who, @Nullable Waiter waiter, LockGraph.@Nullable Wait lock) {
        if (waiter == null && lock != null) {
            return new Wait(who, null, lock, List.of(lock.owner()), lock.owned());
        }
        Object reason = waiter == null ? null : waiter.reason();
        return switch (reason) {
            case Owned owned -> new Wait(who, waiter, null, List.copyOf(owned.owners()), owned.owned());
            case Greenlet<?> greenlet -> new Wait(who, waiter, null, List.of(greenlet), "owed by");
            case null, default -> new Wait(who, waiter, null, List.of(), "");
        };
    }

    /** The wait of a hub's own thread. */
    Wait home(Hub hub) {
        return Objects.requireNonNull(homes.get(hub));
    }

    /** All fibers, those that do not wait included. */
    Collection<Wait> waits() {
        return waits.values();
    }

    static String name(Object who) {
        return switch (who) {
            case Fiber fiber ->
                    fiber.owner() instanceof Greenlet<?> greenlet ? greenlet.name() : fiber.thread().getName();
            case Greenlet<?> greenlet -> greenlet.name();
            case Thread thread -> {
                Fiber fiber = thread.isVirtual() ? Fiber.of(thread) : null;
                yield fiber == null ? "thread " + thread.getName() : name(fiber);
            }
            default -> who.toString();
        };
    }

    // --- circles

    /** Each circle once. */
    List<List<Wait>> circles() {
        List<List<Wait>> circles = new ArrayList<>();
        Set<Wait> done = new HashSet<>();
        for (Wait each : waits.values()) {
            follow(each, new ArrayList<>(), done, circles);
        }
        for (Wait home : homes.values()) {
            follow(home, new ArrayList<>(), done, circles);
        }
        return circles;
    }

    /** One who waits, in words: who, spawned where, for what, since when, who has it, and the program's own frames. */
    static void describe(StringBuilder text, Wait wait, long now) {
        text.append("  ").append(name(wait.who));
        if (wait.who instanceof Fiber fiber && fiber.owner() instanceof Greenlet<?> greenlet) {
            greenlet.spawnSite().ifPresent(site -> text.append(" (spawned at ").append(site).append(')'));
        }
        if (wait.waiter == null && wait.lock == null) {
            text.append(" waits in the JDK");
        } else {
            text.append(" waits for ").append(wait.reason());
        }
        if (wait.waiter != null) {
            text.append(", for ").append(Math.max(0, now - wait.waiter.since()) / 1_000_000).append(" ms");
        }
        if (!wait.owners.isEmpty()) {
            text.append(", ").append(wait.owner());
        }
        if (wait.who instanceof Fiber fiber) {
            Arrays.stream(fiber.stackTrace()).dropWhile(SpawnSite::ours).limit(FRAMES)
                    .takeWhile(each -> !SpawnSite.ours(each))
                    .forEach(each -> text.append("\n      at ").append(each));
        }
    }

    /** In words, one line for each that waits. */
    static String describe(List<Wait> circle) {
        return "These wait for one another in a circle:" + circle.stream()
                .map(each -> "\n  " + name(each.who) + " waits for " + each.reason() + ", " + each.owner())
                .collect(Collectors.joining());
    }

    /** Depth first; a wait that is met on its own path closes a circle. */
    private void follow(Wait wait, List<Wait> path, Set<Wait> done, List<List<Wait>> circles) {
        int at = path.indexOf(wait);
        if (at >= 0) {
            circles.add(List.copyOf(path.subList(at, path.size())));
            return;
        }
        if (done.contains(wait) || path.size() > 1000) {
            return;
        }
        path.add(wait);
        for (Object owner : wait.owners) {
            Wait next = waitOf(owner);
            if (next != null) {
                follow(next, path, done, circles);
            }
        }
        path.removeLast();
        done.add(wait);
    }

    private @Nullable Wait waitOf(Object owner) {
        return switch (owner) {
            case Fiber fiber ->
                    fiber == fiber.loop().homeFiber() ? byThread.get(fiber.loop().runner()) : waits.get(fiber);
            case Greenlet<?> greenlet -> waits.get(greenlet.fiber());
            case Thread thread -> byThread.get(thread);
            default -> null;
        };
    }
}
