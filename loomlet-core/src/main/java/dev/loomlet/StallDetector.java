package dev.loomlet;

import dev.loomlet.internal.jdk.FileHooks;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Monitoring;
import dev.loomlet.internal.loop.Recording;
import dev.loomlet.internal.loop.Warnings;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches all hubs from one daemon thread, which is there while a hub is.
 *
 * <p>A hub pays nothing: the fiber whose turn it is and the number of turns are plain fields that it writes anyway, read
 * here without any order. What is seen may be a moment old, which is why a stall must be seen twice.
 *
 * <p>The thread takes no lock of the program: what may take some, logging and the program's own handler, is left to a thread
 * of its own for each report.
 */
final class StallDetector implements Runnable {
    private static final long THRESHOLD = Long.getLong("loomlet.stall", 100) * 1_000_000;
    private static final long FIRST_PAUSE = 10_000_000_000L;
    private static final int REMEMBERED = 1000;
    private static final long MONITORING_AFTER = 1_000_000_000L;
    private static final AtomicBoolean MONITORED = new AtomicBoolean();
    private static final boolean JFR = ModuleLayer.boot().findModule("jdk.jfr").isPresent();
    private static volatile @Nullable StallDetector running; // written under the class; never on a loop

    /** What has been reported, and when it may be again: of the process, since in some programs hubs come and go. */
    private static final Map<String, Backoff> REPORTED = new HashMap<>(); // itself the lock: a moment, no call inside

    static {
        // a program that has run out of descriptors cannot load them any more, and it is the one to watch
        try {
            for (Class<?> each : List.of(Turn.class, Backoff.class, Stall.class, Stall.Cause.class, Deadlocks.class,
                    WaitGraph.class)) {
                MethodHandles.lookup().ensureInitialized(each);
            }
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private final Map<Hub, Turn> turns = new HashMap<>();
    private final Thread thread = new Thread(null, this, "loomlet-watchdog", 0, false);

    /** What a hub was seen doing. */
    private static final class Turn {
        final Fiber fiber;
        final long number;
        final long since;
        boolean told;

        Turn(Fiber fiber, long number, long since) {
            this.fiber = fiber;
            this.number = number;
            this.since = since;
        }
    }

    private static final class Backoff {
        long until;
        long pause = FIRST_PAUSE;

        Backoff(long now) {
            until = now + pause;
        }
    }

    /** A hub was opened. */
    static synchronized void begin() {
        if (running == null && THRESHOLD > 0) {
            running = new StallDetector();
            running.thread.setDaemon(true);
            running.thread.start();
        }
    }

    /** A hub was closed: nothing may be left when it was the last one. */
    static synchronized void look() {
        if (running != null) {
            LockSupport.unpark(running.thread);
        }
    }

    private static synchronized boolean over() {
        if (!Hub.all().isEmpty()) {
            return false;
        }
        running = null;
        return true;
    }

    @Override
    public void run() {
        long pause = THRESHOLD / 2;
        long last = System.nanoTime();
        long begun = last;
        var deadlocks = new Deadlocks(begun, StallDetector::report);
        Recording.look();
        while (!over()) {
            LockSupport.parkNanos(this, pause);
            long now = System.nanoTime();
            if (now - last > 4 * pause + 500_000_000L) {
                turns.clear(); // the whole process, or the machine, stood still: nobody's fault
            }
            last = now;
            Recording.look();
            if (now - begun > MONITORING_AFTER && MONITORED.compareAndSet(false, true)) {
                startDaemon(StallDetector::beginMonitoring, "loomlet-monitoring");
            }
            for (Hub each : Hub.all()) {
                try {
                    look(each, now);
                } catch (LinkageError | OutOfMemoryError e) { // no descriptor, thread or memory is left: it watches on
                    turns.remove(each);
                    outlive(e, now);
                }
            }
            turns.keySet().retainAll(Hub.all());
            try {
                deadlocks.look(Hub.all(), now);
            } catch (RuntimeException | LinkageError | OutOfMemoryError e) { // what is looked at changes; and as above
                outlive(e, now);
            }
        }
    }

    private void outlive(Throwable error, long now) {
        if (due(error.toString(), now)) {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, error);
        }
    }

    /** A thread of its own logs it, as that may take locks. */
    private static void report(String deadlock) {
        startDaemon(() -> warn(deadlock), "loomlet-stall-report");
    }

    private static void warn(String text) {
        if (!Warnings.print(text)) {
            System.getLogger("dev.loomlet.stall").log(System.Logger.Level.WARNING, text);
        }
    }

    private void look(Hub hub, long now) {
        Fiber fiber = hub.loop().running();
        long number = hub.loop().switches();
        if (fiber == null) {
            turns.remove(hub);
            return;
        }
        Turn turn = turns.get(hub);
        if (turn == null || turn.fiber != fiber || turn.number != number) {
            turns.put(hub, new Turn(fiber, number, now));
        } else if (!turn.told && now - turn.since >= THRESHOLD) {
            turn.told = true;
            examine(hub, turn, now);
        }
    }

    private void examine(Hub hub, Turn turn, long now) {
        Thread thread = turn.fiber.thread();
        StackTraceElement[] first = turn.fiber.stackTrace();
        Thread.State carrier = hub.loop().runner().getState();
        LockSupport.parkNanos(2_000_000L);
        StackTraceElement[] second = turn.fiber.stackTrace();
        boolean hidden = first.length == 0 && turn.fiber.inBody();
        if (hub.loop().running() != turn.fiber || hub.loop().switches() != turn.number
                || (first.length == 0 && !hidden)) {
            return; // it has just given way
        }
        Stall.Cause cause = cause(first, second, carrier);
        if (!due(cause + "@" + (hidden ? bodyOf(turn.fiber) : place(first)), now)) {
            return;
        }
        Optional<Greenlet<?>> greenlet =
                turn.fiber.owner() instanceof Greenlet<?> known ? Optional.of(known) : Optional.empty();
        Stall stall = new Stall(hub, greenlet, thread, Duration.ofNanos(System.nanoTime() - turn.since), cause,
                List.of(first));
        startDaemon(() -> report(stall), "loomlet-stall-report");
    }

    private static void startDaemon(Runnable task, String name) {
        Thread thread = new Thread(null, task, name, 0, false);
        thread.setDaemon(true);
        thread.start();
    }

    /** Not for programs that are over in a moment: it loads some hundred classes. */
    private static void beginMonitoring() {
        try {
            ServiceLoader.load(Monitoring.class, Monitoring.class.getClassLoader()).forEach(Monitoring::begin);
        } catch (ServiceConfigurationError | LinkageError e) {
            System.getLogger("dev.loomlet").log(System.Logger.Level.INFO, "hubs are not shown over JMX", e);
        }
    }

    static Stall.Cause cause(StackTraceElement[] first, StackTraceElement[] second, Thread.State carrier) {
        boolean waits = carrier == Thread.State.WAITING || carrier == Thread.State.TIMED_WAITING;
        if (carrier == Thread.State.BLOCKED) {
            return Stall.Cause.MONITOR;
        }
        if (Arrays.stream(first).anyMatch(each -> each.getMethodName().equals("<clinit>"))) {
            return Stall.Cause.CLASS_INITIALISATION;
        }
        if (waits) {
            return Stall.Cause.PINNED_PARK;
        }
        if (first.length == 0) {
            return Stall.Cause.CPU;
        }
        StackTraceElement top = first[0];
        if (top.isNativeMethod() && !top.getMethodName().equals("yield0")) {
            return Stall.Cause.NATIVE_CALL;
        }
        return inOnePlace(first, second) ? Stall.Cause.SPIN_LOOP : Stall.Cause.CPU;
    }

    /** Whether both end in the same method of the program, called from the same lines. */
    private static boolean inOnePlace(StackTraceElement[] first, StackTraceElement[] second) {
        int one = ofProgram(first);
        int two = ofProgram(second);
        if (first.length - one != second.length - two || one == first.length) {
            return false;
        }
        return first[one].getMethodName().equals(second[two].getMethodName())
                && Arrays.equals(first, one + 1, first.length, second, two + 1, second.length);
    }

    private static int ofProgram(StackTraceElement[] stack) {
        int at = 0;
        while (at < stack.length && "java.base".equals(stack[at].getModuleName())) {
            at++;
        }
        return at;
    }

    /** Stands for a place that must not be looked for: what is spawned there may be another greenlet each time. */
    private static String bodyOf(Fiber fiber) {
        return "a body in what is spawned at "
                + (fiber.owner() instanceof Greenlet<?> greenlet ? greenlet.spawnSite() : Optional.empty());
    }

    private static String place(StackTraceElement[] stack) {
        int at = ofProgram(stack);
        StackTraceElement frame = stack[at < stack.length ? at : 0];
        return frame.getClassName() + "." + frame.getMethodName();
    }

    /** A native call has held the hub of the calling fiber up, and is over. */
    static void heldUp(Fiber fiber, long nanos) {
        if (running == null || !(fiber.loop().owner() instanceof Hub hub)) {
            return;
        }
        List<StackTraceElement> stack = List.of(withoutOurs(new Throwable().getStackTrace()));
        if (!due(Stall.Cause.NATIVE_CALL + "@" + place(stack.toArray(StackTraceElement[]::new)),
                System.nanoTime())) {
            return;
        }
        Optional<Greenlet<?>> greenlet =
                fiber.owner() instanceof Greenlet<?> known ? Optional.of(known) : Optional.empty();
        Stall stall = new Stall(hub, greenlet, fiber.thread(), Duration.ofNanos(nanos), Stall.Cause.NATIVE_CALL, stack);
        startDaemon(() -> report(stall), "loomlet-stall-report");
    }

    /** Without the frames on top that only measure. */
    private static StackTraceElement[] withoutOurs(StackTraceElement[] stack) {
        int top = 0;
        while (top < stack.length - 1 && (stack[top].getClassName().startsWith("dev.loomlet.")
                || FileHooks.measures(stack[top].getClassName()))) {
            top++;
        }
        return Arrays.copyOfRange(stack, top, stack.length);
    }

    /** As if nothing had been reported yet. */
    static void forget() {
        synchronized (REPORTED) {
            REPORTED.clear();
        }
    }

    private static boolean due(String cause, long now) {
        synchronized (REPORTED) {
            Backoff backoff = REPORTED.get(cause);
            if (backoff == null) {
                if (REPORTED.size() >= REMEMBERED) {
                    REPORTED.clear();
                }
                REPORTED.put(cause, new Backoff(now));
                return true;
            }
            if (now - backoff.until < 0) {
                return false;
            }
            backoff.pause *= 2;
            backoff.until = now + backoff.pause;
            return true;
        }
    }

    private static void report(Stall stall) {
        if (JFR) {
            StallEvent.record(stall);
        }
        warn(stall.toString());
        Consumer<Stall> handler = stall.hub().stallHandler();
        if (handler != null) {
            try {
                handler.accept(stall);
            } catch (Throwable t) {
                System.getLogger("dev.loomlet.stall").log(System.Logger.Level.ERROR,
                        "the handler of stalls failed", t);
            }
        }
    }
}
