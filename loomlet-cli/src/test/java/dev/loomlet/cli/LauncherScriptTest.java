package dev.loomlet.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the {@code loomlet} script in a project of its own, with JDKs and a Maven that are scripts themselves: they
 * write down what they were called with.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherScriptTest {

    /** All the script may need besides a JDK and Maven. */
    private static final List<String> TOOLS =
            List.of("cat", "find", "mkdir", "mv", "readlink", "rm", "rmdir", "sh", "sleep", "tail");

    @TempDir Path temp;

    private Path project;
    private Path bin;
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void layOutProject() throws IOException {
        project = Files.createDirectories(temp.resolve("a project"));
        Files.copy(Path.of("../loomlet"), project.resolve("loomlet"));
        Files.setPosixFilePermissions(project.resolve("loomlet"), PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String module : List.of("loomlet-core", "loomlet-agent", "loomlet-cli")) {
            Files.createDirectories(project.resolve(module).resolve("src/main/java"));
            Files.writeString(project.resolve(module).resolve("pom.xml"), "<project/>");
            Files.writeString(project.resolve(module).resolve("src/main/java/A.java"), "class A {}");
        }
        Files.writeString(project.resolve("pom.xml"), "<project/>");

        bin = Files.createDirectories(temp.resolve("bin"));
        for (String tool : TOOLS) {
            script(bin.resolve(tool), "exec " + find(tool) + " \"$@\"");
        }
        maven("""
                mkdir -p loomlet-cli/target
                echo jar > loomlet-cli/target/loomlet.jar
                """);
        environment.put("PATH", bin.toString());
        environment.put("LOOMLET_JDK_FOLDERS", "");
    }

    // --- which JDK ---

    @Test
    void takesLoomletJavaHomeFirst() throws Exception {
        environment.put("LOOMLET_JAVA_HOME", jdk("chosen", "26.0.1").toString());
        environment.put("JAVA_HOME", jdk("other", "25.0.3").toString());
        assertThat(run().java).isEqualTo("chosen");
    }

    @Test
    void refusesALoomletJavaHomeThatDoesNotFit() throws Exception {
        environment.put("LOOMLET_JAVA_HOME", jdk("old", "21.0.4").toString());
        environment.put("JAVA_HOME", jdk("good", "25.0.3").toString());
        Result result = run();
        assertThat(result.exitCode).isEqualTo(2);
        assertThat(result.err).contains("LOOMLET_JAVA_HOME", temp.resolve("jdks/old").toString(), "21.0.4", "JDK 25");
    }

    @Test
    void takesJavaHomeBeforeThePath() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "25.0.3").toString());
        putOnPath(jdk("path", "25.0.3"));
        assertThat(run().java).isEqualTo("home");
    }

    @Test
    void takesJavaFromThePathThroughLinksWhenJavaHomeIsOld() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "17.0.15").toString());
        putOnPath(jdk("path", "25.0.3"));
        assertThat(run().java).isEqualTo("path");
    }

    @Test
    void prefersTheExactReleaseAmongInstalledJdks() throws Exception {
        jdk("a-24", "24.0.2");
        jdk("b-27", "27");
        jdk("c-25", "25.0.3");
        environment.put("LOOMLET_JDK_FOLDERS", temp.resolve("nowhere") + ":" + temp.resolve("jdks"));
        assertThat(run().java).isEqualTo("c-25");
    }

    @Test
    void takesANewerInstalledJdkWhenThereIsNoExactOne() throws Exception {
        jdk("a-24", "24.0.2");
        jdk("b-27", "27-ea");
        environment.put("LOOMLET_JDK_FOLDERS", temp.resolve("jdks").toString());
        assertThat(run().java).isEqualTo("b-27");
    }

    @Test
    void passesOverARuntimeWithoutCompiler() throws Exception {
        Files.delete(jdk("a-runtime", "25.0.3").resolve("bin/javac"));
        jdk("b-kit", "25.0.3");
        environment.put("LOOMLET_JDK_FOLDERS", temp.resolve("jdks").toString());
        assertThat(run().java).isEqualTo("b-kit");
    }

    @Test
    void saysWhatItFoundAndHowToGetAJdkWhenNoneFits() throws Exception {
        environment.put("JAVA_HOME", jdk("home", "17.0.15").toString());
        putOnPath(jdk("path", "21.0.4"));
        Files.delete(jdk("runtime", "25.0.3").resolve("bin/javac"));
        Files.delete(jdk("nameless", "25.0.3").resolve("release"));
        environment.put("LOOMLET_JDK_FOLDERS", temp.resolve("jdks").toString());
        Result result = run();
        assertThat(result.exitCode).isEqualTo(2);
        assertThat(result.out).isEmpty();
        assertThat(result.err).contains(
                "needs a JDK 25 or newer",
                temp.resolve("jdks/home") + " (JAVA_HOME): Java 17.0.15",
                temp.resolve("jdks/path") + " (java on the PATH): Java 21.0.4",
                temp.resolve("jdks/runtime") + " (installed): Java 25.0.3, but without a compiler",
                temp.resolve("jdks/nameless") + " (installed): does not tell its version",
                "Install one", "LOOMLET_JAVA_HOME");
        assertThat(calls()).isEmpty();
    }

    // --- the build ---

    @Test
    void buildsOnFirstUseAndSaysSo() throws Exception {
        useJdk();
        Result result = run("--version");
        assertThat(result.exitCode).isZero();
        assertThat(result.err.lines()).singleElement().asString()
                .startsWith("loomlet: building").contains(project.resolve("target/launcher/build.log").toString());
        assertThat(calls()).singleElement().asString().contains("-Dfast", "package");
    }

    @Test
    void doesNotBuildWhatIsUpToDate() throws Exception {
        useJdk();
        run();
        Result second = run();
        assertThat(second.err).isEmpty();
        assertThat(calls()).hasSize(1);
    }

    @Test
    void buildsAgainWhenASourceHasChanged() throws Exception {
        useJdk();
        run();
        touch(project.resolve("loomlet-core/src/main/java/A.java"));
        assertThat(run().err).contains("sources have changed");
        assertThat(calls()).hasSize(2);
    }

    @Test
    void buildsAgainWhenASourceIsGone() throws Exception {
        useJdk();
        run();
        Files.delete(project.resolve("loomlet-core/src/main/java/A.java"));
        touch(project.resolve("loomlet-core/src/main/java"));
        run();
        assertThat(calls()).hasSize(2);
    }

    @Test
    void watchesTheSourcesOfAllModulesThatAreInTheJar() throws Exception {
        String script = Files.readString(Path.of("../loomlet"));
        assertThat(Pattern.compile("<artifactId>(loomlet-[a-z]+)</artifactId>")
                .matcher(Files.readString(Path.of("pom.xml"))).results().map(module -> module.group(1)).distinct())
                .contains("loomlet-core", "loomlet-cli")
                .allSatisfy(module -> assertThat(script).contains(module + "/pom.xml", module + "/src/main"));
    }

    @Test
    void neverWritesOverTheJarThatARunningProcessReads() throws Exception {
        useJdk();
        run();
        Path jar = project.resolve("loomlet-cli/target/loomlet.jar");
        try (BufferedReader running = Files.newBufferedReader(jar)) {
            maven("echo other > loomlet-cli/target/loomlet.jar");
            touch(project.resolve("pom.xml"));
            run();
            assertThat(running.readLine()).isEqualTo("jar");
        }
        assertThat(jar).hasContent("other");
    }

    @Test
    void showsTheEndOfTheLogWhenTheBuildFails() throws Exception {
        useJdk();
        maven("""
                echo 'the compiler is not amused' >&2
                exit 1
                """);
        Result result = run("--version");
        assertThat(result.exitCode).isEqualTo(1);
        assertThat(result.err).contains("the build failed", "build.log", "the compiler is not amused");
        assertThat(result.java).as("what was started").isEmpty();
        assertThat(project.resolve("target/launcher/lock")).doesNotExist();
    }

    @Test
    void saysSoWhenThereIsNoMaven() throws Exception {
        useJdk();
        Files.delete(bin.resolve("mvn"));
        Result result = run();
        assertThat(result.exitCode).isEqualTo(2);
        assertThat(result.err).contains("Maven");
    }

    @Test
    void needsNoMavenOnceItIsBuilt() throws Exception {
        useJdk();
        run();
        Files.delete(bin.resolve("mvn"));
        assertThat(run().exitCode).isZero();
    }

    @Test
    void buildsOnceWhenStartedSeveralTimesAtOnce() throws Exception {
        useJdk();
        Path goOn = temp.resolve("go-on");
        new ProcessBuilder("mkfifo", goOn.toString()).start().waitFor();
        maven("""
                read -r word < '%s'
                mkdir -p loomlet-cli/target
                echo jar > loomlet-cli/target/loomlet.jar
                """.formatted(goOn));
        List<Process> all = new ArrayList<>();
        List<String> said = new ArrayList<>();
        // Opened for reading, too, so that neither opening nor writing waits for the build to read.
        try (SeekableByteChannel pipe = Files.newByteChannel(goOn, READ, WRITE)) {
            List<BufferedReader> errors = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Process process = start(List.of(project.resolve("loomlet").toString(), "--version"), temp);
                all.add(process);
                errors.add(process.errorReader());
            }
            // Each of them says what it does before it does it: then one is building and three are waiting.
            for (BufferedReader error : errors) {
                said.add(error.readLine());
            }
            pipe.write(ByteBuffer.wrap("go\n".getBytes(UTF_8)));
            for (Process process : all) {
                assertThat(finish(process).java).isEqualTo("jdk");
            }
        } finally {
            all.forEach(Process::destroyForcibly);
        }
        assertThat(said).filteredOn(line -> line.contains("another one is building")).hasSize(3);
        assertThat(said).filteredOn(line -> line.contains("building, this once")).hasSize(1);
        assertThat(calls()).hasSize(1);
    }

    @Test
    void clearsAwayTheLockOfABuilderThatWasKilled() throws Exception {
        useJdk();
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        Path lock = Files.createDirectories(project.resolve("target/launcher/lock"));
        Files.writeString(lock.resolve("owner"), gone.pid() + "\n");
        assertThat(run().exitCode).isZero();
        assertThat(lock).doesNotExist();
    }

    // --- the start ---

    @Test
    void passesArgumentsAndTheExitCodeOn() throws Exception {
        useJdk();
        environment.put("EXIT_WITH", "42");
        Result result = run("run", "two words", "", "*", "--flag=$HOME");
        assertThat(result.exitCode).isEqualTo(42);
        String jar = project.resolve("loomlet-cli/target/loomlet.jar").toString();
        assertThat(result.arguments).endsWith("-jar", jar, "run", "two words", "", "*", "--flag=$HOME");
    }

    @Test
    void passesLoomletOptsToTheJvm() throws Exception {
        useJdk();
        environment.put("LOOMLET_OPTS", "-Xmx2g  -Dpattern=*");
        assertThat(run("x").arguments).containsSubsequence("-Xmx2g", "-Dpattern=*", "-jar");
    }

    @Test
    void startsFromTheArchiveOfTheJvm() throws Exception {
        useJdk();
        assertThat(run().arguments).contains(
                "-XX:SharedArchiveFile=" + project.resolve("target/launcher/25.0.3.jsa"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Xshare:off", "-XX:AOTCache=mine", "-Xmx1g -XX:+UseZGC", "-XX:+UseCompactObjectHeaders",
        "--add-modules jdk.incubator.vector", "-javaagent:mine.jar"})
    void leavesTheArchiveWhenLoomletOptsDoesNotGoWithIt(String options) throws Exception {
        useJdk();
        environment.put("LOOMLET_OPTS", options);
        assertThat(run().arguments).noneMatch(argument -> argument.startsWith("-XX:SharedArchiveFile"));
    }

    @Test
    void keepsTheArchiveWithOtherOptions() throws Exception {
        useJdk();
        environment.put("LOOMLET_OPTS", "-Xmx1g -XX:MaxInlineLevel=20 -Dx=--y");
        assertThat(run().arguments).anyMatch(argument -> argument.startsWith("-XX:SharedArchiveFile"));
    }

    @Test
    void makesTheArchiveForEachJdkOnce() throws Exception {
        useJdk();
        run();
        environment.put("JAVA_HOME", jdk("newer", "26.0.1").toString());
        assertThat(run().err).isEmpty();
        assertThat(calls()).as("builds").hasSize(1);
        assertThat(project.resolve("target/launcher/25.0.3.jsa")).exists();
        assertThat(project.resolve("target/launcher/26.0.1.jsa")).exists();
    }

    @Test
    void hasTheAgentKeepWhatItRewritesOnce() throws Exception {
        useJdk();
        Path written = temp.resolve("written");
        environment.put("WRITTEN", written.toString());
        assertThat(run().arguments).noneMatch(argument -> argument.contains("patches"));
        assertThat(run().arguments).noneMatch(argument -> argument.contains("patches"));
        assertThat(written).hasContent("written");
    }

    @Test
    void doesWithoutArchiveWhereTheJvmMakesNone() throws Exception {
        environment.put("JAVA_HOME", jdk("jdk", "25.0.3").toString());
        environment.put("NO_ARCHIVE", "1");
        Result result = run("x");
        assertThat(result.exitCode).isZero();
        assertThat(result.arguments).noneMatch(argument -> argument.startsWith("-XX:SharedArchiveFile"));
    }

    @Test
    void startsThroughLinksFromAnyFolder() throws Exception {
        useJdk();
        Path links = Files.createDirectories(temp.resolve("some links"));
        Files.createSymbolicLink(links.resolve("first"), Path.of("../a project/loomlet"));
        Files.createSymbolicLink(links.resolve("second"), Path.of("first"));
        String jar = temp.toRealPath().resolve("a project/loomlet-cli/target/loomlet.jar").toString();
        assertThat(finish(start(List.of("some links/second", "x"), temp)).arguments)
                .containsSequence("-jar", jar, "x");
        assertThat(finish(start(List.of("sh", "second", "x"), links)).arguments)
                .containsSequence("-jar", jar, "x");
        environment.put("PATH", bin + ":" + links);
        assertThat(finish(start(List.of("sh", "-c", "second x"), temp)).arguments)
                .containsSequence("-jar", jar, "x");
    }

    // --- what the tests are made of ---

    private record Result(int exitCode, String out, String err, String java, List<String> arguments) {}

    private void useJdk() throws IOException {
        environment.put("JAVA_HOME", jdk("jdk", "25.0.3").toString());
    }

    /** A JDK whose java writes its name and its arguments, and makes the cache that it is asked for. */
    private Path jdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(temp.resolve("jdks").resolve(name));
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
        script(home.resolve("bin/javac"), "exit 1");
        script(home.resolve("bin/java"), """
                case "$*" in
                    *-XX:DumpLoadedClassList=*)
                        exit 0 ;;
                    *-Dloomlet.patches=write*)
                        echo written >> "${WRITTEN:-/dev/null}"
                        exit 0 ;;
                    *-Xshare:dump*)
                        [ -n "${NO_ARCHIVE:-}" ] && exit 1
                        for argument; do
                            case $argument in -XX:SharedArchiveFile=*) echo archive > "${argument#*=}" ;; esac
                        done
                        exit 0 ;;
                esac
                echo %s
                for argument; do
                    echo "$argument"
                done
                exit "${EXIT_WITH:-0}"
                """.formatted(name));
        return home;
    }

    /** As distributions do it: a link to a link to the JDK's own. */
    private void putOnPath(Path jdk) throws IOException {
        Path alternatives = Files.createDirectories(temp.resolve("alternatives"));
        Files.createSymbolicLink(alternatives.resolve("java"), jdk.resolve("bin/java"));
        Files.createSymbolicLink(bin.resolve("java"), Path.of("../alternatives/java"));
    }

    private void maven(String body) throws IOException {
        script(bin.resolve("mvn"), "echo \"$*\" >> '" + temp.resolve("calls") + "'\n" + body);
    }

    private List<String> calls() throws IOException {
        Path calls = temp.resolve("calls");
        return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
    }

    private static void script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void touch(Path file) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(60)));
    }

    private static Path find(String tool) {
        for (String folder : System.getenv("PATH").split(":")) {
            Path file = Path.of(folder, tool);
            if (Files.isExecutable(file)) {
                return file;
            }
        }
        throw new IllegalStateException("no " + tool + " on the PATH");
    }

    private Result run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(project.resolve("loomlet").toString());
        command.addAll(List.of(arguments));
        return finish(start(command, temp));
    }

    private Process start(List<String> command, Path folder) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    private static Result finish(Process process) throws IOException, InterruptedException {
        try {
            // Little enough for the pipes, so one can be read after the other.
            String out = new String(process.getInputStream().readAllBytes(), UTF_8);
            String err = new String(process.getErrorStream().readAllBytes(), UTF_8);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("ended").isTrue();
            List<String> lines = out.isEmpty() ? List.of() : List.of(out.split("\n", -1));
            return new Result(process.exitValue(), out, err, lines.isEmpty() ? "" : lines.getFirst(),
                    lines.isEmpty() ? List.of() : lines.subList(1, lines.size() - 1));
        } finally {
            process.destroyForcibly();
            process.getInputStream().close();
            process.getErrorStream().close();
        }
    }
}
