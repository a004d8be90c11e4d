package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIterable;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Generators where the JDK's own interfaces, other threads, interrupts, scoped values and failures on the way out meet them. */
@ExtendWith(EndLeftovers.class)
class GeneratorCornersTest {
    private static final ScopedValue<String> NAME = ScopedValue.newInstance();

    private final List<Object> seen = new ArrayList<>();

    private static Generator<Integer> upTo(int end) {
        return Generator.of(out -> {
            for (int n = 0; n < end; n++) {
                out.yield(n);
            }
        });
    }

    @Nested
    class AsTheJdkAsks {
        @Test
        void aParallelStreamGetsEveryValueOnceAndInOrder() {
            List<Integer> all = upTo(5000).stream().parallel().map(n -> n + 1).toList();
            assertThat(all).isEqualTo(IntStream.rangeClosed(1, 5000).boxed().toList());
            assertThat(upTo(1000).stream().parallel().mapToInt(Integer::intValue).sum()).isEqualTo(499_500);
        }

        @Test
        void aParallelStreamMayStopEarlyInOneThatGoesOnForEver() {
            assertThat(upTo(Integer.MAX_VALUE).stream().parallel().filter(n -> n % 2 == 1).limit(3).toList())
                    .containsExactly(1, 3, 5);
        }

        @Test
        void aSplitTakesTheFirstValuesAndLeavesTheRest() {
            Spliterator<Integer> rest = upTo(5000).spliterator();
            Spliterator<Integer> first = rest.trySplit();
            List<Integer> values = new ArrayList<>();
            first.forEachRemaining(values::add);
            assertThat(values).isNotEmpty().hasSizeLessThan(5000);
            rest.forEachRemaining(values::add);
            assertThat(values).isEqualTo(IntStream.range(0, 5000).boxed().toList());
            assertThat(rest.trySplit()).isNull();
            assertThat(rest.hasCharacteristics(Spliterator.ORDERED)).isTrue();
            assertThat(rest.hasCharacteristics(Spliterator.SIZED)).isFalse();
        }

        @Test
        void aConsumerThatFailsLosesTheValueThatItHasGotAndNoOther() {
            Generator<Integer> numbers = upTo(5);
            assertThatThrownBy(() -> numbers.forEachRemaining(n -> {
                if (n == 2) {
                    throw new IllegalArgumentException("two");
                }
            })).hasMessage("two");
            assertThatIterable(numbers).containsExactly(3, 4);
        }

        @Test
        void nothingCanBeRemoved() {
            Iterator<Integer> numbers = upTo(2).iterator();
            numbers.next();
            assertThatThrownBy(numbers::remove).isInstanceOf(UnsupportedOperationException.class);
            assertThat(numbers.next()).isEqualTo(1);
        }

        @Test
        void aTryBlockThrowsItsOwnFailureAndSuppressesThatOfTheBody() {
            assertThatThrownBy(() -> {
                try (Generator<Integer> numbers = failingOnTheWayOut()) {
                    throw new IllegalStateException("block " + numbers.next());
                }
            }).hasMessage("block 1").satisfies(e -> assertThat(e.getSuppressed()).singleElement()
                    .isInstanceOf(IOException.class));
        }

        @Test
        void whatTheBodyThrowsOnTheWayOutIsThrownByABlockThatEndedWell() {
            Generator<Integer> numbers = failingOnTheWayOut();
            assertThatThrownBy(() -> {
                try (numbers) {
                    numbers.next();
                }
            }).isInstanceOf(IOException.class).hasMessage("way out");
            assertThat(numbers.hasNext()).isFalse();
        }

        @SuppressWarnings({"Finally", "finally"})
        private static Generator<Integer> failingOnTheWayOut() {
            return Generator.of(out -> {
                try {
                    out.yield(1);
                } finally {
                    throw new IOException("way out");
                }
            });
        }
    }

    @Nested
    class WhileItRuns {
        @Test
        void anotherThreadCanNeitherCloseNorThrow() throws Exception {
            var inBody = new CountDownLatch(1);
            var goOn = new CountDownLatch(1);
            Generator<Integer> numbers = Generator.of(out -> {
                inBody.countDown();
                goOn.await();
                out.yield(1);
            });
            Thread consumer = Thread.ofPlatform().start(() -> seen.add(numbers.next()));
            inBody.await();
            assertThatThrownBy(numbers::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("executing already");
            assertThatThrownBy(() -> numbers.throwInto(new IOException())).isInstanceOf(IllegalStateException.class);
            assertThat(numbers.toString()).contains("running");
            goOn.countDown();
            consumer.join();
            numbers.close();
            assertThat(seen).containsExactly(1);
        }

        @Test
        void anotherGreenletCanNotCloseItWhileItsBodyWaits() throws Exception {
            var goOn = new CountDownLatch(1);
            Generator<Integer> numbers = Generator.of(out -> {
                goOn.await();
                out.yield(1);
            });
            Greenlet<Integer> consumer = Loomlet.spawn(numbers::next);
            Greenlet<String> other = Loomlet.spawn(() -> {
                try {
                    numbers.close();
                    return "closed";
                } catch (IllegalStateException e) {
                    return e.getMessage();
                } finally {
                    goOn.countDown();
                }
            });
            assertThat(other.get()).contains("executing already");
            assertThat(consumer.get()).isEqualTo(1);
        }

        @Test
        void anInterruptIsTheBodysAndAfterwardsTheConsumers() {
            Generator<String> generator = Generator.of(out -> {
                try {
                    Thread.sleep(60_000);
                    out.yield("slept");
                } catch (InterruptedException e) {
                    out.yield("interrupted");
                }
                out.yield("status " + Thread.currentThread().isInterrupted());
                Thread.currentThread().interrupt();
            });
            Thread.currentThread().interrupt();
            assertThat(generator.next()).isEqualTo("interrupted");
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            assertThat(generator.next()).isEqualTo("status false");
            assertThat(generator.hasNext()).isFalse();
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Nested
    class Bindings {
        @Test
        void oneThatYieldsInABindingKeepsItWhoeverAsks() throws Exception {
            assumeTrue(Suspendable.NATIVE);
            Generator<String> names = Generator.of(out -> ScopedValue.where(NAME, "body").run(() -> {
                for (int i = 0; i < 3; i++) {
                    out.yield(NAME.get());
                }
            }));
            assertThat(ScopedValue.where(NAME, "first").call(names::next)).isEqualTo("body");
            assertThat(names.next()).isEqualTo("body");
            assertThat(NAME.isBound()).isFalse();
            assertThat(CoroutineTest.<String>onAnotherThread(() -> ScopedValue.where(NAME, "there").call(() -> {
                String got = names.next();
                return got + NAME.get();
            }))).isEqualTo("bodythere");
            assertThat(names.hasNext()).isFalse();
            assertThat(NAME.isBound()).isFalse();
        }

        @Test
        void closingLeavesTheBindingOfTheBodyAndKeepsThatOfTheCaller() {
            assumeTrue(Suspendable.NATIVE);
            Generator<String> names = Generator.of(out -> ScopedValue.where(NAME, "body").run(() -> {
                try {
                    out.yield(NAME.get());
                } finally {
                    seen.add(NAME.get());
                }
            }));
            names.next();
            ScopedValue.where(NAME, "caller").run(() -> {
                names.close();
                seen.add(NAME.get());
            });
            assertThat(NAME.isBound()).isFalse();
            assertThat(seen).containsExactly("body", "caller");
        }

        @Test
        void aFailureInABindingLeavesIt() {
            assumeTrue(Suspendable.NATIVE);
            Generator<String> names = Generator.of(out -> ScopedValue.where(NAME, "body").run(() -> {
                out.yield(NAME.get());
                throw new IllegalArgumentException(NAME.get());
            }));
            names.next();
            ScopedValue.where(NAME, "caller").run(() -> {
                assertThatThrownBy(names::next).hasMessage("body");
                assertThat(NAME.get()).isEqualTo("caller");
            });
            assertThat(NAME.isBound()).isFalse();
        }

        @Test
        void aDelegateRunsInTheBindingsOfTheOneThatSpeaksThroughIt() {
            assumeTrue(Suspendable.NATIVE);
            Generator<String> inner = Generator.of(out -> {
                out.yield("inner " + NAME.get());
                ScopedValue.where(NAME, "deeper").run(() -> out.yield("inner " + NAME.get()));
            });
            Generator<String> outer = Generator.of(out -> {
                ScopedValue.where(NAME, "outer").run(() -> out.yieldAll(inner));
                out.yield("bound " + NAME.isBound());
            });
            assertThatIterable(outer).containsExactly("inner outer", "inner deeper", "bound false");
        }

        @Test
        void aThreadLocalSetInABodyIsTheThreads() {
            assumeTrue(Suspendable.NATIVE);
            var local = new ThreadLocal<String>();
            Generator<String> generator = Generator.of(out -> {
                local.set("set inside");
                out.yield(local.get());
                out.yield(local.get());
            });
            generator.next();
            assertThat(local.get()).isEqualTo("set inside");
            local.set("set outside");
            assertThat(generator.next()).isEqualTo("set outside");
            local.remove();
        }
    }

    @Nested
    class Delegates {
        @Test
        void aScopeEndsAGeneratorAndItsDelegateInEitherOrder() {
            for (boolean innerFirst : new boolean[] {true, false}) {
                try (CoroutineScope scope = CoroutineScope.open()) {
                    Generator<Integer> inner = Generator.of(out -> {
                        try {
                            out.yield(1);
                        } finally {
                            seen.add("inner");
                        }
                    });
                    Generator<Integer> outer = Generator.of(out -> {
                        try {
                            out.yieldAll(inner);
                        } finally {
                            seen.add("outer");
                        }
                    });
                    scope.add(innerFirst ? inner : outer);
                    scope.add(innerFirst ? outer : inner);
                    assertThat(outer.next()).isEqualTo(1);
                }
            }
            assertThat(seen).containsExactly("inner", "outer", "inner", "outer");
        }

        @Test
        void aScopeThatCannotEndADelegateSaysSo() {
            Generator<Integer> inner = upTo(3);
            Generator<Integer> outer = Generator.of(out -> out.yieldAll(inner));
            CoroutineScope scope = CoroutineScope.open();
            scope.add(inner);
            outer.next();
            assertThatThrownBy(scope::close).isInstanceOf(IllegalStateException.class).hasMessageContaining("delegate");
            assertThatIterable(outer).containsExactly(1, 2);
        }

        @Test
        void aDelegationThatWasRefusedLeavesBothAsTheyWere() {
            assumeTrue(Suspendable.NATIVE);
            Generator<Integer> inner = upTo(2);
            Generator<Integer> outer = Generator.of(out -> {
                synchronized (seen) {
                    try {
                        out.yieldAll(inner);
                    } catch (IllegalStateException e) {
                        seen.add("refused");
                    }
                }
                out.yield(10);
                out.yieldAll(inner);
            });
            assertThatIterable(outer).containsExactly(10, 0, 1);
            assertThat(seen).containsExactly("refused");
        }

        @Test
        void aFinishedOneYieldsNothingMoreAndItsResultIsStillGiven() {
            Generator<Integer> inner = Generator.returning(out -> "result");
            assertThat(inner.hasNext()).isFalse();
            Generator<Integer> outer = Generator.of(out -> seen.add(out.<String>yieldAll(inner)));
            assertThatThrownBy(outer::next).isInstanceOf(NoSuchElementException.class);
            assertThat(seen).containsExactly("result");
        }
    }
}
