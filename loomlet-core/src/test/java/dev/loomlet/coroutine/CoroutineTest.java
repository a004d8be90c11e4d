package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.GreenletExit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What greenlet's own tests pin down; the numbers are the rows of {@code docs/differences.md}. */
@ExtendWith(EndLeftovers.class)
class CoroutineTest {
    private final List<Object> seen = new ArrayList<>();

    private Coroutine<@Nullable Object> first = Coroutine.of(() -> {});
    private Coroutine<@Nullable Object> second = Coroutine.of(() -> {});

    private void say(Object what) {
        seen.add(what);
    }

    @Nested
    class Construction {
        @Test
        @DisplayName("G1: the parent is the coroutine that created it, or the one it is given")
        void parentIsTheCreator() {
            var outer = Coroutine.returning(() -> {
                var inner = Coroutine.of(() -> {});
                assertThat(inner.parent()).containsSame(Coroutine.current());
                return inner;
            });
            assertThat(outer.parent()).containsSame(Coroutine.main());
            Coroutine<Object> inner = outer.switchTo();
            assertThat(inner.parent().map(each -> (Object) each)).contains(outer);
            assertThat(new Echo(inner).parent()).containsSame(inner);
        }

        @Test
        @DisplayName("G2: switching or throwing into one without a body is an error in the caller")
        void noBody() {
            var empty = new Coroutine<String>() {}; // a subclass that overrides nothing
            assertThatThrownBy(() -> empty.switchTo("x")).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has no body");
            assertThat((Object) Coroutine.current()).isSameAs(Coroutine.main());
        }

        @Test
        @DisplayName("G3: the body is a function, or a method of a subclass, or replaced before the start")
        void waysToGiveABody() {
            assertThat(Coroutine.returning((String s) -> s + "!").<String>switchTo("a")).isEqualTo("a!");
            assertThat(new Echo(Coroutine.current()).<String>switchTo("b")).isEqualTo("echo b");
            var replaced = Coroutine.of((String s) -> {
                throw new AssertionError();
            });
            replaced.body(s -> s + "?");
            assertThat(replaced.<String>switchTo("c")).isEqualTo("c?");
        }

        @Test
        @DisplayName("G4, G5: no new body after the start, none for a main coroutine")
        void noBodyAfterTheStart() {
            var running = Coroutine.of((Object x) -> Coroutine.main().switchTo(1));
            running.switchTo(0);
            assertThatThrownBy(() -> running.body(x -> x)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("after its start");
            assertThatThrownBy(() -> Coroutine.main().body(x -> x)).isInstanceOf(IllegalStateException.class);
        }

        private static final class Echo extends Coroutine<String> {
            Echo(Coroutine<?> parent) {
                super(parent);
            }

            @Override
            protected Object run(String first) {
                return "echo " + first;
            }
        }
    }

    @Nested
    class Switching {
        @Test
        @DisplayName("G7: any coroutine may switch to any other, whoever is whose parent")
        void symmetric() {
            first = Coroutine.of(() -> {
                say("first 1");
                second.switchTo();
                say("first 2");
                second.switchTo();
            });
            second = Coroutine.of(() -> {
                say("second 1");
                first.switchTo();
                say("second 2");
            });
            first.switchTo();
            assertThat(seen).containsExactly("first 1", "second 1", "first 2", "second 2");
        }

        @Test
        @DisplayName("G8, G9: the first value is the argument, later ones are the result of the pending switch")
        void values() {
            var adder = Coroutine.of((Integer start) -> {
                int sum = start;
                while (true) {
                    int more = Coroutine.main().<Integer>switchTo(sum);
                    sum += more;
                }
            });
            assertThat(adder.<Integer>switchTo(1)).isEqualTo(1);
            assertThat(adder.<Integer>switchTo(10)).isEqualTo(11);
            assertThat(adder.<Integer>switchTo(100)).isEqualTo(111);
        }

        @Test
        @DisplayName("G9: a switch that sends nothing arrives as null")
        void nothing() {
            var child = Coroutine.returning((Object x) -> x == null ? "nothing" : "something");
            assertThat(child.<String>switchTo()).isEqualTo("nothing");
        }

        @Test
        @DisplayName("G10: switching to oneself returns the value at once, throwing at oneself throws at once")
        void toOneself() {
            var child = Coroutine.returning(() -> {
                assertThat(Coroutine.current().<String>switchTo("self")).isEqualTo("self");
                var failure = new IOException("self");
                assertThat(catchThrowable(() -> Coroutine.current().throwInto(failure))).isSameAs(failure);
                return Coroutine.current().switchTo(5);
            });
            assertThat(child.<Integer>switchTo()).isEqualTo(5);
            assertThat(Coroutine.main().<String>switchTo("main")).isEqualTo("main");
        }

        @Test
        @DisplayName("G11: coroutines may nest as deeply as one likes")
        void nested() {
            assertThat(descend(500)).isEqualTo(500);
        }

        private int descend(int depth) {
            return depth == 0 ? 0 : 1 + Coroutine.returning(() -> descend(depth - 1)).<Integer>switchTo();
        }

        @Test
        @DisplayName("G12: an exception being handled in one is invisible in the others")
        void exceptionsStayHome() {
            var child = Coroutine.returning(() -> {
                try {
                    throw new IOException("mine");
                } catch (IOException e) {
                    Coroutine.main().switchTo("in handler");
                    return e.getMessage();
                }
            });
            assertThat(child.<String>switchTo()).isEqualTo("in handler");
            try {
                throw new IllegalStateException("yours");
            } catch (IllegalStateException e) {
                assertThat(child.<String>switchTo()).isEqualTo("mine");
                assertThat(e).hasMessage("yours");
            }
        }

        @Test
        void aValueOfAnotherTypeFailsWhereItArrives() {
            var child = Coroutine.returning(() -> "text");
            assertThatThrownBy(() -> {
                int number = child.<Integer>switchTo();
                say(number);
            }).isInstanceOf(ClassCastException.class);
        }

        @Test
        void threadLocalsAndTheThreadAreShared() {
            var local = new ThreadLocal<String>();
            local.set("set outside");
            var child = Coroutine.returning(() -> local.get() + " " + (Thread.currentThread() == first.thread()));
            if (Suspendable.NATIVE) {
                assertThat(child.<String>switchTo()).isEqualTo("set outside true");
            } else {
                assertThat(child.<String>switchTo()).isEqualTo("null false"); // docs/differences.md
            }
        }
    }

    @Nested
    class Death {
        @Test
        @DisplayName("G13: the result goes to the parent at the time of death, not to the last switcher")
        void resultGoesToTheParent() {
            var parent = Coroutine.returning(() -> {
                Object got = Coroutine.main().switchTo("parent waits");
                return "parent got " + got;
            });
            var child = Coroutine.returning(() -> "result");
            assertThat(parent.<String>switchTo()).isEqualTo("parent waits");
            child.parent(parent);
            assertThat(child.<String>switchTo()).isEqualTo("parent got result");
        }

        @Test
        @DisplayName("G14: an uncaught exception is thrown in the parent, checked ones and traces included")
        void failureGoesToTheParent() {
            var failure = new IOException("lost");
            var child = Coroutine.of(() -> {
                throw failure;
            });
            assertThat(catchThrowable(child::switchTo)).isSameAs(failure);
            assertThat(child.dead()).isTrue();
            assertThat(failure.getStackTrace()[0].getClassName()).contains("CoroutineTest");
        }

        @Test
        @DisplayName("G14: it goes on up the chain past dead parents")
        void failurePassesDeadParents() {
            var parent = Coroutine.of(() -> {});
            var child = Coroutine.of(() -> {
                throw new IllegalArgumentException("up");
            });
            child.parent(parent);
            parent.switchTo();
            assertThat(parent.dead()).isTrue();
            assertThatThrownBy(child::switchTo).isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        @DisplayName("G15: GreenletExit is delivered to the parent as a value")
        void exitIsAValue() {
            var child = Coroutine.of(() -> Coroutine.main().switchTo());
            child.switchTo();
            assertThat(child.<Object>throwInto()).isInstanceOf(GreenletExit.class);
            assertThat(child.dead()).isTrue();
        }

        @Test
        @DisplayName("G16: a parent that has not started is started by the result")
        void unstartedParentIsStarted() {
            var parent = Coroutine.returning((Object x) -> "parent(" + x + ")");
            var child = Coroutine.returning(() -> "child");
            child.parent(parent);
            assertThat(child.<String>switchTo()).isEqualTo("parent(child)");
        }

        @Test
        @DisplayName("G17: if that parent cannot start, the error goes to its parent")
        void parentWithoutBody() {
            var parent = new Coroutine<Object>() {};
            var child = Coroutine.of(() -> {});
            child.parent(parent);
            assertThatThrownBy(child::switchTo).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("has no body");
        }

        @Test
        @DisplayName("G18: a switch to a dead one goes to its nearest living ancestor")
        void deadOnesPassOn() {
            var grandparent = Coroutine.returning(() -> {
                Object got = Coroutine.main().switchTo();
                return "grandparent got " + got;
            });
            grandparent.switchTo();
            var parent = Coroutine.of(() -> {});
            parent.parent(grandparent);
            var dead = Coroutine.of(() -> {});
            dead.switchTo();
            assertThat(dead.<String>switchTo("to myself")).isEqualTo("to myself");
            dead.parent(parent);
            parent.throwInto(); // dead before its start; the exit went to the grandparent as a value
            assertThat(grandparent.dead()).isTrue();
            assertThat(dead.<String>switchTo("again")).isEqualTo("again");
        }

        @Test
        @DisplayName("G19, G20: dead, started and active; a dead one cannot be restarted")
        void states() {
            var child = Coroutine.of(() -> Coroutine.main().switchTo());
            assertThat(List.of(child.started(), child.active(), child.dead())).containsExactly(false, false, false);
            child.switchTo();
            assertThat(List.of(child.started(), child.active(), child.dead())).containsExactly(true, true, false);
            child.switchTo();
            assertThat(List.of(child.started(), child.active(), child.dead())).containsExactly(true, false, true);
            child.switchTo();
            assertThat(child.dead()).isTrue();
        }
    }

    @Nested
    class Throwing {
        @Test
        @DisplayName("G21: the exception is thrown at the pending switch, GreenletExit by default")
        void thrownAtThePendingSwitch() {
            var child = Coroutine.returning(() -> {
                try {
                    Coroutine.main().switchTo("waiting");
                    return "not thrown";
                } catch (UncheckedIOException e) {
                    return "caught " + e.getMessage();
                }
            });
            child.switchTo();
            assertThat(child.<String>throwInto(unchecked("it"))).isEqualTo("caught it");

            var other = Coroutine.returning(() -> {
                try {
                    return Coroutine.main().switchTo();
                } catch (GreenletExit e) {
                    return "exit";
                }
            });
            other.switchTo();
            assertThat(other.<String>throwInto()).isEqualTo("exit");
        }

        @Test
        @DisplayName("G22: one that has not started dies without running")
        void unstarted() {
            var child = Coroutine.of(() -> say("ran"));
            var failure = new IllegalArgumentException();
            assertThat(catchThrowable(() -> child.throwInto(failure))).isSameAs(failure);
            assertThat(child.dead()).isTrue();
            assertThat(child.started()).isFalse();
            var quiet = Coroutine.of(() -> say("ran"));
            assertThat(quiet.<Object>throwInto()).isInstanceOf(GreenletExit.class);
            assertThat(seen).isEmpty();
        }

        @Test
        @DisplayName("G22: the exception goes to the original parent")
        void unstartedToItsParent() {
            var parent = Coroutine.returning(() -> {
                try {
                    return Coroutine.main().switchTo();
                } catch (UncheckedIOException e) {
                    return "parent caught " + e.getMessage();
                }
            });
            parent.switchTo();
            var child = Coroutine.of(() -> {});
            child.parent(parent);
            assertThat(child.<String>throwInto(unchecked("x"))).isEqualTo("parent caught x");
        }

        @Test
        @DisplayName("G23: at a dead one, GreenletExit comes back as a value, others are thrown in the ancestor")
        void atADeadOne() {
            var child = Coroutine.of(() -> {});
            child.switchTo();
            assertThat(child.<Object>throwInto()).isInstanceOf(GreenletExit.class);
            assertThatThrownBy(() -> child.throwInto(new IOException())).isInstanceOf(IOException.class);
        }

        @Test
        @DisplayName("G26: throwing at one whose thread has ended is an error, and names both threads")
        void atAnEndedThread() throws Exception {
            var stranded = onAnotherThread(() -> {
                var child = Coroutine.of(() -> Coroutine.main().switchTo());
                child.switchTo();
                return child;
            });
            assertThatThrownBy(stranded::throwInto).isInstanceOf(WrongThreadException.class)
                    .hasMessageContaining("which has exited").hasMessageContaining(Thread.currentThread().toString());
            assertThat(stranded.toString()).contains("exited");
        }
    }

    @Nested
    class Parents {
        @Test
        @DisplayName("G27: cycles are refused")
        void cycles() {
            var child = Coroutine.of(() -> {});
            assertThatThrownBy(() -> child.parent(child)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Cyclic");
            var grandchild = Coroutine.of(() -> {});
            grandchild.parent(child);
            assertThatThrownBy(() -> child.parent(grandchild)).isInstanceOf(IllegalArgumentException.class);
            assertThat(child.parent()).containsSame(Coroutine.main());
        }

        @Test
        @DisplayName("G28: a main coroutine has no parent and gets none")
        void mainHasNone() {
            assertThat(Coroutine.main().parent()).isEmpty();
            var child = Coroutine.of(() -> {});
            assertThatThrownBy(() -> Coroutine.main().parent(child)).isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        @DisplayName("G30: a parent of another thread: refused once started, before that it brings its thread along")
        void otherThread() throws Exception {
            var foreign = onAnotherThread(Coroutine::main);
            var started = Coroutine.of(() -> Coroutine.main().switchTo());
            started.switchTo();
            assertThatThrownBy(() -> started.parent(foreign)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(Thread.currentThread().toString());
            var unstarted = Coroutine.of(() -> {});
            unstarted.parent(foreign);
            assertThat(unstarted.thread()).isSameAs(foreign.thread());
            assertThatThrownBy(unstarted::switchTo).isInstanceOf(WrongThreadException.class);
        }
    }

    @Nested
    class Threads {
        @Test
        @DisplayName("G32: each thread has its own main coroutine, virtual threads too")
        void eachItsOwn() throws Exception {
            Coroutine<Object> there = onAnotherThread(Coroutine::current);
            assertThat((Object) there).isNotSameAs(Coroutine.current());
            var seenThere = new AtomicReference<@Nullable Coroutine<Object>>();
            Thread.ofVirtual().start(() -> seenThere.set(Coroutine.current())).join();
            assertThat(seenThere.get()).isNotNull().isNotSameAs(Coroutine.current());
            assertThat(Coroutine.main()).isSameAs(Coroutine.current());
        }

        @Test
        @DisplayName("G33: switching across threads is refused, and names both")
        void acrossThreads() throws Exception {
            var mine = Coroutine.of(() -> Coroutine.main().switchTo());
            mine.switchTo();
            var home = Thread.currentThread();
            var failure = onAnotherThread(() -> catchThrowable(mine::switchTo));
            assertThat(failure).isInstanceOf(WrongThreadException.class).hasMessageContaining(home.toString())
                    .hasMessageContaining("different thread");
            assertThat(mine.active()).isTrue();
        }

        @Test
        @DisplayName("G33: many threads switch at the same time without meeting")
        void manyThreads() throws Exception {
            var go = new CountDownLatch(1);
            var sums = new int[4];
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < sums.length; i++) {
                int me = i;
                threads.add(Thread.ofPlatform().start(() -> {
                    var child = Coroutine.of((Integer start) -> {
                        for (int sum = start;;) {
                            sum += Coroutine.main().<Integer>switchTo(sum);
                        }
                    });
                    try {
                        go.await();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    child.switchTo(0);
                    for (int k = 1; k <= 1000; k++) {
                        sums[me] = child.<Integer>switchTo(k);
                    }
                    child.throwInto();
                }));
            }
            go.countDown();
            for (Thread each : threads) {
                each.join();
            }
            assertThat(sums).containsOnly(500_500);
        }
    }

    @Nested
    class Introspection {
        @Test
        @DisplayName("G35: the stack of a suspended one, down to its own base and no further")
        void stack() {
            var child = Coroutine.of(() -> outer());
            assertThat(child.stackTrace()).isEmpty();
            child.switchTo();
            assertThat(child.stackTrace()).extracting(StackTraceElement::getMethodName)
                    .containsSubsequence("switchTo", "inner", "outer").doesNotContain("stack");
            child.switchTo();
            assertThat(child.stackTrace()).isEmpty();
        }

        private void outer() {
            inner();
        }

        private void inner() {
            Coroutine.main().switchTo();
        }

        @Test
        @DisplayName("G36: its text names its state")
        void text() throws Exception {
            var child = Coroutine.returning(() -> {
                say(Coroutine.current().toString());
                return Coroutine.main().switchTo();
            });
            assertThat(child.toString()).contains("pending");
            child.switchTo();
            assertThat(seen.getFirst().toString()).contains("current");
            assertThat(child.toString()).contains("suspended");
            child.switchTo();
            assertThat(child.toString()).contains("dead");
            assertThat(Coroutine.main().toString()).contains("main").contains("current");
        }

        @Test
        @DisplayName("G37: weak references work")
        void weakReferences() {
            var reference = new WeakReference<>(Coroutine.of(() -> {}));
            for (int i = 0; i < 100 && reference.get() != null; i++) {
                System.gc();
            }
            assertThat(reference.get()).isNull();
        }

        @Test
        @DisplayName("G51: what a thread has left suspended is collected when the thread has ended")
        void threadsEnd() throws Exception {
            assumeTrue(Suspendable.NATIVE); // a portable body is a thread and stays: docs/differences.md
            WeakReference<?> reference = onAnotherThread(() -> {
                var child = Coroutine.of(() -> Coroutine.main().switchTo());
                child.switchTo();
                return new WeakReference<>(child);
            });
            for (int i = 0; i < 100 && reference.get() != null; i++) {
                System.gc();
            }
            assertThat(reference.get()).isNull();
        }
    }

    private static UncheckedIOException unchecked(String message) {
        return new UncheckedIOException(message, new IOException(message));
    }

    static <T> T onAnotherThread(java.util.concurrent.Callable<T> task) throws Exception {
        var result = new AtomicReference<@Nullable T>();
        var failure = new AtomicReference<@Nullable Throwable>();
        Thread thread = Thread.ofPlatform().name("another").start(() -> {
            try {
                result.set(task.call());
            } catch (Throwable t) {
                failure.set(t);
            }
        });
        thread.join();
        assertThat(failure.get()).isNull();
        return java.util.Objects.requireNonNull(result.get());
    }
}
