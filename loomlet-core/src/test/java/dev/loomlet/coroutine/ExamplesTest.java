package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Runs the examples of coroutines as a user does, each from its source in a VM of its own. */
class ExamplesTest {
    @Test
    void twoFunctionsSwitchByHandInTheTutorialsOrder() throws Exception {
        assertThat(run("EatPlayByHand")).containsExactly("egon eat 1", "egon play 1", "egon eat 2", "egon play 2");
    }

    @Test
    void theYieldingLoopCountsTheSame() throws Exception {
        List<String> lines = run("YieldLoops", "1000");
        assertThat(lines.get(0)).matches("serial: +[\\d.]+ s");
        assertThat(lines.get(1)).matches("switched: +[\\d.]+ s");
        assertThat(lines).endsWith("sum 1498500");
    }

    @Test
    void theSwitchingLoopAddsUpTheSame() throws Exception {
        List<String> lines = run("SwitchCost", "1000");
        assertThat(lines.get(1)).matches("switched: +[\\d.]+ s, \\d+ ns a switch");
        assertThat(lines).hasSize(3).endsWith("same sum");
    }

    @Test
    void theParserEvaluatesAndComplains() throws Exception {
        assertThat(run("PipelineParser")).containsExactly("1 + 2 * 3 = 7", "(1 + 2) * (10 - 4) / 2 = 9",
                "7 * (2: ) was expected, not end");
    }

    @Test
    void theFringesAreCompared() throws Exception {
        assertThat(run("SameFringe")).containsExactly("((a b) c) and (a (b c)): same",
                "((a b) c) and (a (x c)): different");
    }

    @Test
    void theConsumerEatsWhatIsProduced() throws Exception {
        assertThat(run("ProducerConsumer")).containsExactly("made bread", "ate bread", "was told: bread was good",
                "made butter", "ate butter", "was told: butter was good", "made jam", "ate jam",
                "was told: jam was good",
                "consumer ended");
    }

    private static List<String> run(String example, String... arguments) throws IOException, InterruptedException {
        Path source = Path.of("..", "examples", example + ".java");
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-cp",
                Path.of("target", "classes").toString()));
        if (!Suspendable.NATIVE) {
            command.add("-Dloomlet.coroutines=portable");
        }
        command.add(source.toString());
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("example", ".txt");
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
            try {
                assertThat(process.waitFor(90, TimeUnit.SECONDS)).as(example + " ends").isTrue();
            } finally {
                process.destroyForcibly();
            }
            String text = Files.readString(output, StandardCharsets.UTF_8);
            assertThat(process.exitValue()).as(text).isZero();
            return text.lines().toList();
        } finally {
            Files.delete(output);
        }
    }
}
