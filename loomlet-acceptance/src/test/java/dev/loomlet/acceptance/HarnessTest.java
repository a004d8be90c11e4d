package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The harness finds out libraries that do not behave. */
class HarnessTest {
    /** A library that behaves. */
    static class Fine extends ClientOnHub {
        final AtomicInteger inside = new AtomicInteger();

        @Override
        protected Library library() {
            return Library.client("of the harness's own test", org.assertj.core.api.Assertions.class, "nobody");
        }

        @Override
        protected void open() {}

        @Override
        protected void openTls() {}

        @Override
        protected void rightResults() {}

        @Override
        protected void slowCall(int number, Duration latency) throws Exception {
            inside.incrementAndGet();
            try {
                Thread.sleep(latency);
            } finally {
                inside.decrementAndGet();
            }
        }

        @Override
        protected int inside() {
            return inside.get();
        }

        @Override
        boolean recorded() {
            return false;
        }
    }

    /** One that makes some of the calls one at a time. */
    static class OneAtATime extends Fine {
        private final java.util.concurrent.locks.ReentrantLock lock = new java.util.concurrent.locks.ReentrantLock();

        @Override
        protected void slowCall(int number, Duration latency) throws Exception {
            if (number >= 4) {
                super.slowCall(number, latency);
                return;
            }
            lock.lockInterruptibly();
            try {
                super.slowCall(number, latency);
            } finally {
                lock.unlock();
            }
        }
    }

    /** One that computes for a tenth of a second. */
    static class HoldsUp extends Fine {
        @Override
        protected void slowCall(int number, Duration latency) throws Exception {
            if (number == 7) {
                long end = System.nanoTime() + Duration.ofMillis(100).toNanos();
                while (System.nanoTime() - end < 0) {
                    Thread.onSpinWait();
                }
            }
            super.slowCall(number, latency);
        }
    }

    /** One that does not hear of kills. */
    static class Deaf extends Fine {
        @Override
        protected void slowCall(int number, Duration latency) throws Exception {
            inside.incrementAndGet();
            try {
                long end = System.nanoTime() + latency.toNanos();
                while (System.nanoTime() - end < 0) {
                    try {
                        Thread.sleep(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                    } catch (InterruptedException ignored) {
                        assertThat(Thread.currentThread().isInterrupted()).isFalse();
                    }
                }
            } finally {
                inside.decrementAndGet();
            }
        }
    }

    /** One that keeps what a killed call held. */
    static class Leaks extends Fine {
        private int held;

        @Override
        protected void slowCall(int number, Duration latency) throws Exception {
            held++;
            super.slowCall(number, latency);
            held--;
        }

        @Override
        protected int held() {
            return held;
        }

        @Override
        Duration patience() {
            return Duration.ofSeconds(1);
        }
    }

    /** One that leaves a socket open. */
    static class LeavesASocket extends Fine {
        static final java.util.List<java.net.ServerSocket> LEFT = new java.util.ArrayList<>();

        @Override
        protected void open() {
            try {
                LEFT.add(new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress()));
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        @Override
        Duration patience() {
            return Duration.ofSeconds(1);
        }
    }

    private static Set<String> failuresOf(Class<? extends OnOneHub> library) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(library)).build();
        Set<String> failed = new TreeSet<>();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                    failed.add(test.getDisplayName());
                }
            }
        });
        return failed;
    }

    @Test
    void nothingIsSaidOfALibraryThatBehaves() {
        assertThat(failuresOf(Fine.class)).isEmpty();
    }

    @Test
    void oneCallAtATimeIsFound() {
        assertThat(failuresOf(OneAtATime.class))
                .contains("twentySlowCallsTakeAboutAsLongAsOneAndHoldNobodyUp()", "itWorksOverTls()");
    }

    @Test
    void holdingOthersUpIsFound() {
        assertThat(failuresOf(HoldsUp.class)).contains("twentySlowCallsTakeAboutAsLongAsOneAndHoldNobodyUp()",
                "itWorksOverTls()");
    }

    @Test
    void notHearingOfKillsAndTimeoutsIsFound() {
        assertThat(failuresOf(Deaf.class)).contains("aKillInMidCallFreesWhatItHeld()",
                "aTimeoutInMidCallFreesWhatItHeld()");
    }

    @Test
    void keepingWhatAKilledCallHeldIsFound() {
        assertThat(failuresOf(Leaks.class)).contains("aKillInMidCallFreesWhatItHeld()",
                "aTimeoutInMidCallFreesWhatItHeld()");
    }

    @Test
    void aSocketThatIsLeftIsFound() throws java.io.IOException {
        assertThat(failuresOf(LeavesASocket.class)).containsExactly("HarnessTest$LeavesASocket");
        for (var each : LeavesASocket.LEFT) {
            each.close();
        }
    }
}
