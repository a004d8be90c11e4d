package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What only the portable implementation has to care for: bodies are threads, and a hub that is gone gives them no turn. */
@ExtendWith(EndLeftovers.class)
class HandOffTest {
    private final List<Object> seen = new ArrayList<>();

    /** In a VM of its own, for what is stranded stays in it. */
    public static final class Stranding {
        private Stranding() {}

        /** Says what becomes of bodies whose hub has ended. */
        public static void main(String[] arguments) throws Exception {
            Generator<Integer> numbers = CoroutineTest.onAnotherThread(() -> {
                Generator<Integer> counting = Generator.of(out -> {
                    for (int n = 0;; n++) {
                        out.yield(n);
                    }
                });
                Loomlet.spawn(counting::next).join();
                Hub.current().close();
                return counting;
            });
            System.out.println("next " + catchThrowable(numbers::next));
            System.out.println("once more " + catchThrowable(numbers::next));
            System.out.println("close " + catchThrowable(numbers::close));

            var inside = new CountDownLatch(1);
            var begun = new CountDownLatch(1);
            Generator<Integer> waiting = Generator.of(out -> {
                out.yield(0);
                inside.countDown();
                new CountDownLatch(1).await();
            });
            Thread home = Thread.ofPlatform().start(() -> {
                Loomlet.spawn(waiting::next).join();
                begun.countDown();
                Loomlet.spawn(() -> {
                    inside.await();
                    return "";
                }).join();
                Hub.current().close();
            });
            begun.await();
            System.out.println("asked before " + catchThrowable(waiting::next));
            home.join();
            HandOff.abandonAll();
            System.out.println("abandoned");
        }
    }

    @Test
    void askingABodyWhoseHubHasEndedIsAnErrorAndNotAWaitForEver() throws Exception {
        assumeTrue(Suspendable.NATIVE, "once is enough");
        Path output = Files.createTempFile("stranding", ".txt");
        try {
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Dloomlet.coroutines=portable",
                    "-Dloomlet.coroutines.portable.track=true", "-cp", System.getProperty("java.class.path"),
                    Stranding.class.getName()).redirectErrorStream(true).redirectOutput(output.toFile()).start();
            try {
                assertThat(process.waitFor(90, TimeUnit.SECONDS)).as(Files.readString(output)).isTrue();
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertThat(Files.readString(output)).containsSubsequence("next java.lang.IllegalStateException",
                    "began on a hub that is closed", "once more java.lang.IllegalStateException",
                    "close java.lang.IllegalStateException", "asked before java.lang.IllegalStateException",
                    "began on a hub that is closed", "abandoned");
        } finally {
            Files.delete(output);
        }
    }

    @Test
    void endingWhatIsLeftGetsThroughABodyThatYieldsOnceMore() {
        assumeFalse(Suspendable.NATIVE, "what is left is garbage");
        Generator<Integer> stubborn = Generator.of(out -> {
            try {
                out.yield(1);
            } finally {
                seen.add("finally");
                out.yield(2);
            }
        });
        stubborn.next();
        HandOff.abandonAll();
        assertThat(seen).containsExactly("finally");
    }
}
