package dev.loomlet.internal.loop;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * What happens to greenlets, as events of a flight recording.
 *
 * <p>The classes of events are loaded only once there is a flight recorder: loading them starts half of JFR, which a program
 * that is not recorded should not pay for, and the module may not be there. Until then an event costs the look at a field.
 */
@SuppressWarnings("UnusedVariable") // the fields of events are read by JFR
public final class Recording {
    private static final boolean MODULE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();
    private static volatile boolean on;

    private Recording() {}

    /** Whether there may be somebody to record for. */
    public static boolean on() {
        return on;
    }

    /** Looks whether there is a flight recorder by now. Not on a loop. */
    public static void look() {
        if (!on && MODULE && Recorder.there()) {
            on = true;
        }
    }

    /** Apart, so that nothing of the module is loaded where it is not. */
    private static final class Recorder {
        static boolean there() {
            return FlightRecorder.isInitialized();
        }
    }

    /** A greenlet begins. */
    public static void started(String hub, String greenlet, Object site) {
        Started event = new Started();
        if (event.isEnabled()) {
            event.hub = hub;
            event.greenlet = greenlet;
            event.spawnSite = site.toString();
            event.commit();
        }
    }

    /** A greenlet has ended. */
    public static void ended(String hub, String greenlet, String how, @Nullable Throwable error) {
        Ended event = new Ended();
        if (event.isEnabled()) {
            event.hub = hub;
            event.greenlet = greenlet;
            event.end = how;
            event.error = error == null ? null : error.toString();
            event.commit();
        }
    }

    /** Somebody kills a greenlet. In who does. */
    public static void killed(String hub, String greenlet, Throwable cause) {
        Killed event = new Killed();
        if (event.isEnabled()) {
            event.hub = hub;
            event.greenlet = greenlet;
            event.thrown = cause.toString();
            event.commit();
        }
    }

    /** A timeout strikes. In whom it strikes. */
    public static void expired(String timeout, @Nullable Object wait) {
        Expired event = new Expired();
        if (event.isEnabled()) {
            event.timeout = timeout;
            event.wait = wait == null ? null : wait.toString();
            event.commit();
        }
    }

    /** A wait is over. In who has waited. */
    static void waited(Waiter waiter) {
        Waited event = new Waited();
        if (event.isEnabled()) {
            event.wait = waiter.toString();
            event.waited = System.nanoTime() - waiter.since();
            event.commit();
        }
    }

    @Name("dev.loomlet.GreenletStart")
    @Label("Greenlet Start")
    @Description("A greenlet has its first turn")
    @Category("Loomlet")
    @Enabled(false)
    @StackTrace(false)
    private static final class Started extends Event {
        @Label("Hub")
        @Nullable String hub;

        @Label("Greenlet")
        @Nullable String greenlet;

        @Label("Spawned At")
        @Nullable String spawnSite;
    }

    @Name("dev.loomlet.GreenletEnd")
    @Label("Greenlet End")
    @Description("A greenlet has ended")
    @Category("Loomlet")
    @Enabled(false)
    @StackTrace(false)
    private static final class Ended extends Event {
        @Label("Hub")
        @Nullable String hub;

        @Label("Greenlet")
        @Nullable String greenlet;

        @Label("End")
        @Description("value, error or kill")
        @Nullable String end;

        @Label("Error")
        @Nullable String error;
    }

    @Name("dev.loomlet.GreenletKill")
    @Label("Greenlet Kill")
    @Description("Somebody kills a greenlet; the stack is that of who does")
    @Category("Loomlet")
    private static final class Killed extends Event {
        @Label("Hub")
        @Nullable String hub;

        @Label("Greenlet")
        @Nullable String greenlet;

        @Label("Thrown")
        @Nullable String thrown;
    }

    @Name("dev.loomlet.TimeoutExpired")
    @Label("Timeout Expired")
    @Description("A timeout is thrown at a wait; the stack is where that is")
    @Category("Loomlet")
    private static final class Expired extends Event {
        @Label("Timeout")
        @Nullable String timeout;

        @Label("Wait")
        @Description("What was waited for")
        @Nullable String wait;
    }

    @Name("dev.loomlet.Wait")
    @Label("Greenlet Wait")
    @Description("A greenlet goes on after a wait")
    @Category("Loomlet")
    @Enabled(false)
    @StackTrace(false)
    private static final class Waited extends Event {
        @Label("Wait")
        @Description("What was waited for")
        @Nullable String wait;

        @Label("Waited")
        @Timespan(Timespan.NANOSECONDS) long waited;
    }
}
