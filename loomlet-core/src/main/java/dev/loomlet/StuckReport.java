package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What to tell somebody whose program can never go on: who waits for what, since when, who holds it or owes it, and who waits
 * for one another in a circle.
 */
final class StuckReport {
    private static final int GREENLETS = 100;
    private static final int FRAMES = 4;

    private final Hub hub;
    private final long now = System.nanoTime();
    private final Map<Fiber, Wait> waits = new LinkedHashMap<>();
    private final Wait home;

    /** One who waits. */
    private record Wait(Object who, @Nullable Waiter waiter, List<Object> owners, String owned) {}

    private StuckReport(Hub hub) {
        this.hub = hub;
        this.home = wait(hub.thread(), hub.loop().homeWaiter());
        for (Fiber each : hub.loop().fibers()) {
            waits.put(each, wait(each, each.waiting()));
        }
    }

    /** On the loop. */
    static String of(Hub hub) {
        return new StuckReport(hub).text();
    }

    private static Wait wait(Object who, @Nullable Waiter waiter) {
        Object reason = waiter == null ? null : waiter.reason();
        return switch (reason) {
            case Owned owned -> new Wait(who, waiter, List.copyOf(owned.owners()), owned.owned());
            case Greenlet<?> greenlet -> new Wait(who, waiter, List.of(greenlet), "owed by");
            case null, default -> new Wait(who, waiter, List.of(), "");
        };
    }

    private String text() {
        StringBuilder text = new StringBuilder("nothing can ever end this wait on ").append(hub)
                .append(": no greenlet is ready, no timer armed, no socket watched, no other thread there to call in.\n");
        describe(text, home);
        List<List<Wait>> circles = circles();
        for (List<Wait> circle : circles) {
            text.append("\nThese wait for one another in a circle:");
            for (Wait each : circle) {
                text.append("\n  ").append(name(each.who)).append(" waits for ").append(reason(each)).append(", ")
                        .append(each.owned).append(' ').append(names(each));
            }
        }
        if (!waits.isEmpty()) {
            text.append("\nGreenlets that wait (").append(waits.size()).append("):");
            waits.values().stream().limit(GREENLETS).forEach(each -> {
                text.append('\n');
                describe(text, each);
                stack(text, each);
            });
            if (waits.size() > GREENLETS) {
                text.append("\n... and ").append(waits.size() - GREENLETS).append(" more");
            }
        }
        return text.toString();
    }

    private void describe(StringBuilder text, Wait wait) {
        text.append("  ").append(name(wait.who));
        if (wait.who instanceof Fiber fiber && fiber.owner() instanceof Greenlet<?> greenlet) {
            greenlet.spawnSite().ifPresent(site -> text.append(" (spawned at ").append(site).append(')'));
        }
        if (wait.waiter == null) {
            text.append(" waits in the JDK");
            return;
        }
        text.append(" waits for ").append(reason(wait)).append(", for ")
                .append(Math.max(0, now - wait.waiter.since()) / 1_000_000).append(" ms");
        if (!wait.owners.isEmpty()) {
            text.append(", ").append(wait.owned).append(' ').append(names(wait));
        }
    }

    /** The program's own frames: where it waits. */
    private static void stack(StringBuilder text, Wait wait) {
        if (wait.who instanceof Fiber fiber) {
            Arrays.stream(fiber.stackTrace()).dropWhile(SpawnSite::ours).limit(FRAMES)
                    .takeWhile(each -> !SpawnSite.ours(each))
                    .forEach(each -> text.append("\n      at ").append(each));
        }
    }

    private static String reason(Wait wait) {
        Object reason = wait.waiter == null ? null : wait.waiter.reason();
        return reason instanceof Greenlet<?> greenlet ? "the end of " + greenlet.name() : String.valueOf(reason);
    }

    private static String names(Wait wait) {
        String names = wait.owners.stream().limit(5).map(StuckReport::name).collect(Collectors.joining(", "));
        return wait.owners.size() > 5 ? names + " and " + (wait.owners.size() - 5) + " more" : names;
    }

    private static String name(Object who) {
        return switch (who) {
            case Fiber fiber ->
                    fiber.owner() instanceof Greenlet<?> greenlet ? greenlet.name() : fiber.thread().getName();
            case Greenlet<?> greenlet -> greenlet.name();
            case Thread thread -> "thread " + thread.getName();
            default -> who.toString();
        };
    }

    // --- circles

    private List<List<Wait>> circles() {
        List<List<Wait>> circles = new ArrayList<>();
        Set<Wait> done = new HashSet<>();
        for (Wait each : waits.values()) {
            follow(each, new ArrayList<>(), done, circles);
        }
        follow(home, new ArrayList<>(), done, circles);
        return circles;
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
            case Fiber fiber -> fiber == hub.loop().homeFiber() ? home : waits.get(fiber);
            case Greenlet<?> greenlet -> waits.get(greenlet.fiber());
            case Thread thread -> thread == hub.thread() ? home
                    : waits.values().stream()
                            .filter(each -> each.who instanceof Fiber fiber && fiber.thread() == thread)
                            .findFirst().orElse(null);
            default -> null;
        };
    }
}
