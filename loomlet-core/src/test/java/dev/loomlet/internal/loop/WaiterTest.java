package dev.loomlet.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The one suspension primitive, for each kind of thread that waits with it. */
class WaiterTest {
    private static final long MILLI = 1_000_000L;

    /** Who waits. */
    enum Party {
        GREENLET {
            @Override
            void runs(Part part) throws Exception {
                Greenlet<Integer> greenlet = Hub.current().spawn(() -> {
                    part.run();
                    return 0;
                });
                greenlet.value();
            }
        },
        HOME {
            @Override
            void runs(Part part) throws Exception {
                Hub.current();
                part.run();
            }
        },
        HOME_THAT_HOLDS_A_MONITOR {
            @Override
            void runs(Part part) throws Exception {
                Hub.current();
                synchronized (this) {
                    part.run();
                }
            }
        },
        FOREIGN {
            @Override
            void runs(Part part) throws Exception {
                outside(part, Thread.ofPlatform());
            }
        },
        STOCK_VIRTUAL {
            @Override
            void runs(Part part) throws Exception {
                outside(part, Thread.ofVirtual());
            }
        };

        abstract void runs(Part part) throws Exception;

        private static void outside(Part part, Thread.Builder threads) throws Exception {
            FutureTask<Integer> task = new FutureTask<>(() -> {
                part.run();
                return 0;
            });
            threads.start(task).join();
            task.get();
        }
    }

    /** A part of a test. */
    interface Part {
        void run() throws Exception;
    }

    @AfterEach
    void close() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static Thread elsewhere(Runnable task) {
        return Thread.ofPlatform().start(task);
    }

    @ParameterizedTest
    @EnumSource
    void whoComesFirstEndsItAndTheOthersAreToldSo(Party party) throws Exception {
        party.runs(() -> {
            Waiter resumed = new Waiter("a value");
            assertThat(resumed.ended()).isFalse();
            assertThat(resumed.resume("x")).isTrue();
            assertThat(resumed.resume("y")).isFalse();
            assertThat(resumed.fail(new IllegalStateException())).isFalse();
            assertThat(resumed.expire()).isFalse();
            assertThat(resumed.ended()).isTrue();
            assertThat(resumed.await(-1)).isTrue();
            assertThat(resumed.value()).isEqualTo("x");

            Waiter failed = new Waiter("an error");
            IllegalStateException error = new IllegalStateException("this one");
            assertThat(failed.fail(error)).isTrue();
            assertThat(failed.resume("y")).isFalse();
            assertThatThrownBy(() -> failed.await(-1)).isSameAs(error);

            Waiter expired = new Waiter("its time");
            assertThat(expired.await(MILLI)).isFalse();
            assertThat(expired.resume("late")).isFalse();
            assertThat(expired.fail(error)).isFalse();
        });
    }

    @ParameterizedTest
    @EnumSource
    void anotherThreadEndsTheWait(Party party) throws Exception {
        party.runs(() -> {
            for (int i = 0; i < 50; i++) {
                Waiter waiter = new Waiter("a value");
                int n = i;
                Thread thread = elsewhere(() -> waiter.resume(n));
                assertThat(waiter.await(i % 2 == 0 ? -1 : 10_000 * MILLI)).isTrue();
                assertThat(waiter.value()).isEqualTo(n);
                thread.join();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void itsTimeIsNeverShortAndZeroIsNone(Party party) throws Exception {
        party.runs(() -> {
            long begin = System.nanoTime();
            assertThat(new Waiter("nothing").await(20 * MILLI)).isFalse();
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(20 * MILLI);
            assertThat(new Waiter("nothing").await(0)).isFalse();
        });
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsItAndIsTaken(Party party) throws Exception {
        party.runs(() -> {
            Thread self = Thread.currentThread();
            Thread thread = elsewhere(self::interrupt);
            Waiter waiter = new Waiter("nothing");
            assertThatThrownBy(() -> waiter.await(-1)).isInstanceOf(InterruptedException.class)
                    .hasMessageContaining("nothing");
            thread.join();
            assertThat(self.isInterrupted()).isFalse();
            assertThat(waiter.resume("late")).as("the value goes to somebody else").isFalse();

            self.interrupt(); // before the wait
            assertThatThrownBy(() -> new Waiter("nothing").await(-1)).isInstanceOf(InterruptedException.class);
            assertThat(self.isInterrupted()).isFalse();
        });
    }

    @ParameterizedTest
    @EnumSource
    void aShieldedWaitLeavesAnInterruptForTheNext(Party party) throws Exception {
        party.runs(() -> {
            Thread self = Thread.currentThread();
            Waiter shielded = new Waiter("what is sure to come");
            Thread thread = elsewhere(() -> {
                self.interrupt();
                shielded.resume(null);
            });
            shielded.awaitShielded();
            assertThatThrownBy(() -> new Waiter("nothing").await(-1)).isInstanceOf(InterruptedException.class);
            thread.join();
        });
    }

    @ParameterizedTest
    @EnumSource
    void ofAllWhoTryAtTheSameTimeExactlyOneEndsIt(Party party) throws Exception {
        int rounds = 500;
        party.runs(() -> {
            Waiter none = new Waiter("nobody");
            AtomicReference<Waiter> current = new AtomicReference<>(none);
            AtomicInteger won = new AtomicInteger();
            AtomicInteger answered = new AtomicInteger();
            Thread[] threads = new Thread[2];
            for (int t = 0; t < 2; t++) {
                boolean failing = t == 0;
                threads[t] = elsewhere(() -> {
                    Waiter last = none;
                    for (int i = 0; i < rounds; i++) {
                        Waiter waiter;
                        while ((waiter = current.get()) == last) {
                            Thread.yield();
                        }
                        last = waiter;
                        boolean mine = failing ? waiter.fail(new IllegalStateException("lost")) : waiter.resume("won");
                        won.addAndGet(mine ? 1 : 0);
                        answered.incrementAndGet();
                    }
                });
            }
            int ended = 0;
            for (int i = 0; i < rounds; i++) {
                Waiter waiter = new Waiter("either");
                current.set(waiter);
                try {
                    ended += waiter.await(i % 3 == 0 ? 10 * MILLI : -1) ? 1 : 0;
                } catch (IllegalStateException e) {
                    ended++;
                }
                while (answered.get() < 2 * (i + 1)) {
                    Thread.yield();
                }
            }
            for (Thread each : threads) {
                each.join();
            }
            assertThat(won).hasValue(ended);
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"GREENLET"})
    void whatIsRaisedBeforeItIsThrownAtIt(Party party) throws Exception {
        party.runs(() -> {
            Fiber fiber = java.util.Objects.requireNonNull(Fiber.current());
            GreenletExit exit = new GreenletExit("killed");
            fiber.raise(exit);
            assertThatThrownBy(() -> new Waiter("nothing").await(0)).isSameAs(exit);

            fiber.raise(exit);
            Waiter ready = new Waiter("a value");
            ready.resume("x");
            assertThat(ready.await(-1)).as("a value that was there first is not lost").isTrue();
            assertThatThrownBy(() -> new Waiter("nothing").await(-1)).isSameAs(exit);
        });
    }
}
