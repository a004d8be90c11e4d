package dev.loomlet;

import static dev.loomlet.Loomlet.current;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.spawnLater;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Life of a greenlet: gevent's {@code Greenlet}, except kills, links and waiting for many. */
class GreenletTest extends OnHub {

    @Test
    void isScheduledBySpawnAndRunsWhenItsSpawnerWaits() {
        Greenlet<Integer> g = spawn(() -> {
            note("runs");
            return 7;
        });
        note("spawned");

        assertThat(g.isAlive()).isTrue();
        assertThat(g.ready()).isFalse();
        assertThat(g.value()).isEqualTo(7);
        assertThat(log).containsExactly("spawned", "runs");
    }

    @Test
    void runsAfterThoseThatAreReadyAlready() {
        spawn(() -> {
            note("a");
            spawn(() -> note("c"));
        });
        Greenlet<Void> b = spawn(() -> note("b"));

        b.join();
        yieldNow();

        assertThat(log).containsExactly("a", "b", "c");
    }

    @Test
    void isAliveFromItsStartToItsEnd() {
        Greenlet<Boolean> g = Hub.current().unstarted(() -> me().isAlive() && !me().ready() && !me().successful());
        assertThat(g.isAlive()).isFalse();
        assertThat(g.ready()).isFalse();

        g.start();
        assertThat(g.isAlive()).isTrue();

        assertThat(g.value()).as("alive while it runs").isTrue();
        assertThat(g.isAlive()).isFalse();
        assertThat(g.ready()).isTrue();
        assertThat(g.successful()).isTrue();
    }

    @Test
    void isAliveWhileItIsTheCurrentOneAlsoDuringSwitches() {
        List<Boolean> seen = new ArrayList<>();
        Greenlet<Void> g = spawn(() -> {
            for (int i = 0; i < 3; i++) {
                seen.add(me().isAlive());
                yieldNow();
            }
        });
        spawn(() -> {
            for (int i = 0; i < 3; i++) {
                seen.add(g.isAlive());
                yieldNow();
            }
        });

        g.join();

        assertThat(seen).hasSizeGreaterThanOrEqualTo(5).containsOnly(true);
    }

    @Test
    void startsOnce() {
        AtomicInteger runs = new AtomicInteger();
        Greenlet<Integer> g = Hub.current().unstarted(runs::incrementAndGet);

        g.start().start();
        g.join();
        g.start();
        yieldNow();

        assertThat(runs).hasValue(1);
    }

    @Test
    void startsOnceWhenManyThreadsStartIt() throws InterruptedException {
        Hub hub = Hub.current();
        List<Throwable> errors = errors();
        int rounds = 300;
        for (int i = 0; i < rounds; i++) {
            AtomicInteger runs = new AtomicInteger();
            Greenlet<Integer> g = hub.unstarted(runs::incrementAndGet);
            CountDownLatch go = new CountDownLatch(1);
            List<Thread> threads = new ArrayList<>();
            for (int k = 0; k < 3; k++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    awaitUninterruptibly(go);
                    g.start();
                }));
            }
            go.countDown();
            for (Thread each : threads) {
                each.join();
            }
            g.join();
            yieldNow();
            assertThat(runs).hasValue(1);
        }
        assertThat(errors).isEmpty();
        assertThat(hub.liveGreenlets()).isZero();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void spawnLaterRunsAfterTheTime() {
        long start = System.nanoTime();
        Greenlet<Long> g = spawnLater(millis(30), () -> System.nanoTime() - start);

        assertThat(g.isAlive()).as("started").isFalse();
        assertThat(g.value()).isBetween(30_000_000L, 2_000_000_000L);
    }

    @Test
    void spawnLaterMayBeStartedEarlier() {
        AtomicInteger runs = new AtomicInteger();
        Greenlet<Integer> g = spawnLater(millis(20), runs::incrementAndGet);

        g.start();
        yieldNow();
        assertThat(runs).hasValue(1);

        sleep(millis(40));
        assertThat(runs).hasValue(1);
        assertThat(g.value()).isEqualTo(1);
    }

    @Test
    void timersOfOneLengthFireInTheOrderOfTheirArming() {
        List<Greenlet<?>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            String name = (i % 2 == 0 ? "even" : "odd") + i;
            all.add(spawnLater(millis(5 + (i % 2)), () -> note(name)));
        }
        joinAll(all);
        assertThat(log).hasSize(50);
        for (String parity : List.of("even", "odd")) {
            assertThat(log.stream().filter(name -> name.startsWith(parity)).toList())
                    .isEqualTo(IntStream.range(0, 50).filter(i -> (i % 2 == 0) == parity.equals("even"))
                            .mapToObj(i -> parity + i).toList());
        }
    }

    @Test
    void keepsItsValueAlsoIfThatIsNull() {
        Greenlet<String> g = spawn(OnNull::value);

        assertThat(g.value()).isNull();
        assertThat(g.resultNow()).isNull();
        assertThat(g.successful()).isTrue();
        assertThat(g.exception()).isEmpty();
    }

    private static final class OnNull {
        @SuppressWarnings("NullAway") // what it is about
        static String value() {
            return null;
        }
    }

    @Test
    void keepsItsErrorAndThrowsItAgainWithItsOwnStack() {
        List<Throwable> errors = errors();
        IllegalArgumentException error = new IllegalArgumentException("no");
        Greenlet<Void> g = spawn(() -> {
            throw error;
        });

        assertThatThrownBy(g::value).isSameAs(error);
        assertThatThrownBy(g::value).isSameAs(error);
        assertThatThrownBy(g::get).hasCause(error);
        assertThat(g.exception()).containsSame(error);
        assertThat(g.successful()).isFalse();
        assertThat(g.ready()).isTrue();
        assertThat(errors).containsExactly(error);
    }

    @Test
    void throwsCheckedErrorsWrapped() {
        errors();
        IOException error = new IOException("disk");
        Greenlet<Void> g = spawn(() -> {
            throw error;
        });

        assertThatThrownBy(g::value).isInstanceOf(CompletionException.class).hasCause(error);
    }

    @Test
    void keepsErrorsOfTheVirtualMachineToo() {
        List<Throwable> errors = errors();
        Greenlet<Integer> g = spawn(() -> deep(0));
        Greenlet<String> other = spawn(() -> "unharmed");

        assertThatThrownBy(g::value).isInstanceOf(StackOverflowError.class);
        assertThat(other.value()).isEqualTo("unharmed");
        assertThat(errors).hasSize(1);
    }

    @SuppressWarnings("InfiniteRecursion")
    private static int deep(int n) {
        return deep(n + 1) + 1;
    }

    @Test
    void joinNeverThrowsItsError() {
        errors();
        Greenlet<Void> g = spawn(() -> {
            throw new IllegalStateException();
        });

        g.join();

        assertThat(g.join(millis(0))).isTrue();
        assertThat(g.exception()).isPresent();
    }

    @Test
    void joinWithATimeTellsWhetherItHasEnded() {
        Greenlet<Void> g = spawn(() -> sleep(millis(40)));

        assertThat(g.join(millis(0))).isFalse();
        assertThat(g.join(millis(-5))).isFalse();
        assertThat(g.join(millis(5))).isFalse();
        assertThat(g.hasLinks()).as("the wait that was given up is still linked").isFalse();
        assertThat(g.join(LONG)).isTrue();
        assertThat(g.join(millis(0))).isTrue();
    }

    @Test
    void manyWaitForOne() {
        Greenlet<Integer> g = spawn(() -> {
            sleep(millis(5));
            return 3;
        });
        List<Greenlet<Integer>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(spawn(() -> g.value() + 1));
        }
        assertThat(joinAll(waiting)).isEqualTo(waiting);
        assertThat(waiting).allSatisfy(each -> assertThat(each.value()).isEqualTo(4));
    }

    @Test
    void waitingForItselfEndsOnlyByATimeOrAKill() {
        Greenlet<Boolean> g = spawn(() -> me().join(millis(5)));
        assertThat(g.value()).isFalse();
    }

    @Test
    void hasItsThreadsNameAndASmallNumberThatIsUsedAgain() {
        Greenlet<String> a = spawn(() -> Thread.currentThread().getName());
        Greenlet<String> b = spawn(() -> Thread.currentThread().getName());
        assertThat(a.id()).isNotEqualTo(b.id());
        assertThat(a.value()).isEqualTo(a.name()).isEqualTo("greenlet-" + a.id());
        b.join();

        for (int i = 0; i < 1000; i++) {
            Greenlet<Void> g = spawn(() -> {});
            assertThat(g.id()).isLessThan(4);
            g.join();
        }
    }

    @Test
    void givesItsNumberBackHoweverItEnds() {
        errors();
        for (int i = 0; i < 50; i++) {
            Greenlet<Void> unstarted = Hub.current().unstarted(() -> {});
            Greenlet<Void> later = spawnLater(LONG, () -> {});
            Greenlet<Void> scheduled = spawn(() -> {});
            Greenlet<Void> failing = spawn(() -> {
                throw new IllegalStateException();
            });
            for (Greenlet<?> each : List.of(unstarted, later, scheduled)) {
                each.kill();
                each.kill();
            }
            unstarted.start();
            failing.join();
            yieldNow();
            assertThat(List.of(unstarted, later, scheduled, failing)).allMatch(each -> each.id() < 8);
        }
        List<Greenlet<Void>> now = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            now.add(spawn(() -> {}));
        }
        assertThat(now.stream().map(Greenlet::id)).doesNotHaveDuplicates();
    }

    @Test
    void canHaveANameOfItsOwn() {
        Greenlet<String> g = spawn("mail", () -> Thread.currentThread().getName());
        assertThat(g.name()).isEqualTo("mail");
        assertThat(g.value()).isEqualTo("mail");
        assertThat(g.toString()).contains("mail");
    }

    @Test
    void knowsWhereItWasSpawnedAndByWhom() {
        Greenlet<Greenlet<Boolean>> parent = spawn(() -> {
            Greenlet<Boolean> child = spawn(() -> {
                Greenlet<?> spawner = me().spawner().orElseThrow();
                yieldNow();
                return spawner.ready();
            });
            yieldNow();
            return child;
        });
        Greenlet<Boolean> child = parent.value();

        assertThat(parent.spawner()).isEmpty();
        assertThat(parent.spawnSite().orElseThrow().getMethodName()).isEqualTo("knowsWhereItWasSpawnedAndByWhom");
        assertThat(child.spawnSite().orElseThrow().getMethodName())
                .startsWith("lambda$knowsWhereItWasSpawnedAndByWhom");
        assertThat(child.value()).isTrue();
        assertThat(child.spawner()).as("a dead spawner").isEmpty();
    }

    @Test
    void aReferenceToItsEndKeepsNeitherItsTaskNorItsFrames() throws Exception {
        Object[] big = {new byte[1000]};
        WeakReference<Object> weak = new WeakReference<>(big[0]);
        Greenlet<Integer> g = spawnWith(big[0]);
        big[0] = "";
        g.join();
        for (int i = 0; i < 100 && weak.get() != null; i++) {
            System.gc();
            Thread.sleep(5);
        }
        assertThat(weak.get()).isNull();
        assertThat(g.value()).isPositive();
    }

    private static Greenlet<Integer> spawnWith(Object big) {
        return spawn(() -> {
            yieldNow();
            return big.hashCode() | 1 & 0x7fff;
        });
    }

    @Test
    void oneThatIsKilledBeforeItsTurnDropsItsTask() throws Exception {
        Object[] big = {new byte[1000]};
        WeakReference<Object> weak = new WeakReference<>(big[0]);
        Greenlet<Integer> g = Hub.current().unstarted(task(big[0]));
        big[0] = "";
        g.kill();
        for (int i = 0; i < 100 && weak.get() != null; i++) {
            System.gc();
            Thread.sleep(5);
        }
        assertThat(weak.get()).isNull();
        assertThatThrownBy(g::value).isInstanceOf(CancellationException.class);
    }

    private static java.util.concurrent.Callable<Integer> task(Object big) {
        return big::hashCode;
    }

    @Test
    void currentIsTheGreenletThatAsks() {
        assertThat(current()).isEmpty();
        Greenlet<Greenlet<?>> g = spawn(OnHub::me);
        assertThat(g.value()).isSameAs(g);
    }

    @Test
    void showsItsStackWhileItWaits() {
        Greenlet<Void> g = spawn(GreenletTest::aPlaceToSleep);
        yieldNow();

        assertThat(g.stackTrace()).anyMatch(frame -> frame.getMethodName().equals("aPlaceToSleep"));
        g.kill();
        assertThat(g.stackTrace()).isEmpty();
    }

    private static void aPlaceToSleep() {
        sleep(LONG);
    }

    @Test
    void saysWhatItIs() {
        errors();
        Greenlet<Void> fresh = Hub.current().unstarted(() -> {});
        Greenlet<Void> failing = spawn(() -> {
            throw new IllegalStateException();
        });
        assertThat(fresh.toString()).contains("new").contains("GreenletTest");
        assertThat(failing.toString()).contains("scheduled");
        failing.join();
        assertThat(failing.toString()).contains("failed");
        fresh.kill();
        assertThat(fresh.toString()).contains("killed");
    }

    @Test
    void inheritsInheritableThreadLocalsAndHasItsOwn() {
        InheritableThreadLocal<String> inherited = new InheritableThreadLocal<>();
        ThreadLocal<String> own = ThreadLocal.withInitial(() -> "fresh");
        inherited.set("from main");
        own.set("main's");
        try {
            Greenlet<String> g = spawn(() -> inherited.get() + ", " + own.get());
            assertThat(g.value()).isEqualTo("from main, fresh");
        } finally {
            inherited.remove();
            own.remove();
        }
    }
}
