package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.sync.Event;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class BridgesTest extends OnHub {
    // --- a greenlet as a future

    @Test
    void aGreenletsResultErrorAndKillBecomeTheFutures() throws Exception {
        errors();
        assertThat(spawn(() -> 5).toCompletableFuture().get()).isEqualTo(5);
        assertThat(spawn(() -> {}).toCompletableFuture().join()).isNull();
        var failed = spawn(() -> {
            throw new IOException("lost");
        }).toCompletableFuture();
        assertThatThrownBy(failed::get).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IOException.class);
        var killed = spawn(() -> sleep(LONG));
        var future = killed.toCompletableFuture();
        killed.kill();
        assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
        assertThat(future.isCancelled()).isTrue();
    }

    @Test
    void cancellingTheFutureKillsTheGreenletAndCancellingADependentDoesNot() {
        var greenlet = spawn(() -> sleep(LONG));
        var future = greenlet.toCompletableFuture();
        var dependent = future.thenRun(() -> note("ran"));
        yieldNow();
        assertThat(dependent.cancel(true)).isTrue();
        yieldNow();
        assertThat(greenlet.ready()).isFalse();
        assertThat(future.cancel(true)).isTrue();
        assertThat(future.cancel(true)).isTrue(); // as the JDK's: it is cancelled
        greenlet.join();
        assertThat(greenlet.exit()).isPresent();
        assertThat(log).isEmpty();
    }

    @Test
    void whatDependsOnItRunsInAGreenletAndMayWait() {
        var greenlet = spawn(() -> 1);
        var future = greenlet.toCompletableFuture().thenApply(one -> {
            note(me().hub() == greenlet.hub() && me() != greenlet);
            sleep(millis(1));
            return one + 1;
        });
        assertThat(await(future)).isEqualTo(2);
        assertThat(log).containsExactly("true");
    }

    @Test
    void aWaitWithATimeRunsTheHubToo() throws Exception {
        var slow = spawn(() -> sleep(LONG)).toCompletableFuture();
        assertThatThrownBy(() -> slow.get(2, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        assertThat(spawn(() -> 7).toCompletableFuture().get(30, TimeUnit.SECONDS)).isEqualTo(7);
        slow.cancel(true);
    }

    @Test
    void aForeignThreadMayWaitForTheFuture() throws Exception {
        try (Hub hub = Hub.start("far")) {
            assertThat(hub.spawn(() -> 8).toCompletableFuture().get()).isEqualTo(8);
        }
    }

    @Test
    void aHubThatClosesCompletesTheFuturesOfWhatItKills() {
        var hub = Hub.start("closing");
        var future = hub.spawn(() -> sleep(LONG)).toCompletableFuture();
        hub.close();
        assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
    }

    // --- a stage of somebody else's

    @Test
    void aStageIsWaitedForInAGreenletAndOnTheHubsOwnThread() throws Exception {
        var inGreenlet = new CompletableFuture<String>();
        var atHome = new CompletableFuture<String>();
        var waiting = spawn(() -> await(inGreenlet));
        spawn(() -> note("others run"));
        spawn(() -> atHome.complete("home"));
        assertThat(await(atHome)).isEqualTo("home");
        assertThat(log).containsExactly("others run");
        Thread foreign = Thread.ofPlatform().start(() -> inGreenlet.complete("greenlet"));
        assertThat(waiting.value()).isEqualTo("greenlet");
        foreign.join();
        assertThat(await(CompletableFuture.completedStage(3))).isEqualTo(3);
        CompletionStage<String> minimal = new CompletableFuture<String>().minimalCompletionStage();
        assertThatThrownBy(() -> withTimeout(millis(2), () -> await(minimal))).isInstanceOf(TimeoutExpired.class);
    }

    @Test
    void theErrorOfAStageIsThrownOutOfItsWrapping() {
        errors();
        assertThatThrownBy(() -> await(CompletableFuture.failedFuture(new IllegalStateException("mine"))))
                .isInstanceOf(IllegalStateException.class).hasMessage("mine");
        assertThatThrownBy(() -> await(CompletableFuture.supplyAsync(() -> {
            throw new IllegalArgumentException("wrapped");
        }, Hub.current().executor()))).isInstanceOf(IllegalArgumentException.class).hasMessage("wrapped");
        assertThatThrownBy(() -> await(CompletableFuture.failedStage(new IOException("checked"))))
                .isInstanceOf(CompletionException.class).hasCauseInstanceOf(IOException.class);
        var cancelled = new CompletableFuture<String>();
        cancelled.cancel(false);
        assertThatThrownBy(() -> await(cancelled)).isInstanceOf(CancellationException.class);
    }

    @Test
    void aKillAndATimeoutEndTheWaitAndLeaveTheStageAlone() {
        var stage = new CompletableFuture<String>();
        var killed = spawn(() -> await(stage));
        var late = spawn(() -> withTimeout(millis(2), () -> await(stage), "late"));
        yieldNow();
        killed.kill();
        assertThat(killed.exit()).isPresent();
        assertThat(late.value()).isEqualTo("late");
        assertThat(stage).isNotDone();
    }

    // --- any other future

    @Test
    void aJobOfAnExecutorIsWaitedForWithoutHoldingUpTheHub() throws Exception {
        var go = new Event();
        try (var executor = Executors.newSingleThreadExecutor()) {
            Future<Integer> job = executor.submit(() -> {
                go.await();
                return 4;
            });
            spawn(go::set);
            assertThat(await(job)).isEqualTo(4); // on the hub's own thread, which has to run the greenlet above
            Future<Integer> failing = executor.submit(() -> {
                throw new IOException("in the job");
            });
            assertThatThrownBy(() -> run(() -> await(failing))).isInstanceOf(CompletionException.class)
                    .hasRootCauseMessage("in the job");
            assertThat(run(() -> await(executor.submit(() -> 6)))).isEqualTo(6);
        }
        assertThat(await(spawn(() -> 9))).isEqualTo(9);
    }

    @Test
    void aKillAndATimeoutEndTheWaitForAnyFuture() throws Exception {
        var never = new FutureTask<>(() -> 1);
        var killed = spawn(() -> await(never));
        yieldNow();
        killed.kill();
        assertThat(killed.exit()).isPresent();
        assertThat(run(() -> withTimeout(millis(2), () -> await(never), 2))).isEqualTo(2);
        run(() -> {
            try (var _ = Timeout.after(millis(2))) {
                assertThat(catchThrowable(() -> await(never))).isInstanceOf(TimeoutExpired.class);
            }
            sleep(millis(1)); // no interrupt is left
        });
        try (var _ = Timeout.after(millis(2))) {
            assertThat(catchThrowable(() -> await(never))).isInstanceOf(TimeoutExpired.class);
        }
        assertThat(Hub.current().liveGreenlets()).isZero();
    }
}
