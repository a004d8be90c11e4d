package dev.loomlet.internal.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TimersTest {
    /** A timer that does nothing: the tests take it out by hand. */
    private static final class Alarm extends Timer {
        @Override
        protected void fire() {
            throw new AssertionError("the timers only keep it");
        }
    }

    private final Timers timers = new Timers();

    private Alarm arm(long due) {
        Alarm alarm = new Alarm();
        timers.arm(alarm, due);
        return alarm;
    }

    private List<Timer> allDue(long now) {
        List<Timer> due = new ArrayList<>();
        for (@Nullable Timer each = timers.pollDue(now); each != null; each = timers.pollDue(now)) {
            due.add(each);
        }
        return due;
    }

    @Test
    void thoseDueComeInTheOrderOfTheirTimesAndOfArming() {
        Alarm late = arm(30);
        Alarm first = arm(10);
        Alarm second = arm(10);
        Alarm middle = arm(20);
        assertThat(timers.nextDue()).isEqualTo(10);
        assertThat(allDue(9)).isEmpty();
        assertThat(allDue(20)).containsExactly(first, second, middle);
        assertThat(late.armed()).isTrue();
        assertThat(first.armed()).isFalse();
        assertThat(allDue(Long.MAX_VALUE / 2)).containsExactly(late);
    }

    /** {@link System#nanoTime} may be anywhere, and may run over. */
    @Test
    void theClockMayOverflow() {
        long now = Long.MAX_VALUE - 5;
        Alarm before = arm(now);
        Alarm after = arm(now + 10); // negative
        assertThat(allDue(now + 1)).containsExactly(before);
        assertThat(allDue(now + 10)).containsExactly(after);
    }

    @Test
    void cancellingTakesOutOneAndDoesNothingTwice() {
        Alarm a = arm(1);
        Alarm b = arm(2);
        Alarm c = arm(3);
        timers.cancel(b);
        timers.cancel(b);
        assertThat(timers.size()).isEqualTo(2);
        assertThat(b.armed()).isFalse();
        assertThat(allDue(5)).containsExactly(a, c);
        timers.cancel(a);
        timers.arm(b, 4); // again
        assertThat(allDue(5)).containsExactly(b);
    }

    @Test
    void oneThatIsArmedCannotBeArmedAgain() {
        Alarm alarm = arm(1);
        assertThatThrownBy(() -> timers.arm(alarm, 2)).isInstanceOf(IllegalStateException.class);
        assertThat(allDue(1)).containsExactly(alarm);
    }

    @Test
    void whateverIsArmedAndCancelledTheOrderIsThatOfASortedSet() {
        long seed = Long.getLong("loomlet.test.seed", System.nanoTime());
        System.out.println("seed of " + getClass().getSimpleName() + ": -Dloomlet.test.seed=" + seed);
        Random random = new Random(seed);
        TreeSet<Timer> model =
                new TreeSet<>(
                        Comparator.<Timer>comparingLong(each -> each.due).thenComparingLong(each -> each.sequence));
        List<Timer> armed = new ArrayList<>();
        long now = 0;
        for (int i = 0; i < 200_000; i++) {
            int action = random.nextInt(10);
            if (action < 5) {
                Alarm alarm = arm(now + random.nextInt(1 + random.nextInt(1000)));
                model.add(alarm);
                armed.add(alarm);
            } else if (action < 8 && !armed.isEmpty()) {
                Timer some = armed.remove(random.nextInt(armed.size()));
                timers.cancel(some); // it may have been due
                model.remove(some);
            } else {
                now += random.nextInt(20);
                for (Timer each : allDue(now)) {
                    assertThat(each).isSameAs(model.pollFirst());
                }
                assertThat(model.isEmpty() || model.first().due > now).as("all that are due were polled").isTrue();
            }
            assertThat(timers.size()).isEqualTo(model.size());
        }
    }

    private static long used() {
        System.gc();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    @Test
    void aMillionArmedAndCancelledOneByOneTakeNoMemory() {
        arm(1);
        long before = used();
        for (int i = 0; i < 1_000_000; i++) {
            timers.cancel(arm(10 + i));
        }
        assertThat(used() - before).isLessThan(2_000_000);
        assertThat(timers.size()).isEqualTo(1);
    }

    @Test
    void aMillionArmedAtATimeGiveTheirMemoryBackWhenTheyAreCancelled() {
        arm(1);
        long before = used();
        List<Alarm> all = new ArrayList<>();
        for (int i = 0; i < 1_000_000; i++) {
            all.add(arm(10 + i));
        }
        assertThat(used() - before).as("so much that it would be seen").isGreaterThan(20_000_000);
        Collections.shuffle(all, new Random(1));
        for (Alarm each : all) {
            timers.cancel(each);
        }
        all.clear();
        ((ArrayList<Alarm>) all).trimToSize();
        assertThat(used() - before).isLessThan(2_000_000);
        assertThat(timers.size()).isEqualTo(1);
    }
}
