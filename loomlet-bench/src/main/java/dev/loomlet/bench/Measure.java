package dev.loomlet.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How the peers' programs measure, so that ours measures the same. */
final class Measure {
    private Measure() {}

    /** Does so many rounds and returns the operations made. */
    interface Pass {
        long run(long rounds) throws Exception;
    }

    /** At least 1.5 s of warm-up, then about one second timed. */
    static void pass(Pass pass) throws Exception {
        long rounds = 1000;
        long warm = System.nanoTime() + 1_500_000_000L;
        double seconds;
        for (;;) {
            long start = System.nanoTime();
            pass.run(rounds);
            seconds = (System.nanoTime() - start) / 1e9;
            if (seconds > .25 && System.nanoTime() > warm) {
                break;
            }
            if (seconds <= .25) {
                rounds *= 2;
            }
        }
        rounds = (long) (rounds / seconds) + 1;
        long start = System.nanoTime();
        long operations = pass.run(rounds);
        long time = System.nanoTime() - start;
        System.out.printf("RESULT ns=%.3f switches=%d%n", (double) time / operations, operations);
    }

    /** A line of the process's status, such as {@code VmHWM:}. */
    static long kilobytes(String key) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(key)) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return 0;
    }
}
