package dev.loomlet;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** A {@link Stall} in a flight recording. Loaded only where there is a module {@code jdk.jfr}. */
@Name("dev.loomlet.Stall")
@Label("Greenlet does not give way")
@Description("A greenlet has kept all others of its hub from running")
@Category("Loomlet")
@StackTrace(false)
final class StallEvent extends Event {
    @Label("Hub")
    @Nullable String hub;

    @Label("Greenlet")
    @Nullable String greenlet;

    @Label("Held Up For")
    @Timespan(Timespan.NANOSECONDS) long heldUp;

    @Label("Cause")
    @Nullable String cause;

    @Label("Stack")
    @Nullable String stack;

    static void record(Stall stall) {
        StallEvent event = new StallEvent();
        if (event.isEnabled()) {
            event.hub = stall.hub().name();
            event.greenlet = stall.greenlet().map(Greenlet::toString).orElse(stall.thread().toString());
            event.heldUp = stall.duration().toNanos();
            event.cause = stall.cause().name();
            event.stack = String.join("\n", stall.stack().stream().map(Object::toString).toList());
            event.commit();
        }
    }
}
