package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIterable;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Generators made of coroutines, as greenlet's users make them: the parent changes at every step, while suspended. */
@ExtendWith(EndLeftovers.class)
class GenletTest {
    private final List<Object> seen = new ArrayList<>();

    /** Its parent is whoever asks. */
    @SuppressWarnings("IterableAndIterator") // as Generator is
    private static final class Genlet<T> extends Coroutine<Object> implements Iterable<T>, Iterator<T> {
        private final Coroutine.Task code;
        private @Nullable Genlet<T> inner;
        private @Nullable T ahead;

        Genlet(Coroutine.Task code) {
            this.code = code;
        }

        /** Gives a value to whoever asks the genlet that is {@code levels} further out. */
        @SuppressWarnings("unchecked")
        static <T> void give(T value, int levels) {
            Coroutine<?> to = Coroutine.current();
            for (int level = levels; level > 0; level--) {
                if (!(to instanceof Genlet)) {
                    throw new IllegalStateException("not in a genlet");
                }
                Coroutine<Object> parent = to.parent().orElseThrow();
                if (level > 1) {
                    ((Genlet<T>) (Coroutine<?>) parent).inner = (Genlet<T>) to;
                }
                to = parent;
            }
            ((Coroutine<Object>) to).switchTo(value);
        }

        @Override
        protected @Nullable Object run(Object first) throws Exception {
            code.run();
            return null;
        }

        @Override
        public Iterator<T> iterator() {
            return this;
        }

        @Override
        public boolean hasNext() {
            if (ahead == null && !dead()) {
                Genlet<T> asked = this;
                while (asked.inner != null) {
                    Genlet<T> next = asked.inner;
                    asked.inner = null;
                    asked = next;
                }
                if (asked == this) {
                    parent(Coroutine.current());
                }
                ahead = asked.switchTo();
            }
            return active() && ahead != null;
        }

        @Override
        public T next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            T value = Objects.requireNonNull(ahead);
            ahead = null;
            return value;
        }
    }

    private Genlet<Integer> counting(int end) {
        return new Genlet<>(() -> {
            for (int i = 0; i < end; i++) {
                seen.add(i);
                Genlet.give(i, 1);
            }
        });
    }

    @Test
    void itsValuesComeWhileItsCodeRuns() {
        for (int round = 0; round < 3; round++) {
            for (int each : counting(3)) {
                seen.add(10 + each);
            }
        }
        List<Object> once = List.of(0, 10, 1, 11, 2, 12);
        assertThat(seen).hasSize(18).startsWith(once.toArray()).endsWith(once.toArray());
    }

    private static Genlet<Integer> down(int n) {
        return new Genlet<>(() -> {
            if (n > 0) {
                for (int each : down(n - 1)) {
                    Genlet.give(each, 1);
                }
                Genlet.give(n, 1);
            }
        });
    }

    @Test
    void eachMayAskTheNext() {
        assertThatIterable(down(6)).containsExactly(1, 2, 3, 4, 5, 6);
    }

    private static Genlet<List<Integer>> permutations(List<Integer> of) {
        return new Genlet<>(() -> {
            if (of.size() <= 1) {
                Genlet.give(of, 1);
                return;
            }
            for (Integer first : of) {
                for (List<Integer> each : permutations(of.stream().filter(other -> !other.equals(first)).toList())) {
                    List<Integer> all = new ArrayList<>(Collections.singletonList(first));
                    all.addAll(each);
                    Genlet.give(all, 1);
                }
            }
        });
    }

    @Test
    void twoOfTheSameKindMayBeAskedInTurn() {
        Iterator<List<Integer>> longer = permutations(List.of(0, 1, 2, 3));
        for (List<Integer> each : permutations(List.of(0, 1, 2))) {
            List<Integer> shifted = new ArrayList<>(List.of(0));
            each.forEach(n -> shifted.add(n + 1));
            assertThat(longer.next()).isEqualTo(shifted);
        }
        assertThatIterable(permutations(List.of(0, 1, 2, 3))).hasSize(24).doesNotHaveDuplicates();
    }

    @Test
    void anInnerOneMayGiveToWhoeverAsksTheOuterOne() {
        Genlet<Integer> outer = new Genlet<>(() -> {
            Genlet<Integer> inner = new Genlet<>(() -> {
                for (int i = 1; i < 4; i++) {
                    Genlet.give(i, 1);
                    Genlet.give(i * 100, 2);
                }
            });
            inner.forEachRemaining(n -> seen.add("outer " + n));
        });
        outer.forEach(n -> seen.add("main " + n));
        assertThat(seen).containsExactly("outer 1", "main 100", "outer 2", "main 200", "outer 3", "main 300");
    }

    @Test
    void nobodyIsAskedOutsideOfOne() {
        assertThatThrownBy(() -> Genlet.give(1, 1)).hasMessage("not in a genlet");
    }
}
