package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.internal.loop.Recording;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest extends OnHub {
    @Test
    void theLivesOfGreenletsAreInAFlightRecording(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("events.jfr");
        errors();
        try (var recording = new jdk.jfr.Recording()) {
            for (String each : List.of("GreenletStart", "GreenletEnd", "GreenletKill", "TimeoutExpired", "Wait")) {
                recording.enable("dev.loomlet." + each);
            }
            recording.start();
            Recording.look(); // what the watchdog does every 50 ms
            assertThat(Recording.on()).isTrue();
            spawn("sleepy", () -> sleep(millis(5))).join();
            spawn("failing", () -> {
                throw new IllegalStateException("broken");
            }).join();
            var victim = spawn("victim", () -> sleep(LONG));
            yieldNow();
            spawn("killer", () -> victim.kill()).join();
            assertThat(run(() -> withTimeout(millis(2), () -> {
                sleep(LONG);
                return "never";
            }, "late"))).isEqualTo("late");
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertThat(of(events, "GreenletStart")).anySatisfy(each -> {
            assertThat(each.getString("greenlet")).isEqualTo("sleepy");
            assertThat(each.getString("spawnSite")).contains("RecordingTest");
        });
        assertThat(of(events, "GreenletEnd"))
                .extracting(each -> each.getString("greenlet") + " " + each.getString("end"))
                .contains("sleepy value", "failing error", "victim kill");
        assertThat(of(events, "GreenletKill")).anySatisfy(each -> {
            assertThat(each.getString("greenlet")).isEqualTo("victim");
            assertThat(each.getStackTrace().getFrames().toString()).isNotEmpty();
        });
        assertThat(of(events, "TimeoutExpired")).isNotEmpty()
                .allSatisfy(each -> assertThat(each.getString("timeout")).contains("2 ms"));
        assertThat(of(events, "Wait"))
                .anySatisfy(each -> assertThat(each.getDuration("waited").toNanos()).isGreaterThan(4_000_000));
    }

    private static Stream<RecordedEvent> of(List<RecordedEvent> events, String name) {
        return events.stream().filter(each -> each.getEventType().getName().equals("dev.loomlet." + name));
    }
}
