package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Coroutines and generators among greenlets, native frames, scoped values, tracers and scopes. */
@ExtendWith(EndLeftovers.class)
class SurroundingsTest {
    private final List<Object> seen = new ArrayList<>();

    @Nested
    class InGreenlets {
        @Test
        void aBodyThatSleepsParksItsGreenletOnly() {
            Generator<Integer> slow = Generator.of(out -> {
                for (int n = 0; n < 3; n++) {
                    Loomlet.sleep(Duration.ofMillis(20));
                    out.yield(n);
                }
            });
            var consumer = Loomlet.spawn(() -> slow.forEachRemaining(n -> seen.add("slow " + n)));
            var ticker = Loomlet.spawn(() -> {
                while (!consumer.isDone()) {
                    seen.add("tick");
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            });
            Loomlet.joinAll(consumer, ticker);
            assertThat(seen).containsSubsequence("tick", "slow 0", "tick", "slow 1", "tick", "slow 2");
        }

        @Test
        void aBodyMayReadASocket() throws Exception {
            try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
                var peer = Loomlet.spawn(() -> {
                    try (Socket socket = server.accept()) {
                        for (int i = 1; i <= 5; i++) {
                            Loomlet.sleep(Duration.ofMillis(2));
                            socket.getOutputStream().write(i);
                        }
                    }
                });
                Generator<Integer> bytes = Generator.of(out -> {
                    try (var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                        for (int b; (b = socket.getInputStream().read()) >= 0;) {
                            out.yield(b);
                        }
                    }
                });
                var sum = Loomlet.spawn(() -> bytes.stream().mapToInt(Integer::intValue).sum());
                assertThat(sum.get()).isEqualTo(15);
                peer.join();
            }
        }

        @Test
        void aBodyMayLockAndSpawn() throws Exception {
            var lock = new ReentrantLock();
            Generator<Integer> generator = Generator.of(out -> {
                for (int n = 0; n < 10; n++) {
                    int square;
                    lock.lock();
                    try {
                        int base = n;
                        square = Loomlet.spawn(() -> base * base).get();
                    } finally {
                        lock.unlock();
                    }
                    out.yield(square);
                }
            });
            var sum = Loomlet.spawn(() -> generator.stream().mapToInt(Integer::intValue).sum());
            assertThat(sum.get()).isEqualTo(285);
        }

        @Test
        void manyGreenletsSwitchAndParkAmongEachOther() throws Exception {
            var greenlets = new ArrayList<Greenlet<Integer>>();
            for (int g = 0; g < 50; g++) {
                greenlets.add(Loomlet.spawn(() -> {
                    Coroutine<Object> main = Coroutine.main();
                    var child = Coroutine.of((Integer first) -> {
                        for (int sum = first;;) {
                            Thread.yield();
                            int more = main.<Integer>switchTo(sum);
                            sum += more;
                        }
                    });
                    int last = child.<Integer>switchTo(0);
                    for (int i = 1; i <= 200; i++) {
                        last = child.<Integer>switchTo(i);
                    }
                    child.throwInto();
                    return last;
                }));
            }
            for (var each : greenlets) {
                assertThat(each.get()).isEqualTo(20_100);
            }
        }

        @Test
        void oneGeneratorMayServeSeveralGreenletsInTurn() {
            Generator<Integer> numbers = Generator.of(out -> {
                for (int n = 0;; n++) {
                    Loomlet.sleep(Duration.ofNanos(1000));
                    out.yield(n);
                }
            });
            var turn = new ReentrantLock();
            var greenlets = new ArrayList<Greenlet<?>>();
            for (int g = 0; g < 4; g++) {
                greenlets.add(Loomlet.spawn(() -> {
                    for (int i = 0; i < 100; i++) {
                        turn.lock();
                        try {
                            seen.add(numbers.next());
                        } finally {
                            turn.unlock();
                        }
                    }
                }));
            }
            Loomlet.joinAll(greenlets);
            assertThat(seen).hasSize(400).doesNotHaveDuplicates();
        }

        @Test
        void killingTheGreenletUnwindsTheBodyThatWaitsInIt() {
            Generator<Integer> generator = Generator.of(out -> {
                try {
                    Loomlet.sleep(Duration.ofSeconds(60));
                    out.yield(1);
                } finally {
                    seen.add("finally");
                }
            });
            var consumer = Loomlet.spawn(generator::next);
            Loomlet.sleep(Duration.ZERO);
            consumer.kill();
            assertThat(consumer.isDone()).isTrue();
            assertThat(seen).containsExactly("finally");
        }

        @Test
        void theHubsOwnThreadMayStepABodyThatWaits() {
            Hub.current(); // which a portable body can join, but not make
            Generator<Integer> generator = Generator.of(out -> {
                Loomlet.sleep(Duration.ofMillis(1));
                out.yield(Loomlet.spawn(() -> 5).get());
            });
            assertThat(generator.next()).isEqualTo(5);
            assertThat(generator.hasNext()).isFalse();
        }
    }

    @Nested
    class Refusals {
        @Test
        void yieldingBelowANativeFrameNamesIt() {
            assumeTrue(Suspendable.NATIVE);
            Generator<Integer> generator = Generator.of(out -> {
                yieldsTo = out;
                assertThatThrownBy(Yielding::initialise).isInstanceOf(ExceptionInInitializerError.class)
                        .cause().isInstanceOf(IllegalStateException.class).hasMessageContaining("native frame")
                        .hasMessageContaining("<clinit>");
                out.yield(7);
            });
            assertThat(generator.next()).isEqualTo(7);
            assertThat(generator.hasNext()).isFalse();
        }

        private static Generator.@Nullable Out<Integer> yieldsTo;

        private static final class Yielding {
            static {
                Objects.requireNonNull(yieldsTo).yield(-1);
            }

            static void initialise() {
                // reaching this is enough
            }
        }

        @Test
        void aCoroutineSwitchBelowANativeFrameIsRefused() {
            assumeTrue(Suspendable.NATIVE);
            var child = Coroutine.returning(() -> {
                assertThatThrownBy(Switching::initialise).isInstanceOf(ExceptionInInitializerError.class)
                        .cause().isInstanceOf(IllegalStateException.class).hasMessageContaining("native frame");
                return "alive";
            });
            assertThat(child.<String>switchTo()).isEqualTo("alive");
        }

        private static final class Switching {
            static {
                Coroutine.main().switchTo();
            }

            static void initialise() {
                // reaching this is enough
            }
        }
    }

    @Nested
    class ScopedValues {
        private static final ScopedValue<String> NAME = ScopedValue.newInstance();

        @Test
        @DisplayName("G41: a coroutine starts without its creator's bindings")
        void notInherited() {
            ScopedValue.where(NAME, "outer").run(() -> {
                var child = Coroutine.returning(() -> NAME.isBound());
                assertThat(child.<Boolean>switchTo()).isFalse();
                assertThat(NAME.get()).isEqualTo("outer");
            });
        }

        @Test
        @DisplayName("G43: switching inside a binding leaves it with its coroutine")
        void staysWithItsCoroutine() {
            assumeTrue(Suspendable.NATIVE);
            var child = Coroutine.returning(() -> ScopedValue.where(NAME, "inner").call(() -> {
                Coroutine.main().switchTo();
                return NAME.get();
            }));
            ScopedValue.where(NAME, "outer").run(() -> {
                child.switchTo();
                assertThat(NAME.get()).isEqualTo("outer");
            });
            assertThat(NAME.isBound()).isFalse();
            assertThat(child.<String>switchTo()).isEqualTo("inner");
            assertThat(NAME.isBound()).isFalse();
        }

        @Test
        void aGeneratorsBindingsAreItsOwnAndItsConsumersShowThrough() {
            assumeTrue(Suspendable.NATIVE);
            Generator<String> generator = Generator.of(out -> {
                out.yield(NAME.get());
                ScopedValue.where(NAME, "inner").run(() -> {
                    out.yield(NAME.get());
                    out.yield(NAME.get());
                });
                out.yield(NAME.get());
            });
            ScopedValue.where(NAME, "one").run(() -> {
                assertThat(generator.next()).isEqualTo("one");
                assertThat(generator.next()).isEqualTo("inner");
                assertThat(NAME.get()).isEqualTo("one");
                assertThat(generator.next()).isEqualTo("inner");
                assertThat(generator.next()).isEqualTo("one");
            });
        }
    }

    @Nested
    class Tracing {
        @Test
        @DisplayName("G38: the tracer is told of each switch, in the target, and of throws")
        void events() {
            var child = Coroutine.of(() -> {
                seen.add("in child");
                Coroutine.main().switchTo();
                throw new IllegalArgumentException("death");
            });
            Coroutine<Object> main = Coroutine.main();
            assertThat(Coroutine.trace((event, origin, target) -> {
                assertThat((Object) target).isSameAs(Coroutine.current());
                seen.add(
                        event + " " + (origin == main ? "main" : "child") + "->" + (target == main ? "main" : "child"));
            })).isEmpty();
            try {
                child.switchTo();
                assertThatThrownBy(child::switchTo).hasMessage("death");
                main.switchTo();
            } finally {
                assertThat(Coroutine.untrace()).isPresent();
            }
            main.switchTo();
            assertThat(seen).containsExactly("SWITCH main->child", "in child", "SWITCH child->main",
                    "SWITCH main->child", "THROW child->main", "SWITCH main->main");
            assertThat(Coroutine.tracer()).isEmpty();
        }

        @Test
        @DisplayName("G39: a tracer that fails is removed, and its failure thrown in the target")
        void failing() {
            var child = Coroutine.returning(() -> {
                try {
                    return Coroutine.main().switchTo();
                } catch (IllegalStateException e) {
                    return "caught " + e.getMessage();
                }
            });
            child.switchTo();
            Coroutine.trace((_, _, _) -> {
                throw new IllegalStateException("tracer");
            });
            assertThat(child.<String>switchTo("lost")).isEqualTo("caught tracer");
            assertThat(Coroutine.tracer()).isEmpty();
        }
    }

    @Nested
    class Scopes {
        @Test
        void closingEndsWhatIsSuspendedNewestFirst() {
            Coroutine<Object> main = Coroutine.main();
            Coroutine<String> coroutine;
            try (var scope = CoroutineScope.open()) {
                coroutine = scope.coroutine((String name) -> {
                    try {
                        main.switchTo(name);
                    } finally {
                        seen.add("coroutine");
                    }
                });
                Generator<Integer> generator = scope.generator(out -> {
                    try {
                        out.yield(1);
                    } finally {
                        seen.add("generator");
                    }
                });
                scope.coroutine((String _) -> seen.add("never started"));
                coroutine.switchTo("x");
                generator.next();
            }
            assertThat(seen).containsExactly("generator", "coroutine");
            assertThat(coroutine.dead()).isTrue();
            assertThat(coroutine.parent()).containsSame(main);
        }

        @Test
        void oneThatDoesNotEndIsReportedAndTheOthersAreEnded() {
            Coroutine<Object> main = Coroutine.main();
            var scope = CoroutineScope.open();
            var good = scope.coroutine((Object _) -> main.switchTo());
            var bad = scope.coroutine((Object _) -> {
                try {
                    main.switchTo();
                } catch (GreenletExit e) {
                    main.switchTo();
                }
            });
            good.switchTo();
            bad.switchTo();
            assertThatThrownBy(scope::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ignored GreenletExit");
            assertThat(good.dead()).isTrue();
            assertThatThrownBy(() -> scope.add(Coroutine.of(() -> {}))).isInstanceOf(IllegalStateException.class);
        }
    }
}
