package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.loomlet.GreenletExit;
import java.util.ArrayList;
import java.util.List;
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
}
