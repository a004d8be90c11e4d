package dev.loomlet.guide;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program of a user's, compiled against nothing but the core and started in the ways that the guide names. */
class YourProjectTest {
    private static final String CORE = Path.of("target", "classes").toAbsolutePath().toString();
    private static final String APP = """
            package app;

            import static dev.loomlet.Loomlet.spawn;

            import dev.loomlet.coroutine.Generator;

            public class App {
                public static void main(String[] arguments) {
                    Generator<Integer> numbers = Generator.of(out -> out.yield(41));
                    System.out.println(spawn(() -> numbers.next() + 1).value());
                }
            }
            """;

    @TempDir Path folder;

    @Test
    void aModuleNeedsNoOtherModuleToCompileNorToRun() throws Exception {
        Path descriptor = Files.writeString(folder.resolve("module-info.java"), "module app { requires dev.loomlet; }");
        compile("--module-path", descriptor);
        String path = CORE + ":" + folder;
        assertThat(java("--module-path", path, "--add-opens", "java.base/java.lang=dev.loomlet", "-m", "app/app.App"))
                .isEqualTo("42\n");
        assertThat(java("--module-path", path, "-m", "app/app.App"))
                .contains("add --add-opens java.base/java.lang=dev.loomlet");
    }

    @Test
    void onTheClassPathOneFlagIsEnough() throws Exception {
        compile("-cp");
        assertThat(java("--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", CORE + ":" + folder, "app.App"))
                .isEqualTo("42\n");
    }

    private void compile(String path, Path... more) throws Exception {
        Path source = Files.writeString(Files.createDirectories(folder.resolve("app")).resolve("App.java"), APP);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        var complaints = new StringWriter();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = List.of("-Xlint:all", "-Werror", path, CORE, "-d", folder.toString());
            assertThat(compiler.getTask(complaints, files, null, options, null,
                    files.getJavaFileObjects(Stream.concat(Stream.of(source), Stream.of(more)).toArray(Path[]::new)))
                    .call()).as("%s", complaints).isTrue();
        }
    }

    /** What a JVM prints. */
    private String java(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of(arguments));
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends").isTrue();
            return Files.readString(output);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
