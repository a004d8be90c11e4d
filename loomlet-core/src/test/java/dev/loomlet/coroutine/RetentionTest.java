package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a coroutine, a generator or a thread that has used them keeps alive: nothing that nobody can ask for any more. */
@Timeout(60)
class RetentionTest {
    private static final class Big {
        final byte[] bytes = new byte[1000];
    }

    private static void assertCollected(WeakReference<?> reference) {
        for (int i = 0; i < 100 && !reference.refersTo(null); i++) {
            System.gc();
        }
        assertThat(reference.refersTo(null)).as("collected").isTrue();
    }

    @Test
    void aSuspendedCoroutineDoesNotKeepWhatItWasSentAndHasDropped() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<Object> echo = Coroutine.of((Object first) -> {
            while (true) {
                main.switchTo();
            }
        });
        echo.switchTo(1); // a frame of the interpreter keeps its argument
        var sent = new WeakReference<>(send(echo));
        echo.switchTo(2);
        assertCollected(sent);
        assertThat(echo.dead()).isFalse();
        echo.throwInto();
    }

    private static Big send(Coroutine<Object> to) {
        Big big = new Big();
        to.switchTo(big);
        return big;
    }

    @Test
    void noCoroutineKeepsTheResultThatItGaveToItsParent() {
        Coroutine<Object> one = Coroutine.returning((Object ignored) -> new Big());
        var result = new WeakReference<>(one.<Big>switchTo(1));
        assertThat(one.dead()).isTrue();
        assertCollected(result);
    }

    @Test
    void noCoroutineKeepsTheExceptionThatItEndedWith() {
        Coroutine<Object> one = Coroutine.of((Object ignored) -> {
            throw new NoSuchElementException("none");
        });
        assertCollected(new WeakReference<>(failure(one)));
        assertThat(one.dead()).isTrue();
    }

    private static @Nullable Throwable failure(Coroutine<Object> of) {
        try {
            of.switchTo(1);
            return null;
        } catch (NoSuchElementException e) {
            return e;
        }
    }

    @Test
    void aGeneratorDoesNotKeepTheValuesThatItHasGiven() {
        Generator<Big> values = Generator.of(out -> {
            while (true) {
                out.yield(new Big());
            }
        });
        var given = new WeakReference<>(values.next());
        assertThat(values.next().bytes).isNotEmpty(); // until then, a frame of the interpreter keeps it
        assertCollected(given);
        values.close();
    }

    @Test
    void aThreadThatHasEndedLeavesItsMainCoroutineAndFinishedOnesToTheCollector() throws Exception {
        assumeTrue(Suspendable.NATIVE, "elsewhere each has a thread, which the JDK knows");
        List<WeakReference<?>> seen = new ArrayList<>();
        Thread thread = new Thread(() -> {
            seen.add(new WeakReference<>(Coroutine.current()));
            for (int i = 0; i < 2; i++) {
                Coroutine<Object> each = Coroutine.of((Object ignored) -> {});
                each.switchTo(1);
                seen.add(new WeakReference<>(each));
            }
        });
        thread.start();
        thread.join();
        assertThat(seen).hasSize(3);
        seen.forEach(RetentionTest::assertCollected);
    }

    @Test
    void suspendedCoroutinesOfAThreadThatHasEndedAreCollectedWithWhatTheyHold() throws Exception {
        assumeTrue(Suspendable.NATIVE, "elsewhere each has a thread, which the JDK knows");
        List<WeakReference<?>> seen = new ArrayList<>();
        Thread thread = new Thread(() -> {
            Coroutine<Object> main = Coroutine.main();
            for (int i = 0; i < 100; i++) {
                seen.add(new WeakReference<>(suspended(main, seen)));
            }
        });
        thread.start();
        thread.join();
        assertThat(seen).hasSize(200);
        seen.forEach(RetentionTest::assertCollected);
    }

    private static Coroutine<Object> suspended(Coroutine<Object> main, List<WeakReference<?>> seen) {
        Coroutine<Object> one = Coroutine.of((Object ignored) -> {
            Big big = new Big();
            seen.add(new WeakReference<>(big));
            main.switchTo();
            throw new AssertionError(big.bytes.length);
        });
        one.switchTo(1);
        return one;
    }

    @Test
    void oneThatIsReachedFromItsOwnFramesOnlyIsCollected() {
        assumeTrue(Suspendable.NATIVE, "elsewhere each has a thread, which the JDK knows");
        assertCollected(new WeakReference<>(selfish()));
    }

    private static Coroutine<Object> selfish() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<Object> one = Coroutine.of((Object ignored) -> {
            Coroutine<Object> self = Coroutine.current();
            main.switchTo();
            throw new AssertionError(self);
        });
        one.switchTo(1);
        return one;
    }
}
