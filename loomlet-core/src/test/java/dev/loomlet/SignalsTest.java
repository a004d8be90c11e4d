package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.internal.jdk.OsSignals;
import dev.loomlet.sync.Event;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** With the signals USR2 and CONT, which nothing else here uses and whose loss would not end the JVM. */
class SignalsTest extends OnHub {
    @Test
    void aHandlerRunsInAGreenletOfItsHubEachTime() {
        var came = new Event();
        try (var _ = Signals.on("USR2", () -> {
            note(Hub.current() == Hub.ifPresent().orElseThrow() ? me().name() : "elsewhere");
            sleep(millis(1)); // it may wait
            came.set();
        })) {
            for (int i = 0; i < 2; i++) {
                OsSignals.raise("USR2");
                came.await(); // no LoopExit either: somebody may still send the signal
                came.clear();
            }
        }
        assertThat(log).containsExactly("signal USR2", "signal USR2");
    }

    @Test
    void severalHandlersAllRunEachOnItsOwnHub() throws Exception {
        var here = new Event();
        var there = new CountDownLatch(1);
        try (Hub other = Hub.start("other");
                var _ = Signals.on("SIGUSR2", here::set);
                var _ = other.spawn(() -> Signals.on("USR2", () -> {
                    note(Thread.currentThread() == me().thread() && me().hub() == other ? "other" : "wrong");
                    there.countDown();
                })).value()) {
            OsSignals.raise("USR2");
            here.await();
            there.await();
        }
        assertThat(log).containsExactly("other");
    }

    @SuppressWarnings("try") // closed twice
    @Test
    void whatTheSignalDidBeforeIsBackAfterTheLastHandler() throws Exception {
        var outer = new CountDownLatch(2);
        Runnable undo = OsSignals.on("CONT", () -> {
            note("outer");
            outer.countDown();
            return true;
        });
        try {
            var inner = new Event();
            try (var handler = Signals.on("CONT", inner::set)) {
                assertThat(handler.signal()).isEqualTo("CONT");
                OsSignals.raise("CONT");
                inner.await();
                handler.close();
            }
            inner.clear();
            OsSignals.raise("CONT");
            outer.await();
            assertThat(inner.isSet()).isFalse();
        } finally {
            undo.run();
        }
        assertThat(log).containsExactly("outer", "outer");
    }

    @Test
    void aHubThatClosesTakesItsHandlersWithIt() throws Exception {
        var outer = new CountDownLatch(1);
        Hub gone = Hub.start("gone");
        gone.spawn(() -> Signals.on("USR2", () -> note("gone"))).value();
        Runnable undo = OsSignals.on("USR2", () -> {
            outer.countDown();
            return true;
        });
        try {
            gone.close();
            OsSignals.raise("USR2");
            outer.await();
        } finally {
            undo.run();
        }
        assertThat(log).isEmpty();
    }

    @Test
    void anErrorInAHandlerIsReportedWithThePlaceOfRegistration() {
        var errors = errors();
        try (var _ = Signals.on("USR2", () -> {
            throw new IllegalStateException("in the handler");
        })) {
            OsSignals.raise("USR2");
            until(() -> !errors.isEmpty());
        }
        assertThat(errors.getFirst()).hasMessage("in the handler");
    }

    @Test
    void aSignalThatCannotBeHandledIsRefusedInPlainWords() {
        assertThatThrownBy(() -> Signals.on("NONSENSE", () -> {})).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("signal NONSENSE cannot be handled").hasMessageContaining("nknown");
        assertThatThrownBy(() -> Signals.on("KILL", () -> {})).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("signal KILL cannot be handled");
        assertThatThrownBy(() -> Signals.on("SEGV", () -> {})).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("signal SEGV cannot be handled");
        assertThatThrownBy(() -> new Event().await()).isInstanceOf(LoopExit.class); // and nothing is awaited for them
    }
}
