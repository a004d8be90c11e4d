package dev.loomlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Future.State;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A greenlet is a {@link Future} in the hands of whoever has it: each row of the contract, from each kind of caller. */
class FutureContractTest extends OnHub {
    /** Who calls. The greenlet in question runs on a hub with a thread of its own, except where the caller is its home. */
    enum Caller {
        GREENLET_OF_THE_SAME_HUB {
            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                return unwrap(hub.spawn(task));
            }
        },
        GREENLET_OF_ANOTHER_HUB {
            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                try (Hub other = Hub.start("another")) {
                    return unwrap(other.spawn(task));
                }
            }
        },
        HOME_THREAD {
            @Override
            Hub hub() {
                return Hub.current();
            }

            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                return task.call();
            }
        },
        THREAD_OF_ANOTHER_HUB {
            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                Hub.current();
                return task.call();
            }
        },
        FOREIGN_PLATFORM_THREAD {
            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                FutureTask<T> future = new FutureTask<>(task);
                Thread.ofPlatform().start(future).join();
                return unwrap(future);
            }
        },
        STOCK_VIRTUAL_THREAD {
            @Override
            <T> T call(Hub hub, Callable<T> task) throws Exception {
                FutureTask<T> future = new FutureTask<>(task);
                Thread.startVirtualThread(future).join();
                return unwrap(future);
            }
        };

        Hub hub() {
            return Hub.start("asked");
        }

        abstract <T> T call(Hub hub, Callable<T> task) throws Exception;

        private static <T> T unwrap(Future<T> future) throws Exception {
            try {
                return future.get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Error error) {
                    throw error; // an assertion's
                }
                throw e;
            }
        }

        /** Runs a part of a test as this caller. */
        void checks(Hub hub, Action part) throws Exception {
            call(hub, () -> {
                part.run();
                return 0;
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofOneThatReturns(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            CountDownLatch go = new CountDownLatch(1);
            Greenlet<String> g = hub.spawn(() -> {
                go.await();
                return "result";
            });
            caller.checks(hub, () -> {
                assertThat(g.isDone()).isFalse();
                assertThat(g.isCancelled()).isFalse();
                assertThat(g.state()).isEqualTo(State.RUNNING);
                assertThatThrownBy(g::resultNow).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("has not ended");
                assertThatThrownBy(g::exceptionNow).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("has not ended");
                assertThatThrownBy(() -> g.get(1, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class)
                        .hasMessageContaining("after 1 milliseconds");
                assertThatThrownBy(() -> g.get(0, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
                assertThatThrownBy(() -> g.get(-1, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
                assertThat(g.join(Duration.ofMillis(1))).isFalse();
                assertThat(g.join(Duration.ZERO)).isFalse();

                Thread.ofPlatform().start(go::countDown); // while the caller waits
                assertThat(g.get()).isEqualTo("result");

                assertThat(g.get(0, TimeUnit.SECONDS)).isEqualTo("result");
                assertThat(g.join(Duration.ZERO)).isTrue();
                g.join();
                assertThat(g.value()).isEqualTo("result");
                assertThat(g.resultNow()).isEqualTo("result");
                assertThatThrownBy(g::exceptionNow).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("did not fail");
                assertThat(g.isDone()).isTrue();
                assertThat(g.state()).isEqualTo(State.SUCCESS);
                assertThat(g.cancel(true)).as("cancelled after its end").isFalse();
                assertThat(g.isCancelled()).isFalse();
                assertThat(g.kill(Duration.ZERO)).as("dead").isTrue();
                assertThat(g.resultNow()).isEqualTo("result");
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofOneThatFails(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            hub.onError((greenlet, error) -> {});
            IOException error = new IOException("as it is");
            Greenlet<String> g = hub.spawn(() -> {
                Loomlet.sleep(Duration.ofMillis(20));
                throw error;
            });
            caller.checks(hub, () -> {
                assertThatThrownBy(g::get).isInstanceOf(ExecutionException.class).cause().isSameAs(error);
                assertThatThrownBy(() -> g.get(1, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class).cause()
                        .isSameAs(error);
                g.join();
                assertThatThrownBy(g::value).cause().isSameAs(error);
                assertThat(g.exceptionNow()).isSameAs(error);
                assertThatThrownBy(g::resultNow).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("failed").hasCause(error);
                assertThat(g.isDone()).isTrue();
                assertThat(g.isCancelled()).isFalse();
                assertThat(g.state()).isEqualTo(State.FAILED);
                assertThat(g.cancel(false)).isFalse();
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofOneThatIsCancelledWhileItWaits(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            Greenlet<String> g = hub.spawn(() -> {
                Loomlet.sleep(LONG);
                return "result";
            });
            caller.checks(hub, () -> {
                assertThat(g.cancel(false)).isTrue();
                g.join(); // cancel does not wait
                cancelled(g);
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofOneThatIsCancelledBeforeItsStart(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            Greenlet<Void> g = hub.unstarted(() -> note("ran"));
            caller.checks(hub, () -> {
                assertThat(g.state()).isEqualTo(State.RUNNING); // the JDK has no other word for it
                assertThat(g.cancel(true)).isTrue();
                g.join();
                cancelled(g);
            });
            assertThat(log).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofOneThatIsKilledInAWaitOfTheJdkByAnyCaller(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            CountDownLatch never = new CountDownLatch(1);
            Greenlet<Void> g = hub.spawn(() -> never.await());
            caller.checks(hub, () -> {
                g.kill();
                cancelled(g);
            });
        }
    }

    private static void cancelled(Greenlet<?> g) {
        assertThatThrownBy(g::get).isInstanceOf(CancellationException.class).hasMessageContaining("was killed")
                .hasCauseInstanceOf(GreenletExit.class);
        assertThatThrownBy(() -> g.get(0, TimeUnit.SECONDS)).isInstanceOf(CancellationException.class);
        assertThatThrownBy(g::value).isInstanceOf(CancellationException.class);
        assertThatThrownBy(g::resultNow).isInstanceOf(IllegalStateException.class).hasMessageContaining("was killed");
        assertThatThrownBy(g::exceptionNow).isInstanceOf(IllegalStateException.class);
        assertThat(g.isDone()).isTrue();
        assertThat(g.isCancelled()).isTrue();
        assertThat(g.state()).isEqualTo(State.CANCELLED);
        assertThat(g.cancel(true)).as("cancelled twice").isFalse();
    }

    /** Whoever waits may be interrupted, and the greenlet goes on. */
    @ParameterizedTest
    @EnumSource
    void anInterruptEndsGetAndNotTheGreenlet(Caller caller) throws Exception {
        try (Hub hub = caller.hub()) {
            Greenlet<Void> g = hub.spawn(() -> Loomlet.sleep(LONG));
            caller.checks(hub, () -> {
                Thread waiting = Thread.currentThread();
                Thread.ofPlatform().start(waiting::interrupt);
                assertThatThrownBy(g::get).isInstanceOf(InterruptedException.class);
                assertThat(waiting.isInterrupted()).isFalse();
                assertThat(g.isDone()).isFalse();
            });
        }
    }
}
