package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.cli.Programs.Ended;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(100)
class TreeCommandTest {
    @TempDir static Path folder;
    private static Programs programs;

    @BeforeAll
    static void compile() throws Exception {
        programs = new Programs(folder);
    }

    private interface Look {
        void at(long pid) throws Exception;
    }

    /** Starts a program that says when it is ready and goes on until its standard input ends. */
    private static void whileRunning(List<String> command, Look look) throws Exception {
        Process process = programs.command(command).redirectErrorStream(true).start();
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("ready");
            look.at(process.pid());
            process.getOutputStream().close();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static List<String> program(String name) {
        String own = System.getProperty("java.class.path");
        return List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                "-Dloomlet.stall=100", "-cp", programs.classes() + java.io.File.pathSeparator + own, name);
    }

    @Test
    void showsEveryHubItsGreenletsWhereTheyWereSpawnedAndWhatTheyWaitFor() throws Exception {
        whileRunning(program("Tree"), pid -> {
            Ended tree = seen(pid);
            assertThat(tree.out()).contains("kitchen", "cellar", "cook", "helper", "keeper")
                    .containsPattern("cook.*Tree\\.main\\(Tree\\.java:11\\)")
                    .containsPattern("helper.*Tree\\.lambda\\$main\\$\\d\\(Tree\\.java:13\\)")
                    .contains("waits for Queue with 0 items, 2 waiting to take")
                    .containsPattern("waits for RLock held by cook with 1 waiting");
            assertThat(tree.out().indexOf("helper")).as("under its spawner").isGreaterThan(tree.out().indexOf("cook"));
        });
    }

    @Test
    void showsAHubThatAGreenletHoldsUp() throws Exception {
        whileRunning(program("Held"), pid -> {
            String out = seen(pid).out();
            assertThat(out).contains("spinning").containsPattern("Held\\.spin").contains("holds it up");
        });
    }

    /** What is shown once the hubs are a second old. */
    private static Ended seen(long pid) throws Exception {
        Ended tree;
        long end = System.nanoTime() + 20_000_000_000L;
        do {
            tree = programs.loomlet("tree", String.valueOf(pid));
        } while (tree.exitCode() != 0 && System.nanoTime() - end < 0);
        assertThat(tree.exitCode()).as(tree.err()).isZero();
        assertThat(tree.err()).isEmpty();
        return tree;
    }

    @Test
    void saysThatAProcessHasNoHub() throws Exception {
        whileRunning(List.of("-cp", programs.classes().toString(), "WithoutHub"), pid -> {
            Ended tree = programs.loomlet("tree", String.valueOf(pid));
            assertThat(tree.exitCode()).isEqualTo(1);
            assertThat(tree.out()).isEmpty();
            assertThat(tree.err()).isEqualToIgnoringNewLines(
                    "loomlet: process " + pid + " has no hub, or none that is a second old yet, or was started with "
                            + "-Dloomlet.stall=0");
        });
    }

    @Test
    void saysThatAProcessIsNoJvm() throws Exception {
        Process sleeping = new ProcessBuilder("sleep", "100").start();
        try {
            cannotLookInto(sleeping.pid(), "it is no JVM");
            assertThat(sleeping.isAlive()).as("still alive: no signal was sent").isTrue();
        } finally {
            sleeping.destroyForcibly().waitFor();
        }
    }

    @Test
    void saysThatThereIsNoSuchProcess() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        cannotLookInto(ended.pid(), "there is no such process");
    }

    /** Which only the kernel can stop, but the message says what to do. */
    @Test
    void saysThatAProcessIsAnotherUsers() {
        String owner = ProcessHandle.current().info().user().orElseThrow();
        long pid = ProcessHandle.current().pid();
        assertThat(TreeCommand.obstacle(pid, "somebody")).contains("it belongs to " + owner
                + " and this is somebody. Run loomlet tree as " + owner);
        assertThat(TreeCommand.obstacle(pid, owner)).isEmpty();
        assertThat(TreeCommand.obstacle(pid, "root")).isEmpty();
    }

    private static void cannotLookInto(long pid, String why) throws Exception {
        Ended tree = programs.loomlet("tree", String.valueOf(pid));
        assertThat(tree.exitCode()).isEqualTo(1);
        assertThat(tree.out()).isEmpty();
        assertThat(tree.err()).startsWith("loomlet: cannot look into process " + pid + ": ").contains(why);
        assertThat(tree.err().lines()).hasSize(1);
    }

    @Test
    void wantsOneNumber() throws Exception {
        for (String[] wrong : new String[][] {{"tree"}, {"tree", "me"}, {"tree", "1", "2"}, {"tree", "-1"},
            {"tree", "99999999999"}}) {
            Ended tree = programs.loomlet(wrong);
            assertThat(tree.exitCode()).isEqualTo(2);
            assertThat(tree.err()).contains("tree");
        }
    }
}
