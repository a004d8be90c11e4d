package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.GreenletExit;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The odd corners that greenlet's tests go into beside the rows of its semantics: who gets what when somebody is missing. */
@ExtendWith(EndLeftovers.class)
class CoroutineCornersTest {
    private final List<Object> seen = new ArrayList<>();

    private static Coroutine<@Nullable Object> below(Coroutine<?> parent, Coroutine.Task body) {
        Coroutine<@Nullable Object> child = Coroutine.of(body);
        child.parent(parent);
        return child;
    }

    @Test
    void aDeadOneThatIsGivenAnUnstartedParentStartsIt() {
        Coroutine<@Nullable Object> parent = Coroutine.of(() -> {
            seen.add("parent");
        });
        Coroutine<@Nullable Object> child = Coroutine.of(() -> {
            seen.add("child");
        });
        child.switchTo();
        child.parent(parent);
        Object result = child.switchTo();
        assertThat(result).isNull();
        assertThat(seen).containsExactly("child", "parent");
        assertThat(parent.dead()).isTrue();
    }

    @Test
    void theResultOfAChildIsTheArgumentOfItsUnstartedParent() {
        Coroutine<Integer> parent = Coroutine.returning((Integer x) -> List.of(x, 24));
        Coroutine<@Nullable Object> child = Coroutine.returning(() -> 42);
        child.parent(parent);
        List<Integer> result = child.switchTo();
        assertThat(result).containsExactly(42, 24);
    }

    @Test
    void anUnstartedParentThatCannotTakeTheResultFailsWithAClassCast() {
        Coroutine<String> parent = Coroutine.returning((String x) -> x.length());
        Coroutine<@Nullable Object> child = Coroutine.returning(() -> 42);
        child.parent(parent);
        assertThatThrownBy(child::switchTo).isInstanceOf(ClassCastException.class);
        assertThat(parent.dead()).isTrue();
    }

    @Test
    void aParentThatFailsAtItsStartFailsAgainstWhoeverSwitchesToTheDeadChild() {
        Coroutine<@Nullable Object> parent = Coroutine.of(() -> {
            throw new IllegalArgumentException("parent");
        });
        Coroutine<@Nullable Object> child = below(parent, () -> seen.add(42));
        assertThatThrownBy(child::switchTo).hasMessage("parent");
        assertThat(child.dead()).isTrue();
        Object nothing = child.switchTo(); // both are dead: what is sent comes back
        assertThat(nothing).isNull();
        assertThat(seen).containsExactly(42);
    }

    @Test
    void whatIsThrownIntoAnUnstartedOnePassesItsUnstartedParentToo() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> one = Coroutine.of(() -> main.switchTo("ready"));
        Coroutine<@Nullable Object> two = below(one, () -> main.switchTo("from two"));
        assertThatThrownBy(() -> two.throwInto(new IndexOutOfBoundsException("x"))).hasMessage("x");
        assertThat(two.dead()).isTrue();
        assertThat(one.dead()).isTrue();
        assertThat(one.started()).isFalse();
    }

    @Test
    void whatIsThrownIntoAnUnstartedOneIsCaughtByItsWaitingParent() {
        Coroutine<Object> main = Coroutine.main();
        for (boolean started : new boolean[] {false, true}) {
            Coroutine<@Nullable Object> one = Coroutine.returning(() -> {
                try {
                    main.switchTo("ready");
                    return "normal";
                } catch (IndexOutOfBoundsException e) {
                    return "caught";
                }
            });
            Coroutine<@Nullable Object> two = below(one, () -> main.switchTo("from two"));
            assertThat((String) one.switchTo()).isEqualTo("ready");
            if (started) {
                assertThat((String) two.switchTo()).isEqualTo("from two");
            }
            assertThat((String) two.throwInto(new IndexOutOfBoundsException())).isEqualTo("caught");
            assertThat(two.dead() && one.dead()).isTrue();
        }
    }

    @Test
    void anExitIsEatenByADeadOneAsOftenAsOneLikes() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> one = Coroutine.of(() -> main.switchTo("ok"));
        assertThat((String) one.switchTo()).isEqualTo("ok");
        for (int i = 0; i < 3; i++) {
            Object exit = one.throwInto();
            assertThat(exit).isInstanceOf(GreenletExit.class);
            assertThat(one.dead()).isTrue();
        }
    }

    @Test
    void oneWhoseThreadHasEndedIsRefusedAndTheErrorSaysSo() throws Exception {
        AtomicReference<Coroutine<@Nullable Object>> left = new AtomicReference<>();
        AtomicReference<Coroutine<Object>> itsMain = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().name("short-lived").start(() -> {
            Coroutine<@Nullable Object> waiting = Coroutine.of(() -> Coroutine.main().switchTo());
            waiting.switchTo();
            left.set(waiting);
            itsMain.set(Coroutine.main());
        });
        thread.join();
        assertThat(itsMain.get().dead()).isTrue();
        assertThat(itsMain.get().toString()).contains("short-lived");
        Coroutine<@Nullable Object> orphan = left.get();
        Throwable error = catchThrowable(() -> orphan.throwInto(new IllegalStateException("lost")));
        assertThat(error).isInstanceOf(WrongThreadException.class).hasMessageContaining("short-lived")
                .hasMessageContaining(Thread.currentThread().getName());
        Coroutine<@Nullable Object> mine = Coroutine.of(() -> Coroutine.main().switchTo());
        mine.switchTo();
        assertThatThrownBy(() -> mine.parent(orphan)).isInstanceOf(IllegalArgumentException.class);
        mine.throwInto();
    }

    @Test
    void aTracerThatSwitchesAwayItselfDisturbsNobody() {
        Coroutine<Object> main = Coroutine.main();
        AtomicReference<@Nullable Coroutine<Object>> detour = new AtomicReference<>();
        Coroutine.trace((_, _, _) -> {
            Coroutine<Object> to = detour.getAndSet(null);
            if (to != null) {
                to.switchTo("detour");
            }
        });
        try {
            Coroutine<Object> two = Coroutine.of((Object value) -> {
                seen.add("two " + value);
                main.switchTo("two");
            });
            Coroutine<Object> one = Coroutine.of((Object value) -> {
                seen.add("one " + value);
                detour.set(two);
                seen.add("one again " + main.switchTo("one"));
            });
            // One switches to main, whose tracer goes to two, which comes back into the tracer in main.
            assertThat((String) one.switchTo(1)).isEqualTo("one");
            Object last = one.switchTo(2);
            assertThat(last).isNull();
            assertThat(seen).containsExactly("one 1", "two detour", "one again 2");
            two.throwInto();
        } finally {
            Coroutine.untrace();
        }
    }

    @Test
    void theSameTracerMayBeSetTwice() {
        Tracer tracer = (event, _, _) -> seen.add(event);
        assertThat(Coroutine.trace(tracer)).isEmpty();
        assertThat(Coroutine.trace(tracer)).containsSame(tracer);
        Coroutine.of(() -> {}).switchTo();
        assertThat(Coroutine.untrace()).containsSame(tracer);
        assertThat(seen).containsExactly(Tracer.Event.SWITCH, Tracer.Event.SWITCH);
    }

    @Test
    void aTracerIsToldOfTheSwitchesThatItMakesItselfAndOfThoseMadeWhileItIsAway() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<Object> two = Coroutine.of((Object value) -> {
            seen.add("two " + value);
            seen.add("two again " + main.switchTo("from two"));
        });
        AtomicReference<@Nullable Coroutine<Object>> detour = new AtomicReference<>(two);
        Coroutine.trace((event, _, _) -> {
            seen.add(event);
            Coroutine<Object> to = detour.getAndSet(null);
            if (to != null) {
                to.switchTo("from the tracer");
            }
        });
        try {
            Coroutine<Object> one = Coroutine.of((Object value) -> {
                seen.add("one " + value);
            });
            // The tracer of one's first switch goes to two, which goes to main: one has not begun.
            seen.add("main " + one.switchTo("lunch"));
            seen.add("main " + one.switchTo("ends the tracer's own switch"));
            seen.add("main " + two.switchTo());
        } finally {
            Coroutine.untrace();
        }
        Object told = Tracer.Event.SWITCH;
        assertThat(seen).containsExactly(told, told, "two from the tracer", told, "main from two", told, "one lunch",
                told,
                "main null", told, "two again null", told, "main null");
    }

    @Test
    void aTracerIsOfItsThread() throws Exception {
        Coroutine.trace((event, _, _) -> seen.add(event));
        try {
            assertThat(CoroutineTest.onAnotherThread(() -> {
                Coroutine.of(() -> {}).switchTo();
                return Coroutine.tracer();
            })).isEmpty();
        } finally {
            Coroutine.untrace();
        }
        assertThat(seen).isEmpty();
    }

    @Test
    void aFailurePassesEachWaitingParentInTurn() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<?> last = main;
        for (int level = 0; level < 3; level++) {
            int me = level;
            Coroutine<@Nullable Object> each = below(last, () -> {
                try {
                    main.switchTo();
                    throw new IllegalArgumentException("nobody else throws");
                } catch (IllegalArgumentException e) {
                    seen.add(me + " " + e.getMessage());
                    throw e;
                }
            });
            each.switchTo();
            last = each;
        }
        Coroutine<?> innermost = last;
        assertThatThrownBy(innermost::switchTo).hasMessage("nobody else throws");
        assertThat(seen).containsExactly("2 nobody else throws", "1 nobody else throws", "0 nobody else throws");
        Object nothing = innermost.switchTo();
        assertThat(nothing).isNull();
    }

    @Test
    void whatIsThrownAtMainIsThrownAtItsPendingSwitch() {
        Coroutine<@Nullable Object> child = Coroutine.of(() -> Coroutine.main().throwInto(new IOException("up")));
        assertThatThrownBy(child::switchTo).isInstanceOf(IOException.class).hasMessage("up");
        assertThat(child.active()).isTrue();
        child.switchTo();
        assertThat(child.dead()).isTrue();
    }

    @Test
    void oneThatIsBeingEndedMaySwitchInItsFinallyAndEndsWhenItIsSwitchedTo() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> child = Coroutine.of(() -> {
            try {
                main.switchTo("waits");
            } finally {
                seen.add(main.switchTo("still here"));
            }
        });
        assertThat(child.<String>switchTo()).isEqualTo("waits");
        assertThat(child.<String>throwInto()).isEqualTo("still here");
        assertThat(child.active()).isTrue();
        assertThat(child.<Object>switchTo()).isInstanceOf(GreenletExit.class);
        assertThat(child.dead()).isTrue();
        assertThat(seen).containsExactly((Object) null);
    }

    @Test
    void anExitThatIsCaughtDoesNotEndIt() {
        Coroutine<@Nullable Object> child = Coroutine.returning(() -> {
            try {
                return Coroutine.main().switchTo();
            } catch (GreenletExit e) {
                return Coroutine.main().switchTo("survived");
            }
        });
        child.switchTo();
        assertThat(child.<String>throwInto()).isEqualTo("survived");
        assertThat((String) child.switchTo()).isNull();
    }

    @Test
    void aParentMayBeExchangedByTheBodyItself() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> collector = Coroutine.returning(() -> "collected " + main.switchTo());
        collector.switchTo();
        Coroutine<@Nullable Object> child = Coroutine.returning(() -> {
            Coroutine.current().parent(collector);
            return "result";
        });
        assertThat(child.<String>switchTo()).isEqualTo("collected result");
        assertThat(child.parent().map(each -> (Object) each)).contains(collector);
    }

    @Test
    void oneWithoutABodyIsRefusedAlsoToAThrowAndMayBeGivenOneLater() {
        var empty = new Coroutine<String>() {};
        assertThatThrownBy(() -> empty.throwInto(new IOException("lost"))).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("has no body");
        assertThatThrownBy(() -> empty.switchTo("x")).hasMessageContaining("has no body");
        assertThat(empty.dead() || empty.started()).isFalse();
        empty.body(text -> text + "!");
        assertThat(empty.<String>switchTo("x")).isEqualTo("x!");
    }

    @Test
    void aDeadOneWhoseParentHasNoBodyIsAnErrorOfTheCallerEachTime() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> bystander = Coroutine.of(() -> main.switchTo());
        bystander.switchTo();
        var empty = new Coroutine<Object>(bystander) {};
        Coroutine<@Nullable Object> child = Coroutine.of(() -> seen.add("ran"));
        child.switchTo();
        child.parent(empty);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(child::switchTo).hasMessageContaining("has no body");
        }
        assertThat(bystander.active()).isTrue();
        assertThat(seen).containsExactly("ran");
    }

    @Test
    void aSubclassMayComeToTheBodyThatItWasGiven() {
        var wrapped = new Coroutine<String>() {
            @Override
            protected Object run(String first) throws Exception {
                return "<" + super.run(first) + ">";
            }
        };
        wrapped.body(text -> text + "!");
        assertThat(wrapped.<String>switchTo("x")).isEqualTo("<x!>");
    }

    @Test
    void anUnstartedOneGoesWhereItsParentGoes() throws Exception {
        Coroutine<Object> parent = Coroutine.returning((Object x) -> "parent " + x);
        Coroutine<@Nullable Object> child = Coroutine.returning(() -> "child");
        child.parent(parent);
        assertThat(CoroutineTest.<String>onAnotherThread(() -> {
            parent.parent(Coroutine.main());
            assertThat(child.thread()).isSameAs(Thread.currentThread());
            return child.switchTo();
        })).isEqualTo("parent child");
        assertThat(child.thread().getName()).isEqualTo("another");
    }

    @Test
    void anUnstartedOneWhoseParentHasGoneToAnotherThreadIsRefused() throws Exception {
        Coroutine<@Nullable Object> parent = Coroutine.of(() -> seen.add("parent"));
        Coroutine<@Nullable Object> child = Coroutine.of(() -> seen.add("child"));
        child.parent(parent);
        parent.parent(CoroutineTest.onAnotherThread(Coroutine::main));
        assertThatThrownBy(child::switchTo).isInstanceOf(WrongThreadException.class).hasMessageContaining("another");
        assertThatThrownBy(child::throwInto).isInstanceOf(WrongThreadException.class);
        assertThat(seen).isEmpty();
        assertThat(child.dead()).isFalse();
        child.parent(Coroutine.main()); // and back
        child.switchTo();
        assertThat(seen).containsExactly("child");
    }

    @Test
    void aParentThatHasGoneToAnotherThreadIsPassedOverByTheResult() throws Exception {
        Coroutine<@Nullable Object> parent = Coroutine.of(() -> seen.add("parent"));
        Coroutine<@Nullable Object> child = Coroutine.of(() -> Coroutine.main().switchTo());
        child.parent(parent);
        child.switchTo();
        Coroutine<Object> foreign = CoroutineTest.onAnotherThread(Coroutine::main);
        parent.parent(foreign);
        assertThatThrownBy(child::switchTo).isInstanceOf(WrongThreadException.class).hasMessageContaining("another");
        assertThat(child.dead()).isTrue();
        assertThatThrownBy(child::switchTo).isInstanceOf(WrongThreadException.class);
        assertThat(parent.dead()).isFalse();
        assertThat(seen).isEmpty();
    }

    @Test
    void manyThreadsThatTryToSwitchToTheCoroutinesOfOthersDisturbNobody() throws Exception {
        int count = 4;
        List<Coroutine<Object>> all = Collections.synchronizedList(new ArrayList<>());
        var ready = new CountDownLatch(count);
        var done = new CountDownLatch(count);
        List<Thread> threads = new ArrayList<>();
        List<Object> wrong = Collections.synchronizedList(new ArrayList<>());
        for (int t = 0; t < count; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                Coroutine<Object> main = Coroutine.main();
                Coroutine<Object> own = Coroutine.of((Object first) -> {
                    Object got = first;
                    while (true) {
                        got = main.switchTo(got);
                    }
                });
                own.switchTo(0);
                all.add(own);
                ready.countDown();
                try {
                    ready.await();
                    for (int i = 0; i < 2000; i++) {
                        for (Coroutine<Object> each : List.copyOf(all)) {
                            Throwable refused = catchThrowable(() -> each.switchTo(each));
                            if (each == own ? refused != null : !(refused instanceof WrongThreadException)) {
                                wrong.add(String.valueOf(refused));
                            }
                        }
                        if (!own.<Object>switchTo(i).equals(i)) {
                            wrong.add(i);
                        }
                    }
                    done.countDown();
                    done.await();
                } catch (InterruptedException e) {
                    wrong.add(e);
                }
                own.throwInto();
            }));
        }
        for (Thread each : threads) {
            each.join();
        }
        assertThat(wrong).isEmpty();
        assertThat(all).hasSize(count).allMatch(Coroutine::dead);
    }

    @Test
    void oneThatWasSuspendedOnAThreadThatHasEndedIsDead() throws Exception {
        List<Coroutine<@Nullable Object>> left = CoroutineTest.onAnotherThread(() -> {
            Coroutine<@Nullable Object> waiting = Coroutine.of(() -> Coroutine.main().switchTo());
            waiting.switchTo();
            return List.of(waiting, Coroutine.of(() -> {}));
        });
        Coroutine<@Nullable Object> suspended = left.getFirst();
        assertThat(suspended.dead()).isTrue();
        assertThat(suspended.active()).isFalse();
        assertThat(suspended.stackTrace()).isEmpty();
        assertThat(suspended.toString()).contains("dead").contains("exited").doesNotContain("suspended");
        assertThat(suspended.parent().orElseThrow().toString()).contains("main, dead");
        Coroutine<@Nullable Object> pending = left.getLast();
        assertThat(pending.dead()).isFalse();
        assertThatThrownBy(pending::switchTo).isInstanceOf(WrongThreadException.class).hasMessageContaining("exited");
        pending.parent(Coroutine.main());
        pending.switchTo();
        assertThat(pending.dead()).isTrue();
    }

    @Test
    void aChildMayEndItsOwnParentByClosingAScope() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<@Nullable Object> parent = Coroutine.of(() -> {
            Coroutine<@Nullable Object> child = Coroutine.of(() -> {
                CoroutineScope scope = CoroutineScope.open();
                scope.add(Coroutine.current().parent().orElseThrow());
                scope.close();
                seen.add("closed");
            });
            try {
                child.switchTo();
            } finally {
                // The child is its heir now and its child, which is no cycle to get lost in.
                Coroutine<@Nullable Object> helper = Coroutine.of(() -> seen.add("helper"));
                helper.parent(main);
                helper.parent(Coroutine.current());
                helper.switchTo();
            }
        });
        parent.switchTo();
        assertThat(seen).containsExactly("helper", "closed");
        assertThat(parent.dead()).isTrue();
        assertThat(parent.parent()).containsSame(main);
    }

    @Test
    void aThrowThatIsRefusedEndsNobody() {
        Coroutine<@Nullable Object> pending = Coroutine.of(() -> seen.add("ran"));
        Coroutine<@Nullable Object> itsChild = below(pending, () -> seen.add("child"));
        Coroutine<@Nullable Object> holder = Coroutine.of(() -> {
            synchronized (seen) {
                assertThatThrownBy(() -> itsChild.throwInto(new IOException("x")))
                        .isInstanceOf(IllegalStateException.class).hasMessageContaining("monitor");
            }
        });
        holder.switchTo();
        assertThat(itsChild.dead() || pending.dead()).isFalse();
        itsChild.switchTo();
        assertThat(seen).containsExactly("child", "ran");
    }
}
