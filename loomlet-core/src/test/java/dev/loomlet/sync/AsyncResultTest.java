package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class AsyncResultTest extends HubTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private final AsyncResult<String> result = new AsyncResult<>();
    private final List<Object> seen = new ArrayList<>();

    @Test
    void isNotReadyAtFirst() {
        assertThat(result.ready()).isFalse();
        assertThat(result.successful()).isFalse();
        assertThat(result.get(Duration.ZERO)).isEmpty();
        assertThat(result.get(Duration.ofMillis(2))).isEmpty();
    }

    @Test
    void givesItsValueToAllInTheirOrder() {
        for (int i = 0; i < 3; i++) {
            int n = i;
            spawn(() -> {
                seen.add(n + result.get());
            });
        }
        idle();
        assertThat(result.set("v")).isTrue();
        assertThat(result.set("w")).isFalse();
        assertThat(result.setException(new IOException())).isFalse();
        idle();
        assertThat(seen).containsExactly("0v", "1v", "2v");
        assertThat(result.get()).isEqualTo("v");
        assertThat(result.successful()).isTrue();
    }

    @Test
    void throwsItsError() {
        result.setException(new IllegalStateException("no"));
        assertThatThrownBy(result::get).isInstanceOf(IllegalStateException.class).hasMessage("no");
        assertThat(result.exception()).containsInstanceOf(IllegalStateException.class);
        assertThat(result.await(LONG)).isTrue();
        AsyncResult<String> checked = new AsyncResult<>();
        checked.setException(new IOException("io"));
        assertThatThrownBy(checked::get).isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void takesOverWhatBecameOfAGreenlet() {
        Hub.current().onError((_, _) -> {});
        spawn(() -> "v").link(result);
        assertThat(result.get()).isEqualTo("v");
        AsyncResult<String> failed = new AsyncResult<>();
        Greenlet<String> failing = spawn(() -> {
            throw new IllegalStateException("no");
        });
        failing.link(failed);
        assertThatThrownBy(failed::get).isInstanceOf(IllegalStateException.class);
        AsyncResult<Boolean> killed = new AsyncResult<>();
        Greenlet<Boolean> victim = spawn(() -> new Event().await(LONG));
        victim.link(killed);
        idle();
        victim.kill();
        assertThatThrownBy(killed::get).isInstanceOf(GreenletExit.class);
    }

    @Test
    void comesFromAnotherThread() throws Exception {
        Thread setter = Thread.ofPlatform().start(() -> result.set("there"));
        assertThat(result.get(LONG)).contains("there");
        setter.join();
    }

    @Test
    void oneWhoWasKilledIsForgotten() {
        Greenlet<String> killed = spawn(() -> result.get());
        idle();
        killed.kill();
        result.set("v");
        sleep(Duration.ZERO);
        assertThat(killed.exit()).isPresent();
    }
}
