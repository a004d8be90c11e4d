package dev.loomlet.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.agent.LoomletAgent;
import dev.loomlet.internal.jdk.ThreadHooks;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The JDK's classes as one run has rewritten them serve the next, unless something about them is not as it should be. */
@EnabledOnOs(OS.LINUX)
@Timeout(300)
class KeptPatchesTest {
    private static final String KEPT = "as kept by an earlier run";

    @TempDir static Path folder;

    private static Programs programs;
    private static Path jar;

    @BeforeAll
    static void makeTheJar() throws Exception {
        programs = new Programs(folder);
        jar = Files.createDirectory(folder.resolve("installed")).resolve("loomlet.jar");
        try (JarFile bare = new JarFile(programs.jar().toFile());
                OutputStream out = Files.newOutputStream(jar);
                JarOutputStream made = new JarOutputStream(out, bare.getManifest())) {
            for (Class<?> each : List.of(LoomletAgent.class, ThreadHooks.class)) {
                Path place = Path.of(each.getProtectionDomain().getCodeSource().getLocation().toURI());
                if (Files.isDirectory(place)) {
                    copy(place, made);
                } else {
                    try (FileSystem inside = FileSystems.newFileSystem(URI.create("jar:" + place.toUri()), Map.of())) {
                        copy(inside.getPath("/"), made);
                    }
                }
            }
        }
    }

    private static void copy(Path from, JarOutputStream to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : all.filter(Files::isRegularFile).toList()) {
                String name = from.relativize(each).toString();
                if (name.startsWith("dev/")) {
                    to.putNextEntry(new ZipEntry(name));
                    Files.copy(each, to);
                }
            }
        }
    }

    private static Programs.Ended run(List<String> options, String program) throws Exception {
        return programs.java(command(options, program));
    }

    private static List<String> command(List<String> options, String program) {
        List<String> command = new ArrayList<>(options);
        command.addAll(
                List.of("-jar", jar.toString(), "run", "--report", "-cp", programs.classes().toString(), program));
        return command;
    }

    /** The only file of that kind. */
    private static Path kept() throws IOException {
        try (Stream<Path> all = Files.list(jar.getParent())) {
            List<Path> others = all.filter(each -> !each.equals(jar)).toList();
            assertThat(others).as("files beside the jar").hasSize(1);
            return others.getFirst();
        }
    }

    private static void isUsed(boolean used, String why, String... options) throws Exception {
        Programs.Ended ended = run(List.of(options), "Joins");
        assertThat(ended.exitCode()).as(why).isZero();
        if (used) {
            assertThat(ended.err()).as(why).contains(KEPT);
        } else {
            assertThat(ended.err()).as(why).contains("loomlet: patched").doesNotContain(KEPT);
        }
        assertThat(ended.err()).as(why).doesNotContain("not patched", "cannot patch");
    }

    private static void runsWithoutAnyOption() throws Exception {
        List<String> command = new ArrayList<>(List.of(Programs.JAVA.toString()));
        command.addAll(command(List.of(), "Joins"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (InputStream out = process.getInputStream()) {
            assertThat(new String(out.readAllBytes(), UTF_8)).contains(KEPT);
        } finally {
            assertThat(process.waitFor()).isZero();
        }
    }

    @Test
    void oneRunServesTheNext() throws Exception {
        Programs.Ended onThreads = programs.onThreads("ThreadApi");
        List<Process> writers = new ArrayList<>();
        for (int i = 0; i < 3; i++) { // at the same time
            writers.add(programs.command(command(List.of("-Dloomlet.patches=write"), "Joins"))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start());
        }
        isUsedOrNot();
        for (Process each : writers) {
            assertThat(each.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(each.exitValue()).isZero();
        }
        Path kept = kept();
        byte[] whole = Files.readAllBytes(kept);
        FileTime made = Files.getLastModifiedTime(kept);
        Programs.Ended again = run(List.of(), "ThreadApi");
        assertThat(again.err()).contains(KEPT);
        assertThat(again.out()).isEqualTo(onThreads.out());
        assertThat(Files.getLastModifiedTime(kept)).as("a run does not write").isEqualTo(made);
        isUsed(false, "switched off", "-Dloomlet.patches=false");

        byte[] damaged = whole.clone();
        damaged[damaged.length / 2] ^= 1;
        for (byte[] bad : List.of(damaged, new byte[0], new byte[7], Arrays.copyOf(whole, whole.length / 2))) {
            Files.write(kept, bad);
            isUsed(false, "damaged, " + bad.length + " bytes");
        }
        Files.write(kept, whole);
        isUsed(true, "whole again");
        runsWithoutAnyOption();

        for (String mode : List.of("rw-rw-r--", "rw-r--rw-")) {
            Files.setPosixFilePermissions(kept, PosixFilePermissions.fromString(mode));
            isUsed(false, mode);
        }
        Files.setPosixFilePermissions(kept, PosixFilePermissions.fromString("rw-r--r--"));

        Path elsewhere = Files.move(kept, folder.resolve("elsewhere"));
        Files.createSymbolicLink(kept, elsewhere);
        isUsed(false, "a link to where others may write");
        Files.delete(kept);
        Files.move(elsewhere, kept);

        isUsed(false, "somebody else may have changed the JDK's classes",
                "--patch-module=java.base=" + Files.createDirectory(folder.resolve("patch")));
        isUsed(true, "nothing has changed");

        FileTime built = Files.getLastModifiedTime(jar);
        Files.setLastModifiedTime(jar, FileTime.fromMillis(built.toMillis() - 1000));
        isUsed(false, "another build");
        Files.setLastModifiedTime(jar, built);

        Programs.Ended agent = programs.java(List.of("-javaagent:" + jar + "=report", "-cp",
                programs.classes().toString(), "Joins"));
        assertThat(agent.err()).contains(KEPT);
    }

    /** While others write, either will do, but nothing in between. */
    private static void isUsedOrNot() throws Exception {
        Programs.Ended ended = run(List.of(), "Joins");
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.err()).contains("loomlet: patched").doesNotContain("not patched", "cannot patch");
    }
}
