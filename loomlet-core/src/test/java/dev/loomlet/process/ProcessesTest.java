package dev.loomlet.process;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.TimeoutExpired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProcessesTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
        assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).as("children left").isEmpty();
    }

    private static void until(BooleanSupplier happened) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!happened.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("nanoseconds too long").isNegative();
            sleep(Duration.ofMillis(1));
        }
    }

    /** Gone, or dead and waiting for whoever inherited it. */
    private static boolean gone(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).startsWith("Z");
        } catch (IOException e) {
            return true;
        }
    }

    private static byte[] random(int size) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void outputErrorsAndExitCodeAreCollected() throws IOException {
        Result result = Processes.run("sh", "-c", "echo out; echo err >&2; exit 3");

        assertThat(result.stdout()).isEqualTo("out\n");
        assertThat(result.stderr()).isEqualTo("err\n");
        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.successful()).isFalse();
        assertThatThrownBy(result::check).isInstanceOf(ProcessFailed.class)
                .hasMessageContaining("exit code 3").hasMessageContaining("its errors: err");
        assertThat(Processes.run("true").check().stdout()).isEmpty();
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        assertThatIOException().isThrownBy(() -> Processes.run("/nowhere/no-such-program"))
                .withMessageContaining("/nowhere/no-such-program");
    }

    @Test
    void directoryEnvironmentInputAndMergedErrorsReachTheProgram(@TempDir Path folder) throws IOException {
        Result result = Command.of("sh", "-c", "pwd; echo $GREETING; echo err >&2; cat")
                .directory(folder).environment("GREETING", "hello").mergeErrors().input("typed").run().check();

        assertThat(result.stdout())
                .isEqualTo(folder.toRealPath() + "\nhello\nerr\ntyped");
        assertThat(result.stderr()).isEmpty();
    }

    @Test
    void otherGreenletsRunWhileOneWaitsForAProgram() {
        Greenlet<Result> runs = spawn(() -> Processes.run("sh", "-c", "read x; echo got $x"));
        Greenlet<OptionalInt> waits = spawn(() -> {
            try (Child child = Processes.start("sleep", "30")) {
                return child.waitFor(Duration.ofMillis(100));
            }
        });
        int[] ticks = {0};
        Greenlet<Void> ticker = spawn(() -> {
            while (!waits.ready()) {
                ticks[0]++;
                sleep(Duration.ofMillis(1));
            }
        });

        assertThat(runs.value().stdout()).isEqualTo("got\n");
        assertThat(waits.value()).isEmpty();
        ticker.join();
        assertThat(ticks[0]).isGreaterThan(20);
    }

    @Test
    void megabytesGoThroughBothWaysAtOnce() {
        byte[] input = random(8 << 20);
        Greenlet<Result> cat = spawn(() -> Command.of("sh", "-c", "tee /dev/stderr").input(input).run());

        Result result = cat.value();

        assertThat(result.exitCode()).isZero();
        assertThat(result.stdoutBytes()).isEqualTo(input);
        assertThat(result.stderrBytes()).isEqualTo(input);
    }

    @Test
    void aProgramThatDoesNotReadItsInputIsNoError() throws IOException {
        Result result = Command.of("sh", "-c", "head -c 3").input(new byte[1 << 20]).run().check();

        assertThat(result.stdoutBytes()).hasSize(3);
        assertThat(Processes.run("sh", "-c", "yes | head -c 3000000").stdoutBytes()).hasSize(3_000_000);
    }

    @Test
    void fiftyProgramsRunAtOnce() {
        List<Greenlet<Result>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            String n = Integer.toString(i);
            all.add(spawn(() -> Command.of("cat").input(n).run().check()));
        }

        joinAll(all, LONG);

        for (int i = 0; i < 50; i++) {
            assertThat(all.get(i).value().stdout()).isEqualTo(Integer.toString(i));
        }
    }

    @Test
    void aTimeoutKillsTheWholeTreeAndTellsWhatWasPrinted() {
        Command command = Command.of("sh", "-c", "sh -c 'echo $$; exec sleep 60' & echo $$; wait")
                .timeout(Duration.ofSeconds(2));
        Greenlet<Void> runs = spawn(() -> {
            assertThatThrownBy(command::run).isInstanceOfSatisfying(ProcessTimeout.class, late -> {
                List<Long> pids = late.result().stdout().lines().map(Long::valueOf).toList();
                assertThat(pids).hasSize(2);
                until(() -> pids.stream().allMatch(ProcessesTest::gone));
            }).hasMessageContaining("did not end within 2000 ms");
        });
        runs.value();
    }

    @Test
    void killingTheGreenletKillsTheProgramAndAllItHasStarted() throws IOException {
        List<Long> pids = new ArrayList<>();
        Greenlet<Result> runs = spawn(() -> {
            try (Child child = Processes.start("sh", "-c", "sh -c 'echo $$; exec sleep 60' & echo $$; wait")) {
                pids.add(Long.valueOf(child.readLine().orElseThrow()));
                pids.add(Long.valueOf(child.readLine().orElseThrow()));
                return child.communicate(new byte[0]);
            }
        });
        until(() -> pids.size() == 2);
        assertThat(pids).noneMatch(ProcessesTest::gone);

        runs.kill();

        assertThat(runs.exit()).isPresent();
        until(() -> pids.stream().allMatch(ProcessesTest::gone));
    }

    @Test
    void aLoomletTimeoutEndsTheProgramToo() {
        Greenlet<Void> runs = spawn(() -> {
            assertThatThrownBy(() -> withTimeout(Duration.ofMillis(50), () -> Processes.run("sleep", "60")))
                    .isInstanceOf(TimeoutExpired.class).hasMessageContaining("sleep");
        });
        runs.value();
    }

    @Test
    void whoPrintsTooMuchIsKilled() {
        assertThatThrownBy(() -> Command.of("yes").outputLimit(100_000).run())
                .isInstanceOfSatisfying(ProcessFailed.class, failed -> {
                    assertThat(failed.result().stdoutBytes()).hasSize(100_000);
                    assertThat(failed.result().exitCode()).isEqualTo(128 + 9);
                })
                .hasMessageContaining("yes printed more than 100000 bytes");
    }

    @Test
    void communicateGoesOnAfterATimeout() {
        Greenlet<Result> talks = spawn(() -> {
            try (Child child = Processes.start("sh", "-c", "cat; read x < /dev/null; sleep 0.3; echo end")) {
                assertThatThrownBy(() -> child.communicate("begin ".getBytes(US_ASCII), Duration.ofMillis(10)))
                        .isInstanceOf(ProcessTimeout.class);
                assertThat(child.isAlive()).isTrue();
                return child.communicate(new byte[0], LONG);
            }
        });

        assertThat(talks.value().stdout()).isEqualTo("begin end\n");
    }

    @Test
    void aProgramCanBeTalkedTo() {
        Greenlet<Void> talks = spawn(() -> {
            try (Child cat = Processes.start("cat")) {
                for (int i = 0; i < 100; i++) {
                    cat.stdin().write((i + "\n").getBytes(US_ASCII));
                    assertThat(cat.readLine()).contains(Integer.toString(i));
                }
                assertThat(cat.isAlive()).isTrue();
                assertThat(cat.exitCode()).isEmpty();
                cat.stdin().close();
                assertThat(cat.readLine()).isEmpty();
                assertThat(cat.waitFor()).isZero();
                assertThat(cat.stderr().read()).isEqualTo(-1);
            }
        });
        talks.value();
    }

    @Test
    void outputIsThereAfterTheProgramHasEnded() throws IOException {
        try (Child child = Processes.start("echo", "early")) {
            child.waitFor();
            until(() -> gone(child.pid()));

            assertThat(child.readLine()).contains("early");
            assertThat(child.readLine()).isEqualTo(Optional.empty());
        }
    }

    @Test
    void closingAStreamWakesWhoReadsIt() throws IOException {
        try (Child child = Processes.start("sleep", "60")) {
            Greenlet<Integer> reads = spawn(() -> child.stdout().read());
            Hub.current().onError((greenlet, error) -> {});
            Greenlet<Void> second = spawn(() -> {
                assertThatThrownBy(() -> child.stdout().read()).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the output of sleep");
            });
            second.value();

            child.stdout().close();

            reads.join();
            assertThat(reads.exception().orElseThrow()).hasMessage("the output of sleep is closed");
        }
    }

    @Test
    void aSignalIsSeenInTheExitCode() throws IOException {
        try (Child child = Processes.start("sleep", "60")) {
            child.terminate();

            assertThat(child.waitFor(LONG)).hasValue(128 + 15);
            child.kill();
        }
    }

    @Test
    void virtualThreadsWithoutAHubCanRunProgramsToo() throws Exception {
        byte[] input = random(1 << 20);
        List<Object> results = new ArrayList<>();
        Thread thread = Thread.ofVirtual().start(() -> {
            try {
                results.add(Command.of("cat").input(input).run().stdoutBytes());
            } catch (IOException e) {
                results.add(e);
            }
        });
        thread.join();

        assertThat(results).hasSize(1);
        assertThat(results.getFirst()).isEqualTo(input);
    }

    @Test
    void twoHubsCanWaitForOneProgram() throws Exception {
        try (Hub other = Hub.start("other"); Child child = Processes.start("cat")) {
            Greenlet<Integer> there = other.spawn(() -> child.waitFor());
            Greenlet<Integer> here = spawn(() -> child.waitFor());
            child.stdin().close();

            assertThat(here.value()).isZero();
            assertThat(there.value()).isZero();
        }
    }
}
