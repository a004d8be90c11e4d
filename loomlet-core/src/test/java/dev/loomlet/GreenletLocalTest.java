package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GreenletLocalTest {
    private static final ScopedValue<String> SCOPED = ScopedValue.newInstance();
    private static final InheritableThreadLocal<String> INHERITABLE = new InheritableThreadLocal<>();

    @AfterEach
    void closeHub() {
        INHERITABLE.remove();
        Hub.ifPresent().ifPresent(Hub::close);
    }

    @Test
    void eachGreenletHasItsOwnAndMakesItOnce() {
        var made = new AtomicInteger();
        GreenletLocal<Integer> local = GreenletLocal.of(made::incrementAndGet);
        local.set(100);
        var one = spawn(() -> {
            int first = local.get();
            Loomlet.yieldNow();
            return first == local.get() ? first : -1;
        });
        var two = spawn(() -> {
            local.set(50);
            Loomlet.yieldNow();
            int set = local.get();
            local.remove();
            return set + local.get();
        });
        assertThat(one.value()).isEqualTo(1);
        assertThat(two.value()).isEqualTo(52);
        assertThat(local.get()).isEqualTo(100);
    }

    @Test
    void nothingIsInheritedUnlessAskedFor() {
        GreenletLocal<String> local = GreenletLocal.of(() -> "none");
        local.set("outer");
        assertThat(spawn(() -> local.get()).value()).isEqualTo("none");
        var heir = spawn(GreenletLocal.inheriting(() -> {
            String inherited = local.get();
            local.set("changed");
            return inherited;
        }));
        local.set("later");
        assertThat(heir.value()).isEqualTo("outer");
        assertThat(local.get()).isEqualTo("later");
        assertThat(heir.spawnSite().orElseThrow().getMethodName()).isEqualTo("nothingIsInheritedUnlessAskedFor");
    }

    /** Collects, and does something between the collections, until it is gone. */
    private static void assertCollected(WeakReference<Object> value, Runnable between) throws InterruptedException {
        for (int i = 0; value.get() != null && i < 200; i++) {
            System.gc();
            Thread.sleep(5);
            between.run();
        }
        assertThat(value.get()).isNull();
    }

    @Test
    void valuesGoWithTheirGreenletEvenIfThatIsKept() throws Exception {
        GreenletLocal<Object> local = GreenletLocal.of(Object::new);
        Greenlet<WeakReference<Object>> ended = run(() -> {
            Greenlet<WeakReference<Object>> greenlet = spawn(() -> new WeakReference<>(local.get()));
            greenlet.join();
            return greenlet;
        });
        WeakReference<Object> value = ended.value();
        assertCollected(value, () -> {});
        assertThat(ended.isDone()).as("kept until here").isTrue();
        assertThat(local.get()).isNotNull();
    }

    /** What refers to its own variable keeps it for as long as the greenlet lives, as with the JDK's, but no longer. */
    @Test
    void aValueThatRefersToItsVariableGoesWithTheGreenletEvenIfThatIsKept() throws Exception {
        run(() -> {
            Greenlet<WeakReference<Object>> ended = spawn(() -> {
                AtomicReference<GreenletLocal<Object>> self = new AtomicReference<>();
                self.set(GreenletLocal.of(() -> self));
                return new WeakReference<>(self.get().get());
            });
            WeakReference<Object> value = ended.value();
            assertCollected(value, () -> {});
            assertThat(ended.isDone()).as("kept until here").isTrue();
        });
    }

    @Test
    void aValueOfAVariableThatNobodyHasAnyMoreGoesWhileTheGreenletLives() throws Exception {
        run(() -> {
            WeakReference<Object> value = new WeakReference<>(GreenletLocal.of(Object::new).get());
            GreenletLocal<Integer> other = GreenletLocal.of(() -> 1);
            assertCollected(value, other::get); // any use of a variable drops what has gone
        });
    }

    @Test
    void whatAGreenletGetsOfTheJdksContexts() throws Exception {
        INHERITABLE.set("mine");
        assertThat(spawn(() -> INHERITABLE.get()).value()).isEqualTo("mine");
        ScopedValue.where(SCOPED, "bound").run(() -> assertThat(spawn(() -> SCOPED.isBound()).value()).isFalse());
        run(() -> ScopedValue.where(SCOPED, "bound").run(() -> {
            Loomlet.yieldNow();
            assertThat(SCOPED.get()).isEqualTo("bound");
            assertThat(spawn(() -> SCOPED.isBound()).value()).isFalse();
        }));
    }
}
