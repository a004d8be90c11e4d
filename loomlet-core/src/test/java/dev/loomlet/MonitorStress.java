package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/**
 * A main thread that waits on its hub while it holds monitors in every way there is, and greenlets that use monitors
 * themselves. A JVM that lets a continuation move somebody else's lock dies in this within seconds.
 */
final class MonitorStress {
    /** Runs {@link #initialise} when it is initialised; each round may make a class of its own of it. */
    static final class Initialised {
        static {
            initialise();
        }

        private Initialised() {}
    }

    private static final byte[] INITIALISED = bytes();

    private final Random random;
    private final Object[] monitors = {new Object(), new Object(), new Object()};
    private long turns;

    private MonitorStress(long seed) {
        random = new Random(seed);
    }

    private static byte[] bytes() {
        try (var in = Objects.requireNonNull(
                MonitorStress.class.getResourceAsStream("MonitorStress$Initialised.class"))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A class initialiser that waits: its thread cannot be unmounted, and blocks together with its carrier. It enters only
     * monitors that are free: for one that another greenlet holds it would wait for ever, see the list of differences.
     */
    static void initialise() {
        yieldNow();
        synchronized (new Object()) {
            sleep(Duration.ofNanos(1_000));
        }
    }

    /** For a JVM of its own: the seconds to run. */
    public static void main(String... args) throws Exception {
        System.out.println("turns " + run(Long.parseLong(args[0])));
    }

    /** As many turns as fit. */
    static long run(long seconds) throws Exception {
        long seed = System.nanoTime();
        MonitorStress stress = new MonitorStress(seed);
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        try {
            while (System.nanoTime() - end < 0) {
                stress.round();
            }
        } catch (Throwable t) {
            throw new AssertionError("seed " + seed, t);
        }
        return stress.turns;
    }

    @SuppressWarnings("WaitNotInLoop") // it waits to inflate the monitor, not for anything
    private void round() throws Exception {
        List<Greenlet<?>> all = new ArrayList<>();
        int n = 1 + random.nextInt(10);
        for (int i = 0; i < n; i++) {
            Object monitor = monitors[random.nextInt(monitors.length)];
            int kind = random.nextInt(60) == 0 ? 6 : random.nextInt(6);
            all.add(spawn(() -> work(kind, monitor)));
        }
        switch (random.nextInt(6)) {
            case 0 -> joinAll(all);
            case 1 -> {
                synchronized (new Object()) { // fast-locked, given up right after
                    joinAll(all);
                }
            }
            case 2 -> nested(random.nextInt(6), all);
            case 3 -> method(all);
            case 4 -> {
                synchronized (monitors[0]) { // the greenlets want it too
                    for (int i = 0; i < 20; i++) {
                        yieldNow();
                    }
                }
                joinAll(all);
            }
            default -> {
                synchronized (monitors[1]) {
                    monitors[1].wait(0, 1); // inflates it
                    monitors[1].notifyAll();
                    synchronized (this) {
                        sleep(Duration.ofNanos(100_000));
                    }
                }
                joinAll(all);
            }
        }
        for (Greenlet<?> each : all) {
            each.value();
        }
    }

    private void nested(int depth, List<Greenlet<?>> all) {
        synchronized (new Object()) {
            yieldNow();
            if (depth > 0) {
                nested(depth - 1, all);
            } else {
                joinAll(all);
            }
        }
    }

    private synchronized void method(List<Greenlet<?>> all) {
        joinAll(all);
    }

    @SuppressWarnings("WaitNotInLoop")
    private void work(int kind, Object monitor) throws Exception {
        for (int i = 0; i < 30; i++) {
            turns++;
            switch (kind) {
                case 0 -> {
                    synchronized (monitor) {
                        yieldNow();
                    }
                }
                case 1 -> {
                    synchronized (monitor) {
                        monitor.notifyAll();
                    }
                    yieldNow();
                }
                case 2 -> {
                    synchronized (new Object()) {
                        byte[] garbage = new byte[random.nextInt(5000)];
                        yieldNow();
                        turns += garbage.length & 0;
                    }
                }
                case 3 -> {
                    synchronized (monitor) {
                        monitor.wait(1);
                    }
                    i += 14;
                }
                case 6 -> {
                    MethodHandles.lookup().defineHiddenClass(INITIALISED, true);
                    i += 29;
                }
                default -> yieldNow();
            }
        }
    }
}
