package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;
import org.junit.jupiter.api.Test;

/** The report is chosen when the VM starts, therefore in one of its own. */
class LeaksTest {
    /** Drops one generator while suspended, and one that has ended; exits when both are collected. */
    public static final class Dropping {
        private static final Logger LOGGER = Logger.getLogger("dev.loomlet.coroutine");

        private Dropping() {}

        /** Runs for at most a minute. */
        public static void main(String[] arguments) throws InterruptedException {
            var reported = new CountDownLatch(1);
            LOGGER.setUseParentHandlers(false);
            LOGGER.addHandler(new StreamHandler() {
                @Override
                public void publish(LogRecord report) {
                    System.out.println(report.getMessage());
                    report.getThrown().printStackTrace(System.out);
                    reported.countDown();
                }
            });
            List<WeakReference<?>> dropped = List.of(dropSuspended(), dropEnded());
            long end = System.nanoTime() + 60_000_000_000L;
            while (dropped.stream().anyMatch(each -> each.get() != null) && System.nanoTime() - end < 0) {
                System.gc();
            }
            if (!reported.await(60, TimeUnit.SECONDS)) {
                throw new AssertionError("nothing was reported");
            }
        }

        private static WeakReference<?> dropSuspended() {
            Generator<Integer> generator = Generator.of(out -> out.yield(1));
            assertThat(generator.next()).isEqualTo(1);
            return new WeakReference<>(generator);
        }

        private static WeakReference<?> dropEnded() {
            Generator<Integer> generator = Generator.of(out -> out.yield(1));
            generator.forEachRemaining(_ -> {});
            return new WeakReference<>(generator);
        }
    }

    @Test
    void oneDroppedWhileSuspendedIsReportedWithThePlaceThatCreatedIt() throws Exception {
        assumeTrue(Suspendable.NATIVE);
        Path output = Files.createTempFile("leaks", ".txt");
        try {
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Dloomlet.coroutines.leaks=true", "-cp",
                    System.getProperty("java.class.path"), Dropping.class.getName()).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).start();
            try {
                assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
            } finally {
                process.destroyForcibly();
            }
            String text = Files.readString(output);
            assertThat(text).containsOnlyOnce("was dropped while suspended")
                    .containsPattern("this generator was created here(\\s+at .*)+LeaksTest\\$Dropping\\.dropSuspended")
                    .doesNotContain("dropEnded");
        } finally {
            Files.delete(output);
        }
    }
}
