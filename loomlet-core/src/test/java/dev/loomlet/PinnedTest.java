package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.internal.loop.Waiter;
import java.lang.invoke.MethodHandles;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Waits of greenlets that cannot be unmounted, since a class initialiser is on their stack: a stand-in runs the hub
 * meanwhile. Each initialiser is that of a class of its own, made anew for each run.
 */
class PinnedTest extends OnHub {
    /** What the initialiser of the next {@link Initialised} does. Set and used on one hub without a wait in between. */
    private static final ThreadLocal<Action> NEXT = new ThreadLocal<>();

    /** Copied under another identity for each use. */
    static final class Initialised {
        static final Object DONE = body();

        private static Object body() {
            try {
                NEXT.get().run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return "done";
        }
    }

    /** Runs something inside a class initialiser of the calling thread. */
    private static void pinned(Action body) {
        NEXT.set(body);
        try {
            byte[] bytes;
            try (var in = PinnedTest.class.getResourceAsStream("PinnedTest$Initialised.class")) {
                assertThat(in).isNotNull();
                bytes = in.readAllBytes();
            }
            MethodHandles.lookup().defineHiddenClass(bytes, true, MethodHandles.Lookup.ClassOption.NESTMATE);
        } catch (java.io.IOException | IllegalAccessException e) {
            throw new AssertionError(e);
        } catch (ExceptionInInitializerError e) {
            throw Waits.<RuntimeException>sneak(e.getCause() == null ? e : e.getCause());
        } finally {
            NEXT.remove();
        }
    }

    private static <T> T pinnedValue(Supplier<T> body) {
        List<T> result = new ArrayList<>();
        pinned(() -> result.add(body.get()));
        return result.getFirst();
    }

    @Test
    void aSleepLetsTheOthersRun() {
        AtomicInteger ticks = new AtomicInteger();
        Greenlet<Void> ticker = spawn(() -> {
            for (;;) {
                sleep(millis(1));
                ticks.incrementAndGet();
            }
        });
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            until(() -> ticks.get() >= 5);
            note("slept");
        }));
        g.join();
        assertThat(log).containsExactly("slept");
        ticker.kill();
    }

    @Test
    void aWaitIsEndedByAnotherGreenlet() {
        Waiter[] waiter = new Waiter[1];
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            waiter[0] = new Waiter("a value");
            waiter[0].await(-1);
            note(String.valueOf(waiter[0].value()));
        }));
        spawn(() -> {
            sleep(millis(2));
            waiter[0].resume("from a greenlet");
        });
        g.join();
        assertThat(log).containsExactly("from a greenlet");
    }

    @Test
    void aWaitIsEndedByAnotherThreadWhileTheHubSleeps() throws InterruptedException {
        for (int i = 0; i < 30; i++) {
            AtomicReference<Waiter> waiter = new AtomicReference<>(new Waiter(""));
            Waiter none = waiter.get();
            Greenlet<Object> g = spawn(() -> pinnedValue(() -> {
                Waiter own = new Waiter("a value");
                waiter.set(own);
                try {
                    own.await(-1);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return "value " + own.value();
            }));
            Thread thread = Thread.ofPlatform().start(() -> {
                while (waiter.get() == none || waiter.get().since() == 0) {
                    Thread.onSpinWait();
                }
                try {
                    Thread.sleep(2); // so that the stand-in is asleep, mostly
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                waiter.get().resume("outside");
            });
            assertThat(g.value()).isEqualTo("value outside");
            thread.join();
        }
    }

    @Test
    void aKillReachesIt() {
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            try {
                sleep(LONG);
            } finally {
                note("left");
            }
        }));
        Greenlet<Boolean> killer = spawn(() -> g.kill(LONG)); // not from here: g keeps this thread while it waits
        assertThat(killer.value()).isTrue();
        assertThat(log).containsExactly("left");
        assertThat(g.exit()).isPresent();
    }

    @Test
    void anInterruptReachesIt() {
        errors();
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            Waiter waiter = new Waiter("nothing");
            Thread self = Thread.currentThread();
            Thread.ofPlatform().start(() -> {
                while (waiter.since() == 0) {
                    Thread.onSpinWait();
                }
                self.interrupt();
            });
            try {
                waiter.await(-1);
            } catch (InterruptedException e) {
                note("interrupted");
            }
        }));
        g.join();
        assertThat(log).containsExactly("interrupted");
    }

    @Test
    void closingReachesIt() {
        Hub hub = Hub.start("worker");
        Greenlet<Void> g = hub.spawn(() -> pinned(() -> {
            note("waits");
            sleep(LONG);
        }));
        until(() -> !log.isEmpty());
        hub.close();
        assertThat(g.exit()).isPresent();
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // a timed wait for nothing
    void theJdksTimedWaitsInItEnd() {
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            Thread.sleep(5);
            Object monitor = new Object();
            synchronized (monitor) {
                monitor.wait(5);
            }
            note("woke");
        }));
        g.join();
        assertThat(log).containsExactly("woke");
    }

    @Test
    void aSocketOfTheJdkInItIsServedFromOutside() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread echo = Thread.ofPlatform().start(() -> {
                try (Socket socket = server.accept()) {
                    int b = socket.getInputStream().read();
                    Thread.sleep(20);
                    socket.getOutputStream().write(b + 1);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            Greenlet<Integer> g = spawn(() -> pinnedValue(() -> {
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    socket.getOutputStream().write(41);
                    return socket.getInputStream().read();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }));
            assertThat(g.value()).isEqualTo(42);
            echo.join();
        }
    }

    @Test
    void onSeveralLevelsAndUnderAMonitorOfTheMainThreadEachEndsWhenItIsDue() {
        Object monitor = new Object();
        synchronized (monitor) {
            List<Greenlet<?>> all = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                int n = i;
                all.add(spawn(() -> pinned(() -> {
                    Greenlet<Void> inner = spawn(() -> pinned(() -> sleep(millis(5L * (6 - n)))));
                    sleep(millis(3L * n));
                    inner.join();
                    note(n);
                })));
            }
            joinAll(all);
            assertThat(all).allMatch(Greenlet::successful);
        }
        assertThat(log).hasSize(6);
    }

    @Test
    void inTheMainThreadsOwnInitialiserTheHubRunsThereToo() {
        pinned(() -> {
            Greenlet<Integer> g = spawn(() -> {
                sleep(millis(2));
                return 2;
            });
            assertThat(g.value()).isEqualTo(2);
            note("main");
        });
        assertThat(log).containsExactly("main");
    }

    @Test
    void anErrorInItComesOut() {
        errors();
        Greenlet<Void> g = spawn(() -> pinned(() -> {
            sleep(millis(1));
            throw new IllegalArgumentException("in the initialiser");
        }));
        assertThatThrownBy(g::value).hasMessageContaining("in the initialiser");
    }

    /** Pinned and other greenlets, the main thread with and without monitors, for a while: nobody is forgotten. */
    @Test
    void theBatonIsNeverLost() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long end = System.nanoTime() + Long.getLong("loomlet.soak.seconds", 3) * 1_000_000_000L;
        int rounds = 0;
        Object monitor = new Object();
        AtomicInteger inside = new AtomicInteger();
        while (System.nanoTime() < end) {
            List<Greenlet<?>> all = new ArrayList<>();
            int n = 1 + random.nextInt(8);
            for (int i = 0; i < n; i++) {
                long nanos = random.nextInt(2_000_000);
                int kind = random.nextInt(4);
                all.add(spawn(() -> {
                    for (int k = 0; k < 3; k++) {
                        if (kind == 0) {
                            pinned(() -> sleep(java.time.Duration.ofNanos(nanos)));
                        } else if (kind == 1) {
                            pinned(() -> {
                                Greenlet<Void> inner = spawn(() -> pinned(Loomlet::yieldNow));
                                inner.join();
                            });
                        } else if (kind == 2) {
                            synchronized (inside) {
                                sleep(java.time.Duration.ofNanos(nanos / 4));
                            }
                        } else {
                            yieldNow();
                        }
                        // one at a time: no other OS thread runs code of this hub
                        assertThat(inside.incrementAndGet()).isEqualTo(1);
                        inside.decrementAndGet();
                    }
                }));
            }
            if (random.nextBoolean()) {
                synchronized (monitor) {
                    joinAll(all, LONG);
                }
            } else {
                joinAll(all, LONG);
            }
            assertThat(all).as("seed %s, round %s", seed, rounds).allMatch(Greenlet::successful);
            rounds++;
        }
        assertThat(rounds).as("seed %s", seed).isGreaterThan(20);
    }
}
