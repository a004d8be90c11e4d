package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What blocks in native code on threads does not hold the hub up under the agent. The programs end only if other greenlets
 * run while one is in such a call.
 */
@Timeout(150)
class BlockingCallsTest {

    @TempDir static Path folder;

    private static Programs programs;

    @BeforeAll
    static void compile() throws IOException {
        programs = new Programs(folder);
    }

    private static void behavesTheSame(String... program) throws Exception {
        assertThat(programs.onGreenlets(program)).isEqualTo(programs.onThreads(program));
    }

    // --- processes, standard input, FIFOs, files

    @Test
    void streamsOfProcessesGiveWay() throws Exception {
        behavesTheSame("Pipes");
    }

    @Test
    void bothEndsOfAFifoAreGreenlets() throws Exception {
        behavesTheSame("Fifos", folder.resolve("fifo").toString());
    }

    @Test
    void standardInputGivesWay() throws Exception {
        Process process = programs.command(List.of("-jar", programs.jar().toString(), "run", "-cp",
                programs.classes().toString(), "Input")).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var in = process.outputWriter();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("your name?");
            in.write("Egon\n");
            in.flush();
            assertThat(out.readLine()).isEqualTo("hello Egon");
            in.close();
            assertThat(out.readLine()).isEqualTo("then null");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** {@code script} runs the program at a terminal of its own and passes on what is typed. */
    @ParameterizedTest
    @ValueSource(strings = {"", "console"})
    void aTerminalGivesWay(String console) throws Exception {
        Path script = Path.of("/usr/bin/script");
        Assumptions.assumeTrue(Files.isExecutable(script), "there is no script command here");
        List<String> command = programs.command(List.of("-jar", programs.jar().toString(), "run", "-cp",
                programs.classes().toString(), "Input")).command();
        Process process = new ProcessBuilder(script.toString(), "-qfec",
                String.join(" ", command) + " " + console, "/dev/null")
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var in = process.outputWriter();
        try (BufferedReader out = process.inputReader()) {
            assertThat(lineWith("your name?", out)).isEqualTo("your name?");
            in.write("Egon\n");
            in.flush();
            assertThat(lineWith("hello", out)).isEqualTo("hello Egon");
            in.write(4); // Ctrl-D
            in.flush();
            assertThat(lineWith("then", out)).endsWith("then null");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            in.close();
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
    }

    /** The next line that has these words in it; in between a terminal shows what is typed. */
    private static String lineWith(String words, BufferedReader out) throws IOException {
        String line = out.readLine();
        while (line != null && !line.contains(words)) {
            line = out.readLine();
        }
        return line == null ? "the end" : line;
    }

    @ParameterizedTest
    @ValueSource(strings = {"inline", "pool"})
    void regularFilesReadAndWriteTheSame(String files) throws Exception {
        Path data = Files.createDirectory(folder.resolve("data-" + files));
        String out = programs.onThreads("Regular", data.toString()).out();
        assertThat(programs.loomlet("run", "--files", files, "-cp", programs.classes().toString(), "Regular",
                data.toString())).isEqualTo(new Programs.Ended(0, out, "pool: " + files.equals("pool") + '\n'));
    }

    // --- offloading rules

    @Test
    void methodsThatARuleSelectsRunBesideTheOthers() throws Exception {
        var onThreads = programs.onThreads("Offloads");
        assertThat(programs.loomlet("run", "--offload", "Offloads$Driver#*", "-cp", programs.classes().toString(),
                "Offloads")).isEqualTo(onThreads);
        assertThat(programs.withAgent("=offload=Offloads$Driver#*", "Offloads")).isEqualTo(onThreads);
    }

    @Test
    void rulesComeFromAPropertyAndFromAFile() throws Exception {
        var onThreads = programs.onThreads("Offloads");
        Path rules = Files.writeString(folder.resolve("rules"), """
                // what spins
                Offloads$Driver#until
                Offloads$Driver#l*ed
                """);
        for (String property : List.of("-Dloomlet.offload=Offloads$Driver#until,Offloads$Driver#locked",
                "-Dloomlet.offload.file=" + rules)) {
            assertThat(programs.java(List.of(property, "-jar", programs.jar().toString(), "run", "-cp",
                    programs.classes().toString(), "Offloads"))).isEqualTo(onThreads);
        }
    }

    @Test
    void aRuleThatIsNoneIsExplained() throws Exception {
        var ended =
                programs.loomlet("run", "--offload", "org.sqlite", "-cp", programs.classes().toString(), "Offloads");
        assertThat(ended.exitCode()).isEqualTo(2);
        assertThat(ended.err()).contains("\"org.sqlite\" is no offloading rule").contains("CLASS#METHOD");
    }

    @Test
    void theReportSaysWhatCameOfEachRule() throws Exception {
        var ended = programs.loomlet("run", "--report", "--offload", "Offloads$Driver#*,org.none.Such#*", "-cp",
                programs.classes().toString(), "Offloads");
        assertThat(ended.err()).contains("Offloads$Driver#*: 5 methods")
                .contains("org.none.Such#*: no such class was loaded");
    }

    @Test
    void queriesOfSqliteRunBesideTheOthers() throws Exception {
        String path = programs.classes() + File.pathSeparator + jar("sqlite-jdbc") + File.pathSeparator
                + jar("slf4j-api");
        List<String> program = List.of("--enable-native-access=ALL-UNNAMED", "-cp", path, "Sqlite");
        var onThreads = programs.java(program);
        assertThat(onThreads.out()).startsWith("sum 1275\n[SQLITE_ERROR]");
        var ended = programs.loomlet("run", "--offload", "org.sqlite.core.NativeDB#*", "-cp", path, "Sqlite");
        assertThat(ended.out()).isEqualTo(onThreads.out());
        assertThat(ended.exitCode()).isZero();
    }

    private static String jar(String name) {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(each -> Path.of(each).getFileName().toString().startsWith(name + "-"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    // --- what spins or blocks is named

    @Test
    void aPoolWithoutAMaximumWaitIsCured() throws Exception {
        String path = programs.classes() + File.pathSeparator + jar("commons-pool2");
        var ended = programs.loomlet("run", "-cp", path, "SpinningPool");
        assertThat(ended).isEqualTo(new Programs.Ended(0, "2 made, used 10 times\n", ""));
    }

    @Test
    void aPoolThatSpinsIsNamedWithItsRemedy() throws Exception {
        String path = programs.classes() + File.pathSeparator + jar("commons-pool2");
        assertThat(untilSaid("known: ",
                List.of("-Dloomlet.stall=100", "-Dloomlet.cures=false", "-jar", programs.jar().toString(), "run", "-cp",
                        path, "SpinningPool")))
                .anyMatch(each -> each.contains("GenericObjectPool.create"))
                .last().asString().contains("commons-pool2").contains("setMaxWait");
    }

    @Test
    void aLoopThatWaitsForAThreadThatCannotRunIsNamed() throws Exception {
        assertThat(untilSaid("Offenders.main",
                List.of("-Dloomlet.stall=100", "-jar", programs.jar().toString(), "run", "-cp",
                        programs.classes().toString(), "Offenders", "spins")))
                .anyMatch(each -> each.startsWith("loomlet: ") && each.contains("going round in one place")
                        && each.contains("main") && each.contains("--threads none"));
    }

    @Test
    void aLibraryThatKeepsSomethingForEachOsThreadIsNamedWhenItIsLoaded() throws Exception {
        var ended = programs.onGreenlets("Bound");
        assertThat(ended.out()).isEqualTo("true\n");
        assertThat(ended.err()).containsOnlyOnce("loomlet: lmdbjava").contains("MDB_NOTLS");
    }

    /** What a program says on its standard error, until a line contains that; then the program is ended. */
    private static List<String> untilSaid(String text, List<String> args) throws Exception {
        Process process = programs.command(args).start();
        List<String> said = new ArrayList<>();
        try (BufferedReader err = process.errorReader()) {
            for (String line = err.readLine(); line != null; line = err.readLine()) {
                said.add(line);
                if (line.contains(text)) {
                    return said;
                }
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(said).as("said until the end").contains(text);
        return said;
    }

    @Test
    void aNativeCallThatTheJdkMarksIsReportedWithItsStack() throws Exception {
        // The threshold is 1 ms, and 64 MB are written at once.
        assertThat(untilSaid("known: ", List.of("-Dloomlet.stall=100", "-Dloomlet.stall.native=1", "-jar",
                programs.jar().toString(), "run", "-cp", programs.classes().toString(), "Offenders", "writes",
                folder.resolve("big").toString()))).anyMatch(each -> each.contains("in a native call"))
                .anyMatch(each -> each.contains("java.io.RandomAccessFile.write"))
                .anyMatch(each -> each.contains("Offenders.main"))
                .last().asString().contains("--files pool");
    }
}
