package dev.loomlet.inspect;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.GreenletLocal;
import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.OsSignals;
import dev.loomlet.sync.Event;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RunReportTest {
    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    @Test
    void itShowsWhoSpawnedWhomAndWhatEverybodyWaitsFor() throws Exception {
        GreenletLocal<String> local = GreenletLocal.of(() -> "request-17");
        try (Hub hub = Hub.start("shown")) {
            var waiting = new CountDownLatch(2);
            hub.spawn("parent", () -> {
                local.get();
                hub.spawn("child", () -> {
                    waiting.countDown();
                    new Event().await();
                });
                waiting.countDown();
                new Event().await();
            });
            waiting.await();
            String report = RunReport.of();
            while (!report.contains("child (spawned") || report.split("waits for Event", -1).length < 3) {
                report = RunReport.of();
            }
            assertThat(report).contains("Hub shown on shown: 2 greenlets", "locals: [request-17]",
                    "RunReportTest.java");
            assertThat(report.indexOf("+- parent")).isPositive().isLessThan(report.indexOf("|  +- child"));
        }
    }

    @Test
    void itShowsWhoIsInTheThreadPool() throws Exception {
        try (Hub hub = Hub.start("shown")) {
            var begun = new CountDownLatch(1);
            var stop = new CountDownLatch(1);
            hub.spawn("in native code", () -> {
                try (var stay = hub.threadPool().enter()) {
                    assertThat(stay.left()).isTrue();
                    begun.countDown();
                    stop.await();
                }
            });
            begun.await();
            try {
                assertThat(RunReport.of()).containsPattern("in native code .* is in the thread pool, for \\d+ ms");
            } finally {
                stop.countDown();
            }
        }
    }

    @Test
    void aHubThatDoesNotAnswerIsSeenFromOutside() throws Exception {
        try (Hub hub = Hub.start("busy")) {
            var begun = new CountDownLatch(1);
            var stop = new java.util.concurrent.atomic.AtomicBoolean();
            hub.spawn("spinning", () -> {
                begun.countDown();
                while (!stop.get()) {
                    Thread.onSpinWait();
                }
            });
            begun.await();
            try {
                assertThat(RunReport.of(hub)).contains("did not answer", "spinning", "runs");
            } finally {
                stop.set(true);
            }
        }
    }

    @SuppressWarnings("try") // closed twice
    @Test
    void aSignalPrintsItAlsoWhileEveryHubIsHeldUp() throws Exception {
        PrintStream before = System.err;
        var printed = new ByteArrayOutputStream();
        var done = new CountDownLatch(1);
        var begun = new CountDownLatch(1);
        var stop = new java.util.concurrent.atomic.AtomicBoolean();
        try (Hub hub = Hub.start("busy"); var listening = RunReport.onSignal("USR2")) {
            System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
            hub.spawn("spinning", () -> {
                begun.countDown();
                while (!stop.get()) {
                    Thread.onSpinWait();
                }
            });
            begun.await();
            Runnable undo = OsSignals.on("USR2", () -> { // registered after it, so called after it has printed
                done.countDown();
                return true;
            });
            try {
                OsSignals.raise("USR2");
                done.await();
            } finally {
                undo.run();
                stop.set(true);
            }
            listening.close(); // twice is harmless
        } finally {
            System.setErr(before);
        }
        assertThat(printed.toString(StandardCharsets.UTF_8)).contains("Hub busy on busy", "spinning");
    }

    @Test
    void itMayBeAskedForInsideAGreenlet() throws Exception {
        assertThat(run(() -> RunReport.of())).contains("1 greenlets", " runs");
        Hub.current().close();
        assertThat(RunReport.of()).isEqualTo("no hub is open\n");
    }
}
