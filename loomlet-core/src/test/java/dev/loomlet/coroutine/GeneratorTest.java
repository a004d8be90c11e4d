package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIterable;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(EndLeftovers.class)
class GeneratorTest {
    private final List<Object> seen = new ArrayList<>();

    private static Generator<Integer> countFrom(int start) {
        return Generator.of(out -> {
            for (int n = start;; n++) {
                out.yield(n);
            }
        });
    }

    private static Generator<Integer> upTo(int end) {
        return Generator.of(out -> {
            for (int n = 0; n < end; n++) {
                out.yield(n);
            }
        });
    }

    @Nested
    class Asking {
        @Test
        void aLoopGetsTheValuesInOrder() {
            for (int each : upTo(5)) {
                seen.add(each);
            }
            assertThat(seen).containsExactly(0, 1, 2, 3, 4);
        }

        @Test
        void nothingRunsBeforeTheFirstQuestion() {
            Generator<Integer> generator = Generator.of(out -> seen.add("ran"));
            assertThat(seen).isEmpty();
            assertThat(generator.hasNext()).isFalse();
            assertThat(seen).containsExactly("ran");
        }

        @Test
        void aSecondLoopGoesOnWhereTheFirstStopped() {
            Generator<Integer> generator = countFrom(0);
            for (int each : generator) {
                if (each == 3) {
                    break;
                }
            }
            assertThat(generator.iterator().next()).isEqualTo(4);
        }

        @Test
        void hasNextAsksOnlyOnce() {
            Generator<Integer> generator = upTo(2);
            assertThat(generator.hasNext()).isTrue();
            assertThat(generator.hasNext()).isTrue();
            assertThat(generator.next()).isZero();
            assertThat(generator.next()).isEqualTo(1);
            assertThat(generator.hasNext()).isFalse();
            assertThat(generator.hasNext()).isFalse();
            assertThatThrownBy(generator::next).isInstanceOf(NoSuchElementException.class)
                    .hasMessageContaining("finished");
        }

        @Test
        void aStreamTakesWhatItNeeds() {
            assertThat(countFrom(1).stream().filter(n -> n % 2 == 0).limit(3).toList()).containsExactly(2, 4, 6);
            assertThat(upTo(4).stream().map(String::valueOf).collect(Collectors.joining())).isEqualTo("0123");
        }

        @Test
        void closingTheStreamClosesTheGenerator() {
            Generator<Integer> generator = Generator.of(out -> {
                try {
                    out.yield(1);
                } finally {
                    seen.add("closed");
                }
            });
            try (var stream = generator.stream()) {
                assertThat(stream.findFirst()).contains(1);
            }
            assertThat(seen).containsExactly("closed");
        }

        @Test
        void aYieldMayComeFromAnyDepth() {
            Generator<Integer> generator = Generator.of(out -> dive(out, 1000));
            assertThat(generator.next()).isEqualTo(1000);
            assertThat(generator.hasNext()).isFalse();
        }

        private int dive(Generator.Out<Integer> out, int depth) {
            if (depth == 0) {
                out.yield(1000);
                return 0;
            }
            return 1 + dive(out, depth - 1);
        }

        @Test
        void aValueMayBeNull() {
            Generator<@Nullable String> generator = Generator.of(out -> {
                out.yield(null);
                out.yield("x");
            });
            assertThat(generator.hasNext()).isTrue();
            assertThat(generator.next()).isNull();
            assertThat(generator.next()).isEqualTo("x");
        }

        @Test
        void tenThousandFramesAreSavedAndRestored() throws Exception {
            onADeepStack(this::diveTenThousandFrames);
        }

        private void diveTenThousandFrames() {
            Generator<Integer> generator = Generator.of(out -> {
                for (int i = 0; i < 3; i++) {
                    dive(out, Suspendable.NATIVE ? 10_000 : 1000); // a virtual thread's stack is as it is
                }
            });
            assertThatIterable(generator).hasSize(3);
        }
    }

    @Nested
    class TwoWays {
        @Test
        void whatIsSentIsTheResultOfTheYield() {
            Generator<Integer> sums = Generator.of(out -> {
                int sum = 0;
                while (true) {
                    int more = out.<Integer>yield(sum);
                    sum += more;
                }
            });
            assertThat(sums.next()).isZero();
            assertThat(sums.send(10)).isEqualTo(10);
            assertThat(sums.send(5)).isEqualTo(15);
        }

        @Test
        void nextSendsNull() {
            Generator<String> generator = Generator.of(out -> seen.add(out.yield("a") == null));
            generator.next();
            assertThat(generator.hasNext()).isFalse();
            assertThat(seen).containsExactly(true);
        }

        @Test
        void sendingBeforeTheFirstYieldIsAnError() {
            Generator<Integer> generator = countFrom(0);
            assertThatThrownBy(() -> generator.send(1)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("first yield");
            assertThat(generator.next()).isZero();
        }

        @Test
        void sendingAfterHasNextIsAnError() {
            Generator<Integer> generator = countFrom(0);
            generator.next();
            assertThat(generator.hasNext()).isTrue();
            assertThatThrownBy(() -> generator.send(1)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("hasNext");
            assertThat(generator.next()).isEqualTo(1);
            assertThat(generator.send(1)).isEqualTo(2);
        }

        @Test
        void anExceptionIsThrownAtTheYield() {
            Generator<String> generator = Generator.of(out -> {
                try {
                    out.yield("one");
                } catch (IllegalArgumentException e) {
                    out.yield("caught " + e.getMessage());
                }
            });
            generator.next();
            assertThat(generator.throwInto(new IllegalArgumentException("it"))).isEqualTo("caught it");
            assertThatThrownBy(() -> generator.throwInto(new IOException("out"))).isInstanceOf(IOException.class);
            assertThat(generator.hasNext()).isFalse();
        }

        @Test
        void anExceptionEndsOneThatHasNotStarted() {
            Generator<Integer> generator = Generator.of(out -> seen.add("ran"));
            assertThatThrownBy(() -> generator.throwInto(new IOException())).isInstanceOf(IOException.class);
            assertThat(generator.hasNext()).isFalse();
            assertThat(seen).isEmpty();
        }

        @Test
        void aResultIsKept() {
            Generator<Integer> generator = Generator.returning(out -> {
                out.yield(1);
                return "the end";
            });
            assertThat(generator.<String>result()).isEmpty();
            generator.forEachRemaining(seen::add);
            assertThat(generator.<String>result()).contains("the end");
        }
    }

    @Nested
    class Failing {
        @Test
        void aFailureSurfacesAtNextWithTheBodysTrace() {
            var failure = new AtomicReference<@Nullable Throwable>();
            Generator<Integer> generator = Generator.of(out -> {
                out.yield(1);
                throwIt(failure);
            });
            assertThat(generator.next()).isEqualTo(1);
            Throwable thrown = catchThrowable(generator::next);
            assertThat(thrown).isSameAs(failure.get()).isInstanceOf(IOException.class);
            assertThat(thrown.getStackTrace()[0].getMethodName()).isEqualTo("throwIt");
            assertThatThrownBy(generator::next).isInstanceOf(NoSuchElementException.class);
        }

        private void throwIt(AtomicReference<@Nullable Throwable> failure) throws IOException {
            var thrown = new IOException("broken");
            failure.set(thrown);
            throw thrown;
        }

        @Test
        void aFailureSurfacesAtHasNext() {
            Generator<Integer> generator = Generator.of(out -> {
                throw new IllegalArgumentException("at once");
            });
            assertThatThrownBy(generator::hasNext).hasMessage("at once");
            assertThat(generator.hasNext()).isFalse();
        }

        @Test
        void aStackOverflowInsideIsTheConsumersException() {
            Generator<Integer> generator = Generator.of(out -> {
                out.yield(1);
                forever(0);
            });
            generator.next();
            assertThatThrownBy(generator::next).isInstanceOf(StackOverflowError.class);
            assertThat(generator.hasNext()).isFalse();
            assertThatIterable(upTo(3)).hasSize(3);
        }

        @SuppressWarnings("InfiniteRecursion")
        private int forever(int n) {
            return forever(n + 1) + 1;
        }
    }

    @Nested
    class Closing {
        @Test
        void closeRunsFinally() {
            Generator<Integer> generator = Generator.of(out -> {
                try {
                    out.yield(1);
                } finally {
                    seen.add("finally");
                }
            });
            generator.next();
            generator.close();
            assertThat(seen).containsExactly("finally");
            assertThat(generator.hasNext()).isFalse();
            generator.close();
            assertThatThrownBy(generator::next).isInstanceOf(NoSuchElementException.class);
            assertThatThrownBy(() -> generator.send(1)).isInstanceOf(NoSuchElementException.class);
            assertThat(seen).hasSize(1);
        }

        @Test
        void tryWithResourcesCloses() {
            try (Generator<Integer> generator = Generator.of(out -> {
                try {
                    while (true) {
                        out.yield(1);
                    }
                } finally {
                    seen.add("finally");
                }
            })) {
                generator.next();
            }
            assertThat(seen).containsExactly("finally");
        }

        @Test
        void oneThatHasNotStartedNeverRuns() {
            Generator<Integer> generator = Generator.of(out -> seen.add("ran"));
            generator.close();
            assertThat(generator.hasNext()).isFalse();
            assertThat(seen).isEmpty();
        }

        @Test
        void yieldingWhileBeingClosedIsAnError() {
            Generator<Integer> generator = Generator.of(out -> {
                try {
                    out.yield(1);
                } catch (GeneratorExit e) {
                    out.yield(2);
                }
            });
            generator.next();
            assertThatThrownBy(generator::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ignored GeneratorExit");
            generator.close();
            assertThat(generator.hasNext()).isFalse();
        }

        @Test
        @SuppressWarnings("Finally")
        void whatFinallyThrowsComesOutOfClose() {
            Generator<Integer> generator = Generator.of(out -> {
                try {
                    out.yield(1);
                } finally {
                    if (seen.isEmpty()) {
                        throw new IllegalArgumentException("from finally");
                    }
                }
            });
            generator.next();
            assertThatThrownBy(generator::close).hasMessage("from finally");
            assertThat(generator.hasNext()).isFalse();
        }
    }

    @Nested
    class Delegating {
        private record Tree(@Nullable Tree left, int value, @Nullable Tree right) {}

        private static Generator<Integer> walk(@Nullable Tree tree) {
            return Generator.of(out -> {
                if (tree != null) {
                    out.yieldAll(walk(tree.left));
                    out.yield(tree.value);
                    out.yieldAll(walk(tree.right));
                }
            });
        }

        @Test
        void aTreeIsWalkedInOrder() {
            var tree = new Tree(new Tree(null, 1, new Tree(null, 2, null)), 3, new Tree(null, 4, null));
            assertThatIterable(walk(tree)).containsExactly(1, 2, 3, 4);
        }

        @Test
        void aTreeAThousandDeepIsWalkedWithoutAThousandfoldCost() {
            Tree tree = null;
            for (int i = 0; i < 1000; i++) {
                tree = new Tree(tree, i, null);
            }
            assertThat(walk(tree).stream().toList()).hasSize(1000).startsWith(0, 1).endsWith(999);
        }

        private static Generator<Integer> nest(int depth, int values) {
            return Generator.of(out -> {
                if (depth == 0) {
                    for (int i = 0; i < values; i++) {
                        out.yield(i);
                    }
                } else {
                    out.yieldAll(nest(depth - 1, values));
                }
            });
        }

        @Test
        void aStepCostsTheSameAtAnyDepth() {
            // Resumed through every level, a step would take a thousand switches: minutes, where this takes a second.
            assertThatIterable(nest(1000, 300_000)).hasSize(300_000);
        }

        @Test
        void itsResultIsTheResultOfYieldAll() {
            Generator<Integer> inner = Generator.returning(out -> {
                out.yield(1);
                return "result";
            });
            Generator<Integer> outer = Generator.of(out -> seen.add(out.<String>yieldAll(inner)));
            assertThatIterable(outer).containsExactly(1);
            assertThat(seen).containsExactly("result");
        }

        @Test
        void whatIsSentAndThrownReachesTheInnermost() {
            Generator<String> inner = Generator.of(out -> {
                String got = out.<String>yield("first");
                try {
                    out.yield("got " + got);
                } catch (IllegalArgumentException e) {
                    out.yield("caught " + e.getMessage());
                }
            });
            Generator<String> outer = Generator.of(out -> {
                out.yieldAll(inner);
                out.yield("outer");
            });
            assertThat(outer.next()).isEqualTo("first");
            assertThat(outer.send("mail")).isEqualTo("got mail");
            assertThat(outer.throwInto(new IllegalArgumentException("ball"))).isEqualTo("caught ball");
            assertThat(outer.next()).isEqualTo("outer");
        }

        @Test
        void aFailureOfTheInnerOneIsThrownAtYieldAll() {
            Generator<Integer> inner = Generator.of(out -> {
                out.yield(1);
                throw new IOException("inner");
            });
            Generator<Integer> outer = Generator.of(out -> {
                try {
                    out.yieldAll(inner);
                } catch (Exception e) {
                    seen.add(e.getMessage());
                }
                out.yield(2);
            });
            assertThatIterable(outer).containsExactly(1, 2);
            assertThat(seen).containsExactly("inner");
        }

        @Test
        void closingEndsTheWholeChainFromTheInside() {
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
                seen.add("not reached");
            });
            outer.next();
            outer.close();
            assertThat(seen).containsExactly("inner", "outer");
            assertThat(inner.hasNext()).isFalse();
        }

        @Test
        void onePartlyConsumedGoesOnFromThere() {
            Generator<Integer> inner = upTo(5);
            inner.next();
            assertThat(inner.hasNext()).isTrue();
            Generator<Integer> outer = Generator.of(out -> out.yieldAll(inner));
            assertThatIterable(outer).containsExactly(1, 2, 3, 4);
        }

        @Test
        void aDelegateBelongsToItsDelegator() {
            Generator<Integer> inner = upTo(3);
            Generator<Integer> outer = Generator.of(out -> out.yieldAll(inner));
            outer.next();
            assertThatThrownBy(inner::next).isInstanceOf(IllegalStateException.class).hasMessageContaining("delegate");
            Generator<Integer> other = Generator.of(out -> out.yieldAll(inner));
            assertThatThrownBy(other::next).isInstanceOf(IllegalStateException.class);
            outer.forEachRemaining(seen::add);
            assertThat(seen).containsExactly(1, 2);
            assertThat(inner.hasNext()).isFalse();
        }

        @Test
        void collectionsAreYieldedToo() {
            Generator<Integer> generator = Generator.of(out -> {
                out.yieldAll(List.of(1, 2));
                out.yieldAll(List.<Integer>of());
                out.yieldAll((Iterable<Integer>) upTo(2));
            });
            assertThatIterable(generator).containsExactly(1, 2, 0, 1);
        }

        @Test
        void permutations() {
            assertThat(permute(List.of(1, 2, 3, 4)).stream().toList()).hasSize(24).doesNotHaveDuplicates()
                    .contains(List.of(4, 3, 2, 1));
        }

        private static Generator<List<Integer>> permute(List<Integer> items) {
            return Generator.of(out -> {
                if (items.isEmpty()) {
                    out.yield(List.of());
                }
                for (int i = 0; i < items.size(); i++) {
                    var rest = new ArrayList<>(items);
                    int first = rest.remove(/* index */ i);
                    for (List<Integer> each : permute(rest)) {
                        var whole = new ArrayList<>(List.of(first));
                        whole.addAll(each);
                        out.yield(whole);
                    }
                }
            });
        }

        @Test
        void onesNestedByLoopsWorkAThousandDeep() throws Exception {
            onADeepStack(() -> assertThatIterable(layer(1000)).containsExactly(1, 2));
        }

        private static Generator<Integer> layer(int depth) {
            return Generator.of(out -> {
                if (depth == 0) {
                    out.yield(1);
                    out.yield(2);
                } else {
                    for (int each : layer(depth - 1)) {
                        out.yield(each);
                    }
                }
            });
        }
    }

    @Nested
    class Misuse {
        @Test
        void aBodyCannotAskItself() {
            var self = new AtomicReference<@Nullable Generator<Integer>>();
            Generator<Integer> generator = Generator.of(out -> {
                Generator<Integer> me = java.util.Objects.requireNonNull(self.get());
                assertThatThrownBy(me::next).isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("executing already");
                assertThatThrownBy(me::close).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> out.yieldAll(me)).isInstanceOf(IllegalStateException.class);
                out.yield(1);
            });
            self.set(generator);
            assertThatIterable(generator).containsExactly(1);
        }

        @Test
        void onlyTheBodyMayYield() throws Exception {
            var leaked = new AtomicReference<Generator.@Nullable Out<Integer>>();
            Generator<Integer> generator = Generator.of(out -> {
                leaked.set(out);
                out.yield(1);
            });
            generator.next();
            Generator.Out<Integer> out = java.util.Objects.requireNonNull(leaked.get());
            assertThatThrownBy(() -> out.yield(2)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("belongs to the body");
            Throwable there = CoroutineTest.onAnotherThread(() -> catchThrowable(() -> out.yield(2)));
            assertThat(there).isInstanceOf(IllegalStateException.class).hasMessageContaining("another");
            generator.forEachRemaining(seen::add);
            assertThatThrownBy(() -> out.yield(3)).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void anotherThreadCannotAskWhileItRuns() throws Exception {
            var inBody = new CountDownLatch(1);
            var goOn = new CountDownLatch(1);
            Generator<Integer> generator = Generator.of(out -> {
                inBody.countDown();
                goOn.await();
                out.yield(1);
            });
            Thread consumer = Thread.ofPlatform().start(() -> seen.add(generator.next()));
            inBody.await();
            assertThatThrownBy(generator::next).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("executing already");
            goOn.countDown();
            consumer.join();
            assertThat(seen).containsExactly(1);
        }

        @Test
        void aBodyMayYieldForTheOneAroundIt() {
            Generator<String> outer = Generator.of(out -> {
                Generator<String> inner = Generator.of(own -> {
                    out.yield("outer, from inside the inner body");
                    own.yield("inner");
                });
                seen.add(inner.next());
            });
            assertThatIterable(outer).containsExactly("outer, from inside the inner body");
            assertThat(seen).containsExactly("inner");
        }
    }

    @Nested
    class WithThreads {
        @Test
        void severalThreadsInTurnUnderOneLock() throws Exception {
            Generator<Integer> generator = countFrom(0);
            var got = Collections.synchronizedList(new ArrayList<Integer>());
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < 4; i++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    for (int k = 0; k < 5000; k++) {
                        synchronized (generator) {
                            got.add(generator.next());
                        }
                    }
                }));
            }
            for (Thread each : threads) {
                each.join();
            }
            assertThat(got).hasSize(20_000).isSorted();
        }

        @Test
        void theBodyRunsOnTheConsumersThread() throws Exception {
            Generator<Thread> generator = Generator.of(out -> {
                while (true) {
                    out.yield(Thread.currentThread());
                }
            });
            if (Suspendable.NATIVE) {
                assertThat(generator.next()).isSameAs(Thread.currentThread());
                assertThat(CoroutineTest.onAnotherThread(generator::next).getName()).isEqualTo("another");
            } else {
                assertThat(generator.next()).isSameAs(generator.next()); // docs/differences.md
            }
        }

        @Test
        void aCoroutineMayBeSwitchedToFromAGeneratorsBody() {
            Coroutine<Object> main = Coroutine.main();
            var other = Coroutine.of((String x) -> {
                seen.add("other got " + x);
                main.switchTo("back");
            });
            Generator<String> generator = Generator.of(out -> {
                out.yield(other.<String>switchTo("hello"));
                out.yield("done");
            });
            assertThatIterable(generator).containsExactly("back", "done");
            assertThat(seen).containsExactly("other got hello");
        }

        @Test
        void aCoroutineMaySwitchAwayInTheMiddleOfAStep() {
            Generator<String> generator = Generator.of(out -> {
                String got = Coroutine.main().<String>switchTo("from inside the generator");
                out.yield(got);
            });
            var consumer = Coroutine.returning(() -> generator.next());
            assertThat(consumer.<String>switchTo()).isEqualTo("from inside the generator");
            assertThatThrownBy(generator::next).isInstanceOf(IllegalStateException.class);
            assertThat(consumer.<String>switchTo("answer")).isEqualTo("answer");
        }
    }

    /** Interpreted frames of a thousand nested bodies take more than the megabyte that a thread has by default. */
    private static void onADeepStack(Runnable task) throws InterruptedException {
        var failure = new AtomicReference<@Nullable Throwable>();
        Thread thread = new Thread(null, task, "deep", 64 << 20);
        thread.setUncaughtExceptionHandler((_, t) -> failure.set(t));
        thread.start();
        thread.join();
        assertThat(failure.get()).isNull();
    }
}
