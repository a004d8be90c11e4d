package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Loomlet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Endurance} under each collector in a VM of its own, and what dumps show of bodies. */
@ExtendWith(EndLeftovers.class)
class EnduranceTest {
    /** {@code -Psoak} makes it longer. */
    private static final Duration LENGTH = Duration.ofMillis(1000 * Long.getLong("soak.seconds", 0) + 500);

    @ParameterizedTest
    @Timeout(value = 10, unit = TimeUnit.HOURS)
    @ValueSource(strings = {"Serial", "Parallel", "G1", "Z", "Shenandoah"})
    void everyCollectorDumpAndSampleFindsTheStacksInOrder(String collector) throws Exception {
        assumeTrue(Suspendable.NATIVE, "the portable bodies are threads like any others");
        Path output = Files.createTempFile("endurance", ".txt");
        try {
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                    "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"), "-Xmx512m",
                    "-XX:-CreateCoredumpOnCrash", "-XX:+ErrorFileToStdout", "-XX:+Use" + collector + "GC",
                    // With G1 a suspended stack must be less than half a region.
                    "-XX:G1HeapRegionSize=8m", "-cp",
                    System.getProperty("java.class.path"), Endurance.class.getName(),
                    Long.toString(LENGTH.toMillis())).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).start();
            try {
                assertThat(process.waitFor(LENGTH.plusSeconds(110))).as("ends").isTrue();
            } finally {
                process.destroyForcibly();
            }
            String text = Files.readString(output);
            assumeTrue(!text.contains("Error occurred during initialization of VM")
                    && !text.contains("Unrecognized VM option"), "this JDK has no such collector");
            assertThat(process.exitValue()).as(text).isZero();
            assertThat(text).containsPattern("[1-9]\\d* steps, [1-9]\\d* dumps");
        } finally {
            Files.delete(output);
        }
    }

    @Test
    void aDumpOfAThreadThatWaitsInABodyShowsTheBodyAboveItsConsumer() throws Exception {
        assumeTrue(Suspendable.NATIVE, "a portable body is a thread of its own in a dump");
        for (boolean virtual : new boolean[] {false, true}) {
            var inside = new CountDownLatch(1);
            Generator<Integer> generator = Generator.of(out -> theBodyWaits(inside));
            Runnable consumer = () -> theConsumerAsks(generator);
            Thread thread = virtual ? Thread.ofVirtual().start(consumer) : Thread.ofPlatform().start(consumer);
            inside.await();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            List<String> methods = new ArrayList<>();
            Arrays.stream(thread.getStackTrace()).forEach(frame -> methods.add(frame.getMethodName()));
            assertThat(methods).containsSubsequence("theBodyWaits", "theConsumerAsks");
            thread.interrupt();
            thread.join();
        }
    }

    @Test
    void aDumpOfAParkedGreenletShowsTheBodyAboveItsConsumer() {
        assumeTrue(Suspendable.NATIVE, "a portable body is a thread of its own in a dump");
        Generator<Integer> generator = Generator.of(out -> theBodyWaits(new CountDownLatch(1)));
        var greenlet = Loomlet.spawn(() -> theConsumerAsks(generator));
        Loomlet.sleep(Duration.ZERO);
        assertThat(greenlet.stackTrace()).extracting(StackTraceElement::getMethodName)
                .containsSubsequence("theBodyWaits", "theConsumerAsks");
        greenlet.kill();
    }

    @Test
    void theStackTraceOfAnExceptionReachesFromTheBodyThroughItsConsumer() {
        Generator<Integer> generator = Generator.of(out -> {
            throw new IllegalStateException("of the body");
        });
        assertThatThrownBy(() -> theConsumerAsks(generator)).hasMessage("of the body")
                .satisfies(
                        e -> assertThat(e.getStackTrace()[0].getClassName()).isEqualTo(EnduranceTest.class.getName()));
    }

    /**
     * With two frames more: where those of the innermost continuation end with one of the JDK's batches, which is so
     * without them, the JDK forgets those around it.
     */
    private static void theBodyWaits(CountDownLatch inside) {
        theBodyReallyWaits(inside);
    }

    private static void theBodyReallyWaits(CountDownLatch inside) {
        inside.countDown();
        while (!Thread.currentThread().isInterrupted()) {
            LockSupport.park();
        }
    }

    private static void theConsumerAsks(Generator<Integer> generator) {
        assertThat(generator.hasNext()).isFalse();
    }
}
