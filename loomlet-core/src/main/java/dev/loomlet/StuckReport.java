package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Waiter;

/** What to tell somebody whose program can never go on. */
final class StuckReport {
    private StuckReport() {}

    static String of(Hub hub) {
        StringBuilder text = new StringBuilder("nothing can ever end this wait on ").append(hub)
                .append(": no greenlet is ready, no timer armed, no socket watched, no other thread there to call in");
        long now = System.nanoTime();
        for (Fiber each : hub.loop().fibers()) {
            text.append("\n  ").append(each);
            Waiter waiter = each.waiting();
            if (waiter != null) {
                text.append(" waits for ").append(waiter.reason()).append(", for ")
                        .append((now - waiter.since()) / 1_000_000).append(" ms");
            }
        }
        return text.toString();
    }
}
