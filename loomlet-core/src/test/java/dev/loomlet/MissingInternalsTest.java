package dev.loomlet;

import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.coroutine.Generator;
import dev.loomlet.internal.jdk.Access;
import dev.loomlet.net.Sockets;
import dev.loomlet.process.Processes;
import dev.loomlet.sync.Event;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a program sees on a JDK to come, in which an internal that Loomlet uses is gone or has another type: a lower level
 * and a line that says why, and no crash. Each program is a JVM of its own, in which one name is made to be missing.
 *
 * <p>A few that matter and a few at random are tried; all of them with {@code -Dloomlet.test.everything=true}.
 */
class MissingInternalsTest {
    /** Uses all of Loomlet that needs something of the JDK, and says what it saw. */
    static final class Program {
        static boolean hubs;

        public static void main(String... args) throws Exception {
            Capabilities can = Hub.capabilities();
            System.out.println("level " + can.level());
            System.out.println("missing " + can.missing());
            System.out.println("advice " + can.advice());
            hubs = can.level() != Capabilities.Level.NONE;
            if (hubs) {
                greenlets();
                Thread left = Thread.ofPlatform().start(() -> {
                    spawn(() -> Loomlet.sleep(Duration.ofHours(1)));
                    Loomlet.yieldNow();
                }); // and closes no hub
                left.join();
            } else {
                try {
                    spawn(() -> 1);
                } catch (IllegalStateException e) {
                    System.out.println("refused: " + e.getMessage());
                }
            }
            withoutAHub();
            if (args.length > 0) {
                System.out.println("used " + String.join(",", Access.used()));
            }
            System.out.println("done");
            System.exit(0); // hubs left over must not keep it
        }

        @SuppressWarnings("WaitNotInLoop") // a timed wait for nothing
        private static void greenlets() throws Exception {
            Object monitor = new Object();
            CompletableFuture<String> future = new CompletableFuture<>();
            Greenlet<Void> sleeping = spawn(() -> {
                Loomlet.sleep(Duration.ofMillis(1));
                Thread.sleep(1);
                synchronized (monitor) {
                    monitor.wait(1);
                }
                future.complete("told");
            });
            must(spawn(() -> future.get()).value().equals("told"));
            sleeping.join();
            try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
                Greenlet<Integer> answering = spawn(() -> echo(server.accept()));
                must(spawn(() -> ask(new Socket(server.getInetAddress(), server.getLocalPort()))).value() == 9);
                must(answering.value() == 1);
            }
            Loomlet.run(() -> {
                try (Sockets.Pair pair = Sockets.pair()) {
                    Greenlet<Integer> answering = spawn(() -> echo(pair.first()));
                    must(ask(pair.second()) == 9 && answering.value() == 1);
                }
                must(InetAddress.getByName("localhost").isLoopbackAddress());
                return 0;
            });
            try {
                must(Processes.run("echo", "x").stdout().equals("x\n"));
            } catch (IOException e) {
                must(String.valueOf(e.getMessage()).contains("lacks"));
            }
            synchronized (monitor) {
                must(spawn(() -> 7).value() == 7); // the hub's own thread waits while it holds a monitor
            }
            Hub.current().close();
            must(Hub.ifPresent().isEmpty());
        }

        private static void withoutAHub() throws Exception {
            ScopedValue<String> bound = ScopedValue.newInstance();
            int sum = 0;
            for (int each : Generator.<Integer>of(out -> {
                for (int i = 1; i <= 3; i++) {
                    int yielded = i;
                    ScopedValue.where(bound, "x").run(() -> out.yield(yielded));
                }
            })) {
                sum += each;
            }
            must(sum == 6);
            must(InetAddress.getByName("localhost").isLoopbackAddress());
            Event event = new Event();
            Thread stock = Thread.startVirtualThread(() -> {
                event.await();
                must(Hub.ifPresent().isEmpty());
            });
            event.set();
            stock.join();
        }

        private static int echo(Socket socket) throws IOException {
            try (socket) {
                int b = socket.getInputStream().read();
                socket.getOutputStream().write(b);
                return 1;
            }
        }

        private static int ask(Socket socket) throws IOException {
            try (socket) {
                socket.getOutputStream().write(9);
                return socket.getInputStream().read();
            }
        }

        private static void must(boolean good) {
            if (!good) {
                throw new AssertionError("wrong");
            }
        }
    }

    /** What there cannot be a hub without. */
    private static final String FLOOR = "java.lang.VirtualThread.state";

    private static final List<String> ALWAYS = List.of(FLOOR, "java.lang.VirtualThread$DelayedTaskSchedulers.INSTANCE",
            "sun.nio.ch.Poller$Pollers.writePollers", "sun.nio.ch.EPoll.ctl", "java.lang.Thread.eetop",
            "jdk.internal.vm.Continuation.yield0");

    private static Set<String> used = Set.of();

    @BeforeAll
    static void listWhatIsUsed() throws Exception {
        String told = run("-", "list").lines().filter(each -> each.startsWith("used ")).findFirst().orElseThrow();
        used = new TreeSet<>(List.of(told.substring("used ".length()).split(",")));
    }

    private static String run(String missing, String... arguments) throws Exception {
        return FirstUseTest.Jvm.run(60, List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-Dloomlet.missing=" + missing),
                Program.class, arguments);
    }

    private static void fallsBack(String name) throws Exception {
        String output = run(name);
        assertThat(output).as("without " + name).endsWith("done\n").contains("lacks " + name)
                .contains("advice use a JDK").doesNotContain("Exception in", "Error", "\tat ");
    }

    @Test
    void eachThatIsMissingIsSaidAndTheRestWorks() throws Exception {
        long seed = Long.getLong("loomlet.test.seed", System.nanoTime());
        System.out.println("seed of " + getClass().getSimpleName() + ": -Dloomlet.test.seed=" + seed);
        assertThat(used).containsAll(ALWAYS).hasSizeGreaterThan(80);
        List<String> all = new ArrayList<>(used);
        Collections.shuffle(all, new Random(seed));
        Set<String> tried = new LinkedHashSet<>(ALWAYS);
        tried.addAll(Boolean.getBoolean("loomlet.test.everything") ? all : all.subList(0, 6));
        for (String each : tried) {
            fallsBack(each);
        }
    }

    @Test
    void withoutTheSchedulersPartsThereIsNoHubAndTheErrorSaysWhy() throws Exception {
        assertThat(run(FLOOR)).contains("level NONE")
                .containsPattern("refused: Loomlet cannot run greenlets in this JVM: .*lacks " + FLOOR + ".*use a JDK");
    }

    @Test
    void withoutTheTimersPartsItStopsAtTheRungBelow() throws Exception {
        assertThat(run("java.lang.VirtualThread$DelayedTaskSchedulers.INSTANCE")).contains("level SCHEDULER");
    }

    @Test
    void withoutThePollersPartsNoneOfThemIsReplaced() throws Exception {
        assertThat(run("sun.nio.ch.Poller$Pollers.writePollers")).contains("level TIMERS");
    }

    @Test
    void withNothingMissingNothingIsSaid() throws Exception {
        assertThat(run("-")).contains("missing \nadvice \n").endsWith("done\n");
    }
}
