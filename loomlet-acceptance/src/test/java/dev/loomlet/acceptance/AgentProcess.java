package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.peers.Programs;
import dev.loomlet.agent.LoomletAgent;
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
import program.ThreadProgram;

/**
 * Runs a library's tests in a process of their own, which has the agent: its main thread, and the threads that the tests
 * start, are greenlets of one hub. What is found out goes where that of the others goes.
 */
public final class AgentProcess {
    private static final long PATIENCE_SECONDS = 100;

    private AgentProcess() {}

    /**
     * Runs the tests of a class.
     *
     * @param tests the class, which the build does not run by itself
     * @param agent options of the agent
     * @param jvm options of the JVM
     */
    public static void run(Class<? extends OnOneHub> tests, String agent, List<String> jvm)
            throws IOException, InterruptedException {
        Path folder = Programs.folder("agent");
        try {
            Path said = folder.resolve("said");
            Path jar = agentJar(folder);
            List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java")
                    .toString(), "-javaagent:" + jar + '=' + agent, "--enable-native-access=ALL-UNNAMED"));
            command.addAll(jvm);
            String logging = "java.util.logging.config.file";
            command.addAll(List.of("-D" + logging + '=' + System.getProperty(logging), "-cp",
                    System.getProperty("java.class.path"), ThreadProgram.class.getName(), tests.getName()));
            Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile())
                    .redirectInput(new File("/dev/null")).start();
            try {
                boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
                if (!ended) {
                    stacks(process);
                }
                assertThat(ended).as("it has ended; so far it said: %s", Files.readString(said)).isTrue();
                assertThat(process.exitValue()).as("exit code; it said: %s", Files.readString(said)).isZero();
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
            }
        } finally {
            Programs.delete(folder);
        }
    }

    /** Has a JVM that hangs say where, among what it has said. */
    private static void stacks(Process process) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid())).inheritIO().start().waitFor();
        process.waitFor(3, TimeUnit.SECONDS); // nothing tells when it is done
    }

    /** An empty jar that names the agent and all that it needs. */
    private static Path agentJar(Path folder) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Premain-Class", LoomletAgent.class.getName());
        main.putValue("Can-Redefine-Classes", "true");
        main.putValue("Can-Retransform-Classes", "true");
        main.putValue("Can-Set-Native-Method-Prefix", "true");
        List<String> path = new ArrayList<>();
        for (Class<?> each : List.of(LoomletAgent.class, dev.loomlet.Loomlet.class)) {
            path.add(each.getProtectionDomain().getCodeSource().getLocation().toString());
        }
        main.put(Attributes.Name.CLASS_PATH, String.join(" ", path));
        Path jar = folder.resolve("loomlet.jar");
        try (OutputStream out = Files.newOutputStream(jar); var made = new JarOutputStream(out, manifest)) {
            made.finish();
        }
        return jar;
    }
}
