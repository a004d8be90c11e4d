package dev.loomlet.cli;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;

import dev.loomlet.Action;
import dev.loomlet.Capabilities;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.agent.LoomletAgent;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code loomlet doctor}: what this machine and this JVM can do, proved by doing it. */
final class DoctorCommand extends Command {
    private static final int SICK = 1;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    DoctorCommand() {
        super("doctor", "", "tells what Loomlet can do on this machine, tries it, and says what to add");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        invocation.refuseArguments();
        PrintStream out = invocation.terminal().out();
        Capabilities can = Hub.capabilities();
        boolean agent = LoomletAgent.instrumentation().isPresent();
        line(out, "JDK", Runtime.version() + ", " + System.getProperty("java.vm.name") + " of "
                + System.getProperty("java.vendor") + ", in " + System.getProperty("java.home"));
        line(out, "system", System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + ", " + Runtime.getRuntime().availableProcessors() + " processors");
        line(out, "level", can.level().name().toLowerCase(Locale.ROOT) + " (of none, scheduler, timers, pollers)");
        line(out, "backend", can.backend());
        line(out, "sends of many greenlets",
                can.sendsTogether() ? "together, by io_uring" : "one by one: no io_uring here");
        line(out, "monitors of a waiting thread", can.monitorsVisible() ? "seen" : "not seen: waits take a stand-in");
        line(out, "coroutines", can.fastCoroutines() ? "fast, on the JDK's continuations" : "portable, on threads");
        line(out, "agent", agent ? "there: threads of programs can be made greenlets" : "not there");
        line(out, "open files", limit("Max open files"));
        line(out, "processes and threads", limit("Max processes"));
        line(out, "address space", limit("Max address space"));
        if (!can.missing().isEmpty()) {
            line(out, "missing", can.missing());
        }
        if (!can.advice().isEmpty()) {
            line(out, "advice", can.advice());
        }
        if (!agent) {
            line(out, "advice", "for `new Thread` as greenlets add -javaagent:loomlet.jar, or use ./loomlet run");
        }
        if (can.level() == Capabilities.Level.NONE) {
            return SICK;
        }
        boolean well = true;
        for (Check each : CHECKS) {
            well &= each.passes(out);
        }
        Hub.current().close();
        return well ? 0 : SICK;
    }

    /** The limit of this process that Linux calls so; with the one a shell command could raise it to. */
    private static String limit(String name) {
        try {
            for (String each : Files.readAllLines(Path.of("/proc/self/limits"))) {
                if (each.startsWith(name)) {
                    String[] values = each.substring(name.length()).strip().split(" +");
                    return values[0]
                            + (values[0].equals(values[1]) ? "" : " (ulimit can raise it to " + values[1] + ")");
                }
            }
        } catch (IOException e) {
            // another system than Linux
        }
        return "not known on this system";
    }

    /** Something a hub must be able to do. */
    private record Check(String name, Action action) {
        boolean passes(PrintStream out) {
            long begin = System.nanoTime();
            String problem = "";
            try {
                Greenlet<Void> greenlet = Hub.current().unstarted(name, action);
                Hub.current().onError((failed, error) -> {});
                if (!greenlet.start().join(PATIENCE)) {
                    problem = "did not end within " + PATIENCE.toSeconds() + " s";
                } else if (greenlet.exception().isPresent()) {
                    problem = greenlet.exception().get().toString();
                }
            } catch (RuntimeException e) {
                problem = e.toString();
            }
            line(out, "trying: " + name, (problem.isEmpty() ? "good" : "FAILED: " + problem)
                    + String.format(Locale.ROOT, ", %.2f ms", (System.nanoTime() - begin) / 1e6));
            return problem.isEmpty();
        }
    }

    private static final List<Check> CHECKS = List.of(
            new Check("spawn", DoctorCommand::trySpawn),
            new Check("yield", DoctorCommand::tryYield),
            new Check("sleep", DoctorCommand::trySleep),
            new Check("loopback echo", DoctorCommand::tryEcho),
            new Check("contended monitor", DoctorCommand::tryMonitor));

    private static void must(boolean good, String otherwise) {
        if (!good) {
            throw new IllegalStateException(otherwise);
        }
    }

    private static void trySpawn() {
        List<Greenlet<Thread>> greenlets = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            greenlets.add(spawn(() -> Thread.currentThread()));
        }
        joinAll(greenlets);
        for (Greenlet<Thread> each : greenlets) {
            must(each.value() == each.thread(), each + " ran on another thread");
        }
    }

    private static void tryYield() {
        StringBuilder order = new StringBuilder();
        Action turns = () -> {
            for (int i = 0; i < 3; i++) {
                order.append(Loomlet.current().orElseThrow().name());
                yieldNow();
            }
        };
        joinAll(Hub.current().spawn("a", turns), Hub.current().spawn("b", turns));
        must(order.toString().equals("ababab"), "they took turns like this: " + order);
    }

    private static void trySleep() throws InterruptedException {
        long begin = System.nanoTime();
        Greenlet<Void> other = spawn(() -> Thread.sleep(20));
        sleep(Duration.ofMillis(20));
        other.join();
        long millis = (System.nanoTime() - begin) / 1_000_000;
        must(millis >= 20, "two sleeps of 20 ms were over after " + millis);
        must(millis < 1000, "two sleeps of 20 ms took " + millis);
    }

    private static void tryEcho() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            spawn(() -> {
                try (Socket socket = server.accept()) {
                    socket.getInputStream().transferTo(socket.getOutputStream());
                }
            });
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
                socket.setSoTimeout(2000);
                for (int i = 0; i < 100; i++) {
                    socket.getOutputStream().write(i);
                    int answer = socket.getInputStream().read();
                    must(answer == i, "sent " + i + ", got " + answer);
                }
            }
        }
    }

    private static void tryMonitor() throws InterruptedException {
        Object lock = new Object();
        int[] count = {0};
        List<Greenlet<Void>> greenlets = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            greenlets.add(spawn(() -> {
                for (int n = 0; n < 3; n++) {
                    synchronized (lock) {
                        int before = count[0];
                        Thread.sleep(1);
                        count[0] = before + 1;
                    }
                }
            }));
        }
        joinAll(greenlets);
        must(count[0] == 30, "30 times in a monitor counted " + count[0]);
    }

    private static void line(PrintStream out, String label, String value) {
        out.println(label + " ".repeat(Math.max(1, 30 - label.length())) + value);
    }
}
