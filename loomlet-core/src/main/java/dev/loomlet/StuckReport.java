package dev.loomlet;

import dev.loomlet.WaitGraph.Wait;
import java.util.Collection;
import java.util.List;

/**
 * What to tell somebody whose program can never go on: who waits for what, since when, who holds it or owes it, and who waits
 * for one another in a circle.
 */
final class StuckReport {
    private static final int GREENLETS = 100;

    private StuckReport() {}

    /** On the loop. */
    static String of(Hub hub) {
        long now = System.nanoTime();
        WaitGraph graph = new WaitGraph(List.of(hub));
        StringBuilder text = new StringBuilder("nothing can ever end this wait on ").append(hub)
                .append(": no greenlet is ready, no timer armed, no socket watched, no other thread there to call in.\n");
        WaitGraph.describe(text, graph.home(hub), now);
        graph.circles().forEach(each -> text.append('\n').append(WaitGraph.describe(each)));
        Collection<Wait> waits = graph.waits();
        if (!waits.isEmpty()) {
            text.append("\nGreenlets that wait (").append(waits.size()).append("):");
            waits.stream().limit(GREENLETS).forEach(each -> WaitGraph.describe(text.append('\n'), each, now));
            if (waits.size() > GREENLETS) {
                text.append("\n... and ").append(waits.size() - GREENLETS).append(" more");
            }
        }
        return text.toString();
    }
}
