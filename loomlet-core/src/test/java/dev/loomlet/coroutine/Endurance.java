package dev.loomlet.coroutine;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.management.ObjectName;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;

/**
 * What the VM does with stacks while coroutines and generators are suspended all over them: collections, the flight
 * recorder's samples, thread dumps of every kind, a heap dump. All of it at the same time as deep and shallow bodies are
 * stepped on a platform thread, a virtual thread and a hub's greenlets, and everything checks that it finds its place again.
 */
final class Endurance {
    /** Frames of a deep stack. */
    static final int DEEP = 10_000;

    private final Duration length;
    private final Path folder;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicInteger dumps = new AtomicInteger();
    private final CountDownLatch ready = new CountDownLatch(5);
    private volatile boolean over;

    private Endurance(Duration length, Path folder) {
        this.length = length;
        this.folder = folder;
    }

    /** For a VM of its own. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createTempDirectory("endurance");
        try {
            System.out.println(run(Duration.ofMillis(Long.parseLong(arguments[0])), folder));
        } finally {
            try (var files = Files.walk(folder)) {
                for (Path each : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }

    /** Goes on for {@code length} at least, and until one dump of each kind is taken; returns what was done, in words. */
    static String run(Duration length, Path folder) throws Exception {
        return new Endurance(length, folder).run();
    }

    private String run() throws Exception {
        try (var recording = new Recording(Configuration.getConfiguration("profile"))) {
            recording.start();
            var steps = new AtomicInteger();
            Callable<Integer> work = () -> work(DEEP);
            // A virtual thread's stack is as large as the JDK makes those of its carriers.
            Callable<Integer> shallow = () -> work(DEEP / 10);
            Callable<Integer> greenlets = () -> {
                List<Greenlet<Integer>> each = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    each.add(Loomlet.spawn(() -> work(DEEP)));
                }
                Loomlet.joinAll(each);
                int sum = 0;
                for (var one : each) {
                    sum += one.get();
                }
                Hub.current().close();
                return sum;
            };
            Thread platform = new Thread(null, () -> steps.addAndGet(guarded(work)), "endures", 64 << 20);
            Thread hub = new Thread(null, () -> steps.addAndGet(guarded(greenlets)), "endures-hub", 64 << 20);
            Thread virtual =
                    Thread.ofVirtual().name("endures-virtual").unstarted(() -> steps.addAndGet(guarded(shallow)));
            List<Thread> all = List.of(platform, hub, virtual);
            all.forEach(Thread::start);
            ready.await();
            try {
                dump(all, System.nanoTime() + length.toNanos());
            } catch (Throwable t) {
                failure.compareAndSet(null, t);
            }
            over = true;
            for (Thread each : all) {
                if (!each.join(Duration.ofMinutes(2))) {
                    var hung = new AssertionError(each + " hangs");
                    hung.setStackTrace(each.getStackTrace());
                    throw hung;
                }
            }
            Throwable found = failure.get();
            if (found != null) {
                throw new AssertionError(found);
            }
            recording.stop();
            Path file = folder.resolve("recording.jfr");
            recording.dump(file);
            return steps + " steps, " + dumps + " dumps, " + Files.size(file) + " bytes of recording";
        }
    }

    private int guarded(Callable<Integer> work) {
        try {
            return work.call();
        } catch (Throwable t) {
            failure.compareAndSet(null, t);
            over = true;
            while (ready.getCount() > 0) {
                ready.countDown();
            }
            return 0;
        }
    }

    /** Steps bodies that are suspended at all depths, until it is over; returns how many steps that took. */
    private int work(int deep) {
        Coroutine<Object> me = Coroutine.current();
        List<Generator<Integer>> generators = new ArrayList<>();
        List<Coroutine<Object>> coroutines = new ArrayList<>();
        for (int depth : new int[] {0, 1, 20, 500, deep}) {
            generators.add(Generator.of(out -> below(depth, () -> {
                for (int n = 0;; n++) {
                    int kept = n ^ depth;
                    out.yield(n);
                    check(kept == (n ^ depth), "locals of a generator");
                }
            })));
            coroutines.add(Coroutine.of((Object first) -> {
                int returned = below(depth, () -> {
                    Object got = first;
                    for (int n = 0;; n++) {
                        check(got.equals(n), "a coroutine gets what it is sent");
                        got = me.switchTo(-n);
                        if ("end".equals(got)) {
                            return;
                        }
                    }
                });
                check(returned == depth, "a deep stack is returned through to its base");
                me.switchTo("ended");
            }));
        }
        int n = 0;
        for (; !over; n++) {
            for (Generator<Integer> each : generators) {
                int got = each.next();
                check(got == n, "a generator yields " + n + " and not " + got);
            }
            for (Coroutine<Object> each : coroutines) {
                int got = each.<Integer>switchTo(n);
                check(got == -n, "a coroutine answers");
            }
            if (n == 20) {
                ready.countDown();
            }
            if (n % 256 == 0) {
                Loomlet.sleep(Duration.ofNanos(1000)); // in a greenlet: the others' turn
            }
        }
        for (Coroutine<Object> each : coroutines) {
            check(!each.started() || "ended".equals(each.switchTo("end")), "a coroutine ends");
        }
        return n * (generators.size() + coroutines.size());
    }

    private static int below(int frames, Runnable work) {
        if (frames == 0) {
            work.run();
            return 0;
        }
        return 1 + below(frames - 1, work);
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not so: " + what);
        }
    }

    /** Takes dumps of every kind, all at least once, until {@code end}. */
    private void dump(List<Thread> looked, long end) throws Exception {
        var threads = ManagementFactory.getThreadMXBean();
        var diagnostic = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        Path file = folder.resolve("dump");
        for (int round = 0; round == 0 || System.nanoTime() < end; round++) {
            check(threads.dumpAllThreads(true, true).length > 1, "threads");
            for (ThreadDumpFormat format : ThreadDumpFormat.values()) {
                diagnostic.dumpThreads(file.toAbsolutePath().toString(), format);
                check(Files.readString(file).contains("endures"), "a dump of threads names them");
                Files.delete(file);
            }
            check(command("threadPrint", "-l", "-e").contains("\"endures\""), "Thread.print");
            command("gcClassHistogram");
            for (Thread each : looked) {
                check(each.getStackTrace().length > 0, each + " has a stack");
            }
            check(!Thread.getAllStackTraces().isEmpty(), "stack traces");
            System.gc();
            dumps.addAndGet(7);
            if (round == 0) {
                check(jcmd("Thread.print").contains("\"endures\""), "jcmd Thread.print");
                Path heap = folder.resolve("heap.hprof");
                diagnostic.dumpHeap(heap.toAbsolutePath().toString(), true);
                Files.delete(heap);
                dumps.addAndGet(2);
            }
        }
    }

    private static String command(String name, String... arguments) throws Exception {
        return (String) ManagementFactory.getPlatformMBeanServer().invoke(
                new ObjectName("com.sun.management:type=DiagnosticCommand"), name, new Object[] {arguments},
                new String[] {String[].class.getName()});
    }

    private String jcmd(String command) throws IOException, InterruptedException {
        Path output = folder.resolve("jcmd");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(ProcessHandle.current().pid()), command).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
        try {
            check(process.waitFor(60, TimeUnit.SECONDS), "jcmd ends");
            return Files.readString(output);
        } finally {
            process.destroyForcibly();
            Files.delete(output);
        }
    }
}
