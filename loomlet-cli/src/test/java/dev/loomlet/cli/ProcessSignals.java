package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Signals for processes that a test has started. */
final class ProcessSignals {
    private static final Map<String, Integer> MAYBE_IGNORED = Map.of("HUP", 1, "INT", 2);

    private ProcessSignals() {}

    /** Sends {@code INT}, {@code TERM}, {@code HUP}...; where it cannot arrive there is nothing to be tested. */
    static void send(Process process, String name) throws Exception {
        // A shell without job control has what it puts in the background ignore SIGINT, nohup has it ignore SIGHUP, and a JVM
        // leaves it at that.
        Integer number = MAYBE_IGNORED.get(name);
        assumeFalse(number != null && ignored(number), "this process and its children ignore SIG" + name);
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).inheritIO().start();
        assertThat(kill.waitFor()).isZero();
    }

    private static boolean ignored(int signal) throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status) && Files.readAllLines(status).stream().filter(line -> line.startsWith("SigIgn:"))
                .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).trim(), 16) >> (signal - 1) & 1) != 0);
    }
}
