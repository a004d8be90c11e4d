package dev.loomlet;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.loomlet.internal.jdk.VirtualThreads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A hub in the hand of other people's code: {@code hub.executor()} and {@code hub.threadFactory()}. */
class HubExecutorTest {
    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static Thread carrier() {
        return VirtualThreads.currentCarrier();
    }

    @Test
    void aFutureIsWaitedForOnTheHubsOwnThread() throws Exception {
        var executor = Hub.current().executor();
        assertThat(executor.submit(() -> carrier()).get()).isSameAs(Thread.currentThread());
        assertThat(executor.submit(() -> {}, 5).get(10, SECONDS)).isEqualTo(5);
        assertThatThrownBy(() -> executor.submit(() -> {
            throw new IOException("disk");
        }).get()).isInstanceOf(ExecutionException.class).cause().hasMessage("disk");
    }

    @Test
    void tasksFromManyThreadsRunOnTheHub() throws Exception {
        try (Hub hub = Hub.start("served")) {
            var executor = hub.executor();
            Set<Thread> carriers = ConcurrentHashMap.newKeySet();
            var done = new CountDownLatch(400);
            for (int t = 0; t < 4; t++) {
                Thread.ofPlatform().start(() -> {
                    for (int i = 0; i < 100; i++) {
                        executor.execute(() -> {
                            carriers.add(carrier());
                            done.countDown();
                        });
                    }
                });
            }
            assertThat(done.await(30, SECONDS)).isTrue();
            assertThat(carriers).containsExactly(hub.thread());
            executor.shutdown();
            assertThat(executor.awaitTermination(30, SECONDS)).isTrue();
            assertThat(executor.isTerminated()).isTrue();
            assertThatThrownBy(() -> executor.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        }
    }

    @Test
    void invokeAllAndInvokeAny() throws Exception {
        var executor = Hub.current().executor();
        List<Callable<Integer>> tasks = List.of(() -> 1, () -> 2, () -> 3);
        assertThat(executor.invokeAll(tasks)).extracting(each -> each.get()).containsExactly(1, 2, 3);
        AtomicReference<Object> loser = new AtomicReference<>();
        int first = executor.invokeAny(List.of(() -> {
            throw new IOException("no");
        }, () -> 2, () -> {
            try {
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                loser.set(e);
            }
            return 3;
        }));
        assertThat(first).isEqualTo(2);
        assertThatThrownBy(() -> executor.invokeAny(List.<Callable<Integer>>of(() -> {
            throw new IOException("no");
        }))).isInstanceOf(ExecutionException.class).cause().hasMessage("no");
        Callable<Integer> slow = () -> {
            Loomlet.sleep(Duration.ofDays(1));
            return 1;
        };
        assertThatThrownBy(() -> executor.invokeAny(List.of(slow), 5, MILLISECONDS))
                .isInstanceOf(TimeoutException.class);
        var late = executor.invokeAll(List.of(slow, () -> 2), 20, MILLISECONDS);
        assertThatThrownBy(late.get(0)::get).isInstanceOf(CancellationException.class);
        assertThat(late.get(1).get()).isEqualTo(2);
        executor.close();
    }

    @Test
    void delayedAndPeriodicTasksUseTheHubsTimers() throws Exception {
        ScheduledExecutorService executor = Hub.current().executor();
        long start = System.nanoTime();
        var delayed = executor.schedule(() -> carrier(), 20, MILLISECONDS);
        assertThat(delayed.getDelay(MILLISECONDS)).isBetween(0L, 20L);
        assertThat(delayed.get()).isSameAs(Thread.currentThread());
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(20_000_000L);

        var runs = new AtomicInteger();
        var periodic = executor.scheduleAtFixedRate(() -> {
            if (runs.incrementAndGet() == 3) {
                throw new IllegalStateException("third");
            }
        }, 0, 1, MILLISECONDS);
        assertThatThrownBy(periodic::get).isInstanceOf(ExecutionException.class).cause().hasMessage("third");
        assertThat(runs.get()).isEqualTo(3);

        var cancelled = executor.scheduleWithFixedDelay(runs::incrementAndGet, 1, 1, SECONDS);
        assertThat(cancelled.cancel(false)).isTrue();
        executor.shutdown();
        assertThat(executor.awaitTermination(30, SECONDS)).isTrue();
    }

    @Test
    void shutdownRunsWhatIsDelayedAndEndsWhatIsPeriodic() throws Exception {
        ScheduledExecutorService executor = Hub.current().executor();
        var delayed = executor.schedule(() -> 7, 10, MILLISECONDS);
        var periodic = executor.scheduleAtFixedRate(() -> {}, 0, 1, SECONDS);
        Loomlet.yieldNow();
        executor.shutdown();
        assertThat(executor.awaitTermination(30, SECONDS)).isTrue();
        assertThat(delayed.resultNow()).isEqualTo(7);
        assertThat(periodic.isCancelled()).isTrue();
    }

    @Test
    void shutdownNowHandsBackWhatHasNotBegun() throws Exception {
        var executor = Hub.current().executor();
        var running = executor.submit(() -> Loomlet.sleep(Duration.ofDays(1)));
        Loomlet.yieldNow();
        Runnable waiting = () -> {
            throw new AssertionError("ran");
        };
        executor.execute(waiting);
        assertThat(executor.shutdownNow()).containsExactly(waiting);
        assertThat(executor.awaitTermination(30, SECONDS)).isTrue();
        assertThat(running.isCancelled()).isTrue();
    }

    @Test
    void awaitTerminationWaitsForTheShutdownToo() throws Exception {
        var executor = Hub.current().executor();
        assertThat(executor.awaitTermination(5, MILLISECONDS)).isFalse();
        Loomlet.spawnLater(Duration.ofMillis(5), executor::shutdown);
        assertThat(executor.awaitTermination(30, SECONDS)).isTrue();
    }

    @Test
    void aClosedHubRefusesTasks() {
        var hub = Hub.current();
        var executor = hub.executor();
        var factory = hub.threadFactory();
        hub.close();
        assertThatThrownBy(() -> executor.execute(() -> {})).isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> factory.newThread(() -> {}).start()).isInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void aThreadOfTheFactoryIsAGreenletWhoeverStartsIt() throws Exception {
        try (Hub hub = Hub.start("factory")) {
            var factory = hub.threadFactory();
            var seen = new CompletableFuture<Thread>();
            var parked = new CountDownLatch(1);
            Thread thread = factory.newThread(() -> {
                seen.complete(carrier());
                try {
                    Thread.sleep(Duration.ofDays(1));
                } catch (InterruptedException e) {
                    parked.countDown();
                }
            });
            thread.start(); // on this platform thread
            assertThat(seen.get(30, SECONDS)).isSameAs(hub.thread());
            assertThat(hub.liveGreenlets()).isEqualTo(1);
            thread.interrupt();
            thread.join();
            assertThat(parked.await(30, SECONDS)).isTrue();
            assertThat(hub.spawn(() -> hub.liveGreenlets()).value()).isEqualTo(1);
        }
    }

    @Test
    void handlersOfTheJdksHttpServerAndOfItsClientRunOnTheHub() throws Exception {
        try (Hub hub = Hub.start("http")) {
            Set<Thread> carriers = ConcurrentHashMap.newKeySet();
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(hub.executor());
            server.createContext("/", exchange -> {
                carriers.add(carrier());
                Loomlet.sleep(Duration.ofMillis(20)); // others are served meanwhile
                exchange.sendResponseHeaders(200, 2);
                exchange.getResponseBody().write("ok".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                exchange.close();
            });
            server.start();
            try (HttpClient client = HttpClient.newBuilder().executor(hub.executor()).build()) {
                var request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/")).build();
                List<CompletableFuture<String>> answers = java.util.stream.IntStream.range(0, 10)
                        .mapToObj(i -> client.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                                .thenApplyAsync(response -> {
                                    carriers.add(carrier());
                                    return response.body();
                                }, hub.executor()))
                        .toList();
                for (var each : answers) {
                    assertThat(each.get(30, SECONDS)).isEqualTo("ok");
                }
            } finally {
                server.stop(0);
            }
            assertThat(carriers).containsExactly(hub.thread());
        }
    }

    @Test
    void completableFuturesRunOnTheHub() throws Exception {
        try (Hub hub = Hub.start("futures")) {
            assertThat(CompletableFuture.supplyAsync(HubExecutorTest::carrier, hub.executor()).get(30, SECONDS))
                    .isSameAs(hub.thread());
        }
    }
}
