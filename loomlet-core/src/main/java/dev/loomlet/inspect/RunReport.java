package dev.loomlet.inspect;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.OsSignals;
import dev.loomlet.internal.jdk.VirtualThreads;
import dev.loomlet.internal.loop.Away;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * All hubs and all their greenlets, as text: a tree of who spawned whom, with what each waits for and since when, where it
 * was spawned, its greenlet locals, and its stack.
 *
 * {@snippet :
 * System.out.println(RunReport.of());
 * }
 *
 * <p>From any thread. A hub is asked for its greenlets; one that does not answer within a second, because a greenlet holds
 * it up, is looked at from outside: then the report says so, and may lack greenlets that come or go at that moment.
 *
 * <p>gevent's {@code print_run_info} and {@code GreenletTree}.
 */
public final class RunReport {
    private static final long PATIENCE_MILLIS = 1000;

    private final StringBuilder text = new StringBuilder();
    private final long now = System.nanoTime();

    private RunReport() {}

    /** The report on all hubs. */
    public static String of() {
        RunReport report = new RunReport();
        List<Hub> hubs = new ArrayList<>(Hub.all());
        hubs.sort(Comparator.comparing(Hub::name));
        if (hubs.isEmpty()) {
            return "no hub is open\n";
        }
        for (Hub each : hubs) {
            report.describe(each);
        }
        report.circles(hubs);
        return report.text.toString();
    }

    private void circles(List<Hub> hubs) {
        for (String each : Greenlets.inside().circles(hubs)) {
            text.append(each).append('\n');
        }
    }

    /** The report on one hub. */
    public static String of(Hub hub) {
        RunReport report = new RunReport();
        report.describe(hub);
        report.circles(List.of(hub));
        return report.text.toString();
    }

    /**
     * Prints the report to {@code System.err} whenever the process gets a signal, say "USR2", from a thread of its own: also
     * when every hub is held up. {@code -Dloomlet.report.signal=USR2} does it without a line of code, from a second after
     * the first hub on.
     *
     * @param signal its name, "USR2" or "SIGUSR2"
     * @return close it to leave the signal as it was
     * @throws IllegalArgumentException if there is no such signal, or the JVM or the system keeps it for itself
     * @throws UnsupportedOperationException in a runtime without the module {@code jdk.unsupported}
     */
    public static Listening onSignal(String signal) {
        String name = signal.startsWith("SIG") ? signal.substring(3) : signal;
        Runnable undo = OsSignals.on(name, () -> {
            System.err.print(of());
            return true;
        });
        return undo::run;
    }

    /** That a report is printed on a signal, until it is closed. */
    public interface Listening extends AutoCloseable {
        /** Leaves the signal as it was. Any thread; closing twice is harmless. */
        @Override
        void close();
    }

    private void describe(Hub hub) {
        Loop loop = Greenlets.inside().loop(hub);
        List<Fiber> fibers = ask(loop);
        boolean answered = fibers != null;
        if (fibers == null) {
            fibers = loop.fibers();
        }
        text.append(hub).append(": ").append(fibers.size()).append(" greenlets, ").append(hub.switches())
                .append(" switches, polls with ").append(hub.backend()).append('\n');
        if (!answered) {
            text.append("  (it did not answer: a greenlet holds it up. Seen from outside, so not quite exact)\n");
        }
        Waiter home = loop.homeWaiter();
        text.append("  thread ").append(hub.thread().getName());
        if (home == null) {
            text.append(" runs\n");
            // what comes of asking is described at Fiber.stackTrace
            stack("    ", VirtualThreads.runsBody(hub.thread()) && hub.thread() != Thread.currentThread()
                    ? new StackTraceElement[0] : hub.thread().getStackTrace());
        } else {
            text.append(waits(home)).append('\n');
        }
        Map<Fiber, List<Fiber>> children = new LinkedHashMap<>();
        List<Fiber> roots = new ArrayList<>();
        Set<Fiber> known = new HashSet<>(fibers);
        for (Fiber each : fibers) {
            Fiber parent = parent(each);
            if (parent != null && known.contains(parent)) {
                children.computeIfAbsent(parent, _ -> new ArrayList<>()).add(each);
            } else {
                roots.add(each);
            }
        }
        for (Fiber each : roots) {
            describe(each, "  ", children, loop);
        }
    }

    private static @Nullable Fiber parent(Fiber fiber) {
        return fiber.owner() instanceof Greenlet<?> greenlet
                ? greenlet.spawner().map(each -> Greenlets.inside().fiber(each)).orElse(null) : null;
    }

    /** The hub's greenlets as it knows them, or null if it does not answer in time. */
    private static @Nullable List<Fiber> ask(Loop loop) {
        if (loop.onLoop()) {
            return loop.fibers();
        }
        AtomicReference<@Nullable List<Fiber>> answer = new AtomicReference<>();
        CountDownLatch answered = new CountDownLatch(1);
        if (!loop.post(() -> {
            answer.set(loop.fibers());
            answered.countDown();
        })) {
            return List.of();
        }
        try {
            // A hub whose thread does not wait in the library now runs nothing, and is quiet: no need to be patient.
            long patience = loop.homeWaiter() == null ? PATIENCE_MILLIS / 10 : PATIENCE_MILLIS;
            if (answered.await(patience, TimeUnit.MILLISECONDS)) {
                return Objects.requireNonNull(answer.get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private void describe(Fiber fiber, String indent, Map<Fiber, List<Fiber>> children, Loop loop) {
        text.append(indent).append("+- ");
        if (fiber.owner() instanceof Greenlet<?> greenlet) {
            text.append(greenlet.name()).append(" (spawned at ")
                    .append(greenlet.spawnSite().map(Object::toString).orElse("an unknown place")).append(')');
        } else {
            text.append(fiber.thread());
        }
        Waiter waiter = fiber.waiting();
        Away away = Away.of(fiber.thread());
        if (away != null) {
            text.append(" is in the thread pool, for ").append(Math.max(0, now - away.since()) / 1_000_000)
                    .append(" ms");
        } else if (waiter != null) {
            text.append(waits(waiter));
        } else if (loop.running() == fiber) {
            text.append(" runs");
        } else {
            text.append(fiber.thread().getState() == Thread.State.RUNNABLE ? " is ready" : " waits in the JDK");
        }
        text.append('\n');
        String inner = indent + (children.containsKey(fiber) ? "|  " : "   ");
        if (fiber.locals() instanceof Map<?, ?> locals && !locals.isEmpty()) {
            text.append(inner).append("  locals: ").append(copy(locals)).append('\n');
        }
        stack(inner + "    ", fiber.stackTrace());
        for (Fiber each : children.getOrDefault(fiber, List.of())) {
            describe(each, indent + "|  ", children, loop);
        }
    }

    /** Read while its greenlet may write: then without it. */
    private static String copy(Map<?, ?> locals) {
        try {
            return List.copyOf(locals.values()).toString();
        } catch (RuntimeException e) {
            return "changing (" + e.getClass().getSimpleName() + ")";
        }
    }

    private String waits(Waiter waiter) {
        String reason;
        try {
            reason = waiter.reason() instanceof Greenlet<?> greenlet
                    ? "the end of " + greenlet.name() : String.valueOf(waiter.reason());
            if (waiter.reason() instanceof Owned owned && !owned.owners().isEmpty()) {
                reason += ", " + owned.owned() + " " + owned.owners();
            }
        } catch (RuntimeException e) {
            reason = waiter.reason().getClass().getSimpleName() + ", which changes just now";
        }
        return " waits for " + reason + ", for " + Math.max(0, now - waiter.since()) / 1_000_000 + " ms";
    }

    private void stack(String indent, StackTraceElement[] stack) {
        Arrays.stream(stack)
                .forEach(each -> text.append(indent).append("at ").append(each).append('\n'));
    }
}
