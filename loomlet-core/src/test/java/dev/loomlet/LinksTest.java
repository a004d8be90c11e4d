package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Who is told of a greenlet's end: gevent's {@code link} and its kin. */
class LinksTest extends OnHub {

    private static Greenlet<Void> failing() {
        return spawn(() -> {
            throw new IllegalStateException("meant to fail");
        });
    }

    /** Lets every link that has been fired run. */
    private static void settle() {
        yieldNow();
        yieldNow();
        yieldNow();
    }

    @Test
    void areCalledInTheOrderInWhichTheyWereMadeEachInAGreenletOfItsOwn() {
        Greenlet<Integer> g = spawn(() -> 1);
        List<Greenlet<?>> in = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int n = i;
            g.link(ended -> {
                note(n + ":" + ended.value());
                in.add(me());
            });
        }
        g.join();
        settle();

        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            expected.add(i + ":1");
        }
        assertThat(log).isEqualTo(expected);
        assertThat(in).doesNotHaveDuplicates().doesNotContain(g);
    }

    @Test
    void areCalledAlsoIfMadeAfterTheEnd() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.join();

        g.link(ended -> note("late " + (ended == g)));
        assertThat(log).as("not from within link()").isEmpty();
        g.linkException(ended -> note("wrong"));
        settle();

        assertThat(log).containsExactly("late true");
        assertThat(g.hasLinks()).isFalse();
    }

    @Test
    void ofAValueAndOfAnErrorAreToldApart() {
        errors();
        Greenlet<Integer> good = spawn(() -> 1);
        Greenlet<Void> bad = failing();
        Greenlet<Void> killed = spawn(() -> sleep(LONG));
        for (Greenlet<?> each : List.of(good, bad, killed)) {
            each.linkValue(ended -> note("value of " + end(ended)));
            each.linkException(ended -> note("error of " + end(ended)));
        }
        joinAll(good, bad);
        killed.kill();
        settle();

        assertThat(log).containsExactlyInAnyOrder("value of value", "error of IllegalStateException",
                "value of killed");
    }

    @Test
    void areCalledForOneThatWasKilledBeforeItsTurn() {
        for (Greenlet<Void> g : List.of(Hub.current().unstarted(() -> note("runs")), spawn(() -> note("runs")),
                Loomlet.spawnLater(LONG, () -> note("runs")))) {
            g.link(ended -> note(end(ended)));
            g.kill();
        }
        settle();
        assertThat(log).containsExactly("killed", "killed", "killed");
    }

    @Test
    void anErrorInOneIsReportedAndTheOthersRun() {
        List<Throwable> errors = errors();
        Greenlet<Integer> g = spawn(() -> 1);
        g.link(ended -> note("first"));
        g.link(ended -> {
            throw new IllegalStateException("in a link");
        });
        g.link(ended -> note("last"));
        g.join();
        settle();

        assertThat(log).containsExactly("first", "last");
        assertThat(errors).singleElement().asString().contains("in a link");
        assertThat(g.value()).isEqualTo(1);
    }

    @Test
    void mayBlock() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.link(ended -> {
            sleep(millis(5));
            note("slow");
        });
        g.link(ended -> note("quick"));
        until(() -> log.size() == 2);
        assertThat(log).containsExactly("quick", "slow");
    }

    @Test
    void thatAreTakenBackAreNotCalled() {
        Greenlet<Integer> g = spawn(() -> 1);
        Consumer<Greenlet<Integer>> a = ended -> note("a");
        Consumer<Greenlet<Integer>> b = ended -> note("b");
        g.link(a);
        g.link(b);
        g.linkValue(a);
        assertThat(g.hasLinks()).isTrue();

        g.unlink(a);
        assertThat(g.hasLinks()).isTrue();
        g.join();
        settle();
        assertThat(log).containsExactly("b");

        Greenlet<Integer> other = spawn(() -> 1);
        other.link(a);
        other.linkException(b);
        other.unlinkAll();
        assertThat(other.hasLinks()).isFalse();
        other.join();
        settle();
        assertThat(log).containsExactly("b");
    }

    @Test
    void thatAreTakenBackWhileTheOthersAreBeingCalledAreNotCalled() {
        Greenlet<Integer> g = spawn(() -> 1);
        Consumer<Greenlet<Integer>> second = ended -> note("second");
        g.link(ended -> {
            note("first");
            ended.unlink(second);
        });
        g.link(second);
        g.link(ended -> note("third"));
        g.join();
        settle();
        assertThat(log).containsExactly("first", "third");
    }

    @Test
    void canAllBeTakenBackByTheFirst() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.link(ended -> {
            note("first");
            ended.unlinkAll();
        });
        g.link(ended -> note("second"));
        g.link(ended -> note("third"));
        g.join();
        settle();
        assertThat(log).containsExactly("first");
    }

    @Test
    void madeAfterTheEndCanBeTakenBackToo() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.join();
        Consumer<Greenlet<Integer>> callback = ended -> note("called");
        g.link(callback);
        g.unlink(callback);
        settle();
        assertThat(log).isEmpty();
    }

    @Test
    void madeByALinkAreCalled() {
        Greenlet<Integer> g = spawn(() -> 1);
        g.link(ended -> ended.link(again -> note("again")));
        g.join();
        settle();
        assertThat(log).containsExactly("again");
    }

    @Test
    void canBeMadeOnAnyThreadAndAreCalledOnTheHub() throws InterruptedException {
        Greenlet<Integer> g = spawn(() -> 1);
        Thread hubThread = Thread.currentThread();
        AtomicInteger calls = new AtomicInteger();
        AtomicReference<Object> wrong = new AtomicReference<>("");
        List<Thread> threads = new ArrayList<>();
        CountDownLatch go = new CountDownLatch(1);
        for (int t = 0; t < 4; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                for (int i = 0; i < 500; i++) {
                    g.link(ended -> {
                        calls.incrementAndGet();
                        if (dev.loomlet.internal.jdk.VirtualThreads.currentCarrier() != hubThread) {
                            wrong.set(Thread.currentThread());
                        }
                    });
                }
            }));
        }
        go.countDown();
        g.join();
        until(() -> calls.get() == 2000);
        for (Thread each : threads) {
            each.join();
        }
        assertThat(wrong).hasValue("");
    }

    /** Links come and go on several threads while the end comes: each that was not taken back is called once. */
    @Test
    void noneIsLostOrCalledTwiceInARaceWithTheEnd() throws Exception {
        for (int round = 0; round < 200; round++) {
            CountDownLatch end = new CountDownLatch(1);
            Greenlet<Void> g = spawn(() -> end.await());
            yieldNow();
            int threads = 3;
            int each = 60;
            AtomicInteger[] called = new AtomicInteger[threads * each];
            List<Thread> all = new ArrayList<>();
            CountDownLatch go = new CountDownLatch(1);
            for (int t = 0; t < threads; t++) {
                int base = t * each;
                all.add(Thread.ofPlatform().start(() -> {
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    for (int i = 0; i < each; i++) {
                        AtomicInteger count = new AtomicInteger();
                        called[base + i] = count;
                        Consumer<Greenlet<Void>> callback = ended -> count.incrementAndGet();
                        g.link(callback);
                        if (i % 3 == 0) {
                            Consumer<Greenlet<Void>> temporary = ended -> {};
                            g.link(temporary);
                            g.unlink(temporary);
                        }
                        if (base == 0 && i == each / 2) {
                            end.countDown();
                        }
                    }
                }));
            }
            go.countDown();
            for (Thread thread : all) {
                until(() -> !thread.isAlive());
            }
            g.join();
            settle();
            for (int i = 0; i < called.length; i++) {
                assertThat(called[i]).as("round %s, link %s", round, i).hasValue(1);
            }
        }
    }

    @Test
    void aCallbackThatWasTakenBackOnAnotherThreadIsNotCalledEvenIfOthersTakeBackTheirs() throws Exception {
        for (int round = 0; round < 200; round++) {
            Greenlet<Void> g = Hub.current().unstarted(() -> {});
            int threads = 3;
            AtomicInteger wrong = new AtomicInteger();
            List<Thread> all = new ArrayList<>();
            CountDownLatch go = new CountDownLatch(1);
            for (int t = 0; t < threads; t++) {
                all.add(Thread.ofPlatform().start(() -> {
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    for (int i = 0; i < 50; i++) {
                        Consumer<Greenlet<Void>> a = ended -> wrong.incrementAndGet();
                        Consumer<Greenlet<Void>> b = ended -> wrong.incrementAndGet();
                        g.link(a);
                        g.link(b);
                        g.unlink(a);
                        g.unlink(b);
                    }
                }));
            }
            go.countDown();
            for (Thread thread : all) {
                thread.join();
            }
            assertThat(g.hasLinks()).as("round %s", round).isFalse();
            g.start().join();
            settle();
            assertThat(wrong).as("round %s", round).hasValue(0);
        }
    }

    @Test
    void aMillionWaitsThatWereGivenUpLeaveNoLinks() {
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        Greenlet<Void> waiting = spawn(() -> {
            for (int i = 0; i < 1_000_000; i++) {
                if (i % 1000 == 0) {
                    assertThat(g.hasLinks()).isFalse();
                }
                assertThat(Waits.untilEnd(g, i % 1000 == 0 ? 1 : 0)).isFalse();
            }
        });
        assertThat(waiting.value()).isNull();
        assertThat(g.hasLinks()).isFalse();
    }
}
