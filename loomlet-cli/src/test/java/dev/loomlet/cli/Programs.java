package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/**
 * Runs programs as processes: with {@code java}, with {@code java -jar} of a jar whose manifest is that of
 * {@code loomlet.jar}, and with that jar as the agent.
 */
final class Programs {
    static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final Path SOURCES = Path.of("src", "test", "programs");

    /** How a process ended and what it has written. */
    record Ended(int exitCode, String out, String err) {}

    private final Path folder;
    private final Path jar;
    private final Path classes;

    /** Compiles the programs into a folder and makes the jar there. */
    Programs(Path folder) throws IOException {
        this.folder = folder;
        this.jar = folder.resolve("loomlet.jar");
        this.classes = Files.createDirectory(folder.resolve("classes"));
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, Main.class.getName());
        String agent = "dev.loomlet.agent.LoomletAgent";
        main.putValue("Launcher-Agent-Class", agent);
        main.putValue("Premain-Class", agent);
        main.putValue("Can-Redefine-Classes", "true");
        main.putValue("Can-Retransform-Classes", "true");
        main.putValue("Can-Set-Native-Method-Prefix", "true");
        List<String> path = new ArrayList<>();
        for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
            path.add(Path.of(each).toUri().toString());
        }
        main.put(Attributes.Name.CLASS_PATH, String.join(" ", path));
        try (OutputStream out = Files.newOutputStream(jar); var made = new JarOutputStream(out, manifest)) {
            made.finish();
        }
        try (Stream<Path> sources = Files.list(SOURCES)) {
            List<String> args = new ArrayList<>(List.of("-nowarn", "-d", classes.toString(), "-cp",
                    System.getProperty("java.class.path")));
            sources.map(Path::toString).filter(each -> each.endsWith(".java")).forEach(args::add);
            assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, args.toArray(String[]::new)))
                    .as("exit code of the compiler").isZero();
        }
    }

    Path folder() {
        return folder;
    }

    Path jar() {
        return jar;
    }

    Path classes() {
        return classes;
    }

    /** {@code java -cp CLASSES ...}. */
    Ended onThreads(String... program) throws Exception {
        return java(Stream.concat(Stream.of("-cp", classes.toString()), Stream.of(program)).toList());
    }

    /** {@code loomlet run -cp CLASSES ...}. */
    Ended onGreenlets(String... program) throws Exception {
        return loomlet(Stream.concat(Stream.of("run", "-cp", classes.toString()), Stream.of(program))
                .toArray(String[]::new));
    }

    /** {@code java -javaagent:loomlet.jar -cp CLASSES ...}. */
    Ended withAgent(String options, String... program) throws Exception {
        return java(Stream.concat(Stream.of("-javaagent:" + jar + options, "-cp", classes.toString()),
                Stream.of(program)).toList());
    }

    /** {@code loomlet ...}. */
    Ended loomlet(String... args) throws Exception {
        return java(Stream.concat(Stream.of("-jar", jar.toString()), Stream.of(args)).toList());
    }

    /** The command that {@link #loomlet} runs. What a busy machine says of stalls is no part of what is compared. */
    ProcessBuilder command(List<String> args) {
        List<String> command = new ArrayList<>(List.of(JAVA.toString(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-Dloomlet.stall=0"));
        command.addAll(args);
        return new ProcessBuilder(command).directory(folder.toFile());
    }

    /** {@code java ...}. */
    Ended java(List<String> args) throws Exception {
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        Process process = command(args).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s has ended; so far: %s%s", args,
                    Files.readString(out), Files.readString(err)).isTrue();
            return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
