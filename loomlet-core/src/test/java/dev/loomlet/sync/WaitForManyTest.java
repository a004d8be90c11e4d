package dev.loomlet.sync;

import static dev.loomlet.Loomlet.asCompleted;
import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.waitAll;
import static dev.loomlet.Loomlet.waitAny;
import static dev.loomlet.Loomlet.waitSome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Waitable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitForManyTest extends HubTest {
    private static final Duration SHORT = Duration.ofMillis(3);

    private static Greenlet<Integer> ending(int millis) {
        return spawn(() -> {
            sleep(Duration.ofMillis(millis));
            return millis;
        });
    }

    @Test
    void waitAllGivesThemInTheOrderInWhichTheyBecameReady() {
        Greenlet<Integer> slow = ending(20);
        Greenlet<Integer> quick = ending(1);
        Event event = new Event();
        Semaphore semaphore = new Semaphore(0);
        AsyncResult<Integer> result = new AsyncResult<>();
        Greenlet<Void> setter = spawn(() -> {
            sleep(Duration.ofMillis(8));
            result.set(1);
            event.set();
            semaphore.release();
        });
        List<Waitable> all = List.of(slow, semaphore, event, quick, result);
        assertThat(waitForAll(all)).containsExactly(quick, result, event, semaphore, slow);
        assertThat(semaphore.permits()).as("a wait takes no permit").isEqualTo(1);
        setter.value();
    }

    private static List<Waitable> waitForAll(List<Waitable> all) {
        return waitAll(all, Duration.ofSeconds(10));
    }

    @Test
    void whatIsReadyComesFirst() {
        Event set = new Event();
        set.set();
        Greenlet<Integer> quick = ending(1);
        assertThat(waitAll(List.<Waitable>of(quick, set))).containsExactly(set, quick);
    }

    @Test
    void aTimeShortensTheList() {
        Greenlet<Integer> quick = ending(1);
        quick.join();
        Event never = new Event();
        assertThat(waitAll(List.<Waitable>of(never, quick), Duration.ofMillis(20))).containsExactly(quick);
        assertThat(never.waiters()).as("links left").isZero();
        assertThat(waitAll(List.<Waitable>of(never), Duration.ZERO)).isEmpty();
    }

    @Test
    void waitAnyGivesTheFirst() {
        Greenlet<Integer> slow = ending(50);
        Greenlet<Integer> quick = ending(1);
        assertThat(waitAny(List.of(slow, quick))).isSameAs(quick);
        assertThat(waitAny(List.of(new Event()), SHORT)).isEmpty();
        assertThatThrownBy(() -> waitAny(List.of())).isInstanceOf(IllegalArgumentException.class);
        assertThat(waitSome(List.of(slow, quick, ending(2)), Duration.ofSeconds(5), 2)).hasSize(2);
        slow.kill();
    }

    @Test
    void asCompletedGoesThroughThemAsTheyCome() {
        List<Integer> seen = new ArrayList<>();
        try (var done = asCompleted(List.of(ending(20), ending(1), ending(10)))) {
            for (Greenlet<Integer> each : done) {
                seen.add(each.value());
            }
        }
        assertThat(seen).containsExactly(1, 10, 20);
    }

    @Test
    void closingAsCompletedUnlinks() {
        Event never = new Event();
        Event set = new Event();
        set.set();
        try (var done = asCompleted(List.of(never, set))) {
            assertThat(done.iterator().next()).isSameAs(set);
            assertThat(never.waiters()).isEqualTo(1);
        }
        assertThat(never.waiters()).isZero();
    }

    @Test
    void asCompletedEndsWhenItsTimeIsOver() {
        List<Object> seen = new ArrayList<>();
        try (var done = asCompleted(List.<Waitable>of(new Event(), ending(1)), Duration.ofMillis(200))) {
            done.forEach(seen::add);
        }
        assertThat(seen).hasSize(1);
    }

    @Test
    void aKilledWaitUnlinks() {
        Event never = new Event();
        Greenlet<?> waiter = spawn(() -> waitAll(List.of(never)));
        idle();
        assertThat(never.waiters()).isEqualTo(1);
        waiter.kill();
        assertThat(never.waiters()).isZero();
    }

    @Test
    void ofThreadsThatEndAtOnceNoneIsMissed() {
        for (int round = 0; round < 200; round++) {
            List<AsyncResult<Integer>> results = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                results.add(new AsyncResult<>());
            }
            Thread setter = Thread.ofPlatform().start(() -> results.forEach(each -> each.set(1)));
            assertThat(waitAll(results, Duration.ofSeconds(10))).hasSize(8);
            try {
                setter.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
