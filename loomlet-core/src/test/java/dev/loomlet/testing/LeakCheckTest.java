package dev.loomlet.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

class LeakCheckTest {

    /** What the leaking tests below leave behind, to be cleaned up here: LeakCheck watches this class, too. */
    private static final Deque<AutoCloseable> LEFT_BEHIND = new ArrayDeque<>();

    @AfterEach
    void cleanUp() throws Exception {
        while (!LEFT_BEHIND.isEmpty()) {
            LEFT_BEHIND.pop().close();
        }
    }

    @Test
    void reportsAPlatformThreadWithItsStack() {
        assertThat(failuresOf(LeavesPlatformThread.class)).singleElement().asString()
                .contains("leavesIt()", "thread \"stays-around\"", "daemon", "LockSupport.park");
    }

    @Test
    void reportsAVirtualThreadWithItsStack() {
        assertThat(failuresOf(LeavesVirtualThread.class)).singleElement().asString()
                .contains("virtual thread \"floats-around\"", "LockSupport.park");
    }

    @Test
    void reportsAFileDescriptorWithItsTarget() {
        assertThat(failuresOf(LeavesSocket.class)).singleElement().asString()
                .containsPattern("file descriptor \\d+ -> socket:\\[\\d+]");
    }

    @Test
    void reportsATemporaryFile() {
        assertThat(failuresOf(LeavesTemporaryFile.class)).singleElement().asString()
                .contains("temporary file ", "forgotten");
    }

    @Test
    void reportsWhatAClassLeavesBehindOnce() {
        assertThat(failuresOf(LeavesSocketOfAllTests.class)).singleElement().asString()
                .contains("the class ", "file descriptor ");
    }

    @Test
    void reportsALeakBesideTheFailureOfTheTest() {
        assertThat(failuresOf(FailsAndLeaves.class)).singleElement().satisfies(failure -> {
            assertThat(failure).hasMessage("the test's own");
            assertThat(failure.getSuppressed()).singleElement().asString().contains("file descriptor ");
        });
    }

    @Test
    void waitsForWhatIsEnding() {
        assertThat(failuresOf(LeavesWhatEnds.class)).isEmpty();
    }

    @Test
    void acceptsWhatWasThereBefore() throws IOException {
        LEFT_BEHIND.push(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        assertThat(failuresOf(LeavesNothing.class)).isEmpty();
    }

    private static List<Throwable> failuresOf(Class<?> tests) {
        EngineExecutionResults results = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(tests))
                .configurationParameter("junit.jupiter.extensions.autodetection.enabled", "true")
                .configurationParameter(LeakCheck.PATIENCE_PARAMETER, tests == LeavesWhatEnds.class ? "60000" : "50")
                .execute();
        assertThat(results.testEvents().started().count()).as("tests run").isEqualTo(1);
        return results.allEvents().failed().stream()
                .map(event -> event.getRequiredPayload(TestExecutionResult.class))
                .map(result -> result.getThrowable().orElseThrow())
                .toList();
    }

    private static void parkUntilCleanUp(Thread.Builder builder) {
        CountDownLatch end = new CountDownLatch(1);
        Thread thread = builder.start(() -> {
            while (end.getCount() > 0) {
                LockSupport.park();
            }
        });
        LEFT_BEHIND.push(() -> {
            end.countDown();
            LockSupport.unpark(thread);
            thread.join();
        });
        // The report shows where the thread stands, so let it get there.
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    private static ServerSocket leaveSocket() throws IOException {
        ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        LEFT_BEHIND.push(socket);
        return socket;
    }

    static class LeavesPlatformThread {
        @Test
        void leavesIt() {
            parkUntilCleanUp(Thread.ofPlatform().daemon().name("stays-around"));
        }
    }

    static class LeavesVirtualThread {
        @Test
        void leavesIt() {
            parkUntilCleanUp(Thread.ofVirtual().name("floats-around"));
        }
    }

    static class LeavesSocket {
        @Test
        void leavesIt() throws IOException {
            leaveSocket();
        }
    }

    static class LeavesTemporaryFile {
        @Test
        void leavesIt() throws IOException {
            Path file = Files.createTempFile("forgotten", "");
            LEFT_BEHIND.push(() -> Files.delete(file));
        }
    }

    static class LeavesSocketOfAllTests {
        @BeforeAll
        static void open() throws IOException {
            leaveSocket();
        }

        @Test
        void usesIt() {}
    }

    static class FailsAndLeaves {
        @Test
        void failsAndLeaves() throws IOException {
            leaveSocket();
            throw new AssertionError("the test's own");
        }
    }

    static class LeavesWhatEnds {
        @Test
        void returnsBeforeItsThreadEnds() {
            Thread test = Thread.currentThread();
            // Ends once it has seen LeakCheck wait, and only then.
            Thread.ofPlatform().daemon().name("ends-soon").start(() -> {
                while (test.getState() != Thread.State.TIMED_WAITING) {
                    Thread.onSpinWait();
                }
            });
        }
    }

    static class LeavesNothing {
        @Test
        void cleansUp(@TempDir Path folder) throws IOException {
            Files.writeString(folder.resolve("file"), "text");
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                assertThat(socket.isBound()).isTrue();
            }
        }
    }
}
