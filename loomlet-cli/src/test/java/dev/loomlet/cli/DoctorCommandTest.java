package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(100)
class DoctorCommandTest {

    @TempDir static Path folder;

    private static String doctor(int exitCode, String... options) throws Exception {
        Programs programs = new Programs(java.nio.file.Files.createTempDirectory(folder, "doctor"));
        List<String> command = new java.util.ArrayList<>(List.of(options));
        command.addAll(List.of("-jar", programs.jar().toString(), "doctor"));
        Process process = programs.command(command).redirectErrorStream(true).start();
        try (var out = process.inputReader()) {
            String said = out.readAllAsString();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(said).isEqualTo(exitCode);
            return said;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void triesEverythingAndFindsItGood() throws Exception {
        assertThat(doctor(0)).containsPattern("JDK +" + Runtime.version().feature())
                .containsPattern("level +pollers").containsPattern("backend +epoll")
                .containsPattern("agent +there").doesNotContain("FAILED").doesNotContain("advice")
                .containsPattern("trying: spawn +good, \\d+").containsPattern("trying: yield +good, \\d+")
                .containsPattern("trying: sleep +good, \\d+").containsPattern("trying: loopback echo +good, \\d+")
                .containsPattern("trying: contended monitor +good, \\d+");
    }

    @Test
    void triesThePortableBackendAsWell() throws Exception {
        assertThat(doctor(0, "-Dloomlet.backend=selector")).containsPattern("level +timers")
                .containsPattern("backend +selector").doesNotContain("FAILED");
    }

    @Test
    void saysWhichFlagIsMissing() throws Exception {
        assertThat(doctor(1, "-Dloomlet.noAccess=true")).containsPattern("level +none")
                .contains("--add-opens java.base/java.lang=ALL-UNNAMED").doesNotContain("trying");
    }
}
