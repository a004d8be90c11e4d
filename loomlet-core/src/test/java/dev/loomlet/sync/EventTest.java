package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventTest extends HubTest {
    private final Event event = new Event();
    private final List<Object> seen = new ArrayList<>();

    @Test
    void isNotSetAtFirst() {
        assertThat(event.isSet()).isFalse();
        assertThat(event.await(Duration.ZERO)).isFalse();
        assertThat(event.await(Duration.ofMillis(5))).isFalse();
        assertThat(event.await(Duration.ofMillis(-5))).isFalse();
    }

    @Test
    void returnsAtOnceWhenItIsSet() {
        event.set();
        event.await();
        assertThat(event.await(Duration.ZERO)).isTrue();
        assertThat(event.isSet()).isTrue();
    }

    @Test
    void releasesAllInTheOrderInWhichTheyCame() {
        List<Greenlet<Void>> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int n = i;
            all.add(spawn(() -> {
                event.await();
                seen.add(n);
            }));
        }
        idle();
        assertThat(event.waiters()).isEqualTo(5);
        event.set();
        joinAll(all);
        assertThat(seen).containsExactly(0, 1, 2, 3, 4);
        assertThat(event.waiters()).isZero();
    }

    @Test
    void wasSeenEvenIfItIsClearedBeforeTheWaiterGoesOn() {
        Greenlet<Boolean> waiter = spawn(() -> event.await(Duration.ofSeconds(10)));
        idle();
        event.set();
        event.clear();
        assertThat(waiter.value()).isTrue();
        assertThat(event.await(Duration.ZERO)).isFalse();
    }

    @Test
    void oneWhoComesWhileOthersAreReleasedGoesOnAfterThem() {
        for (int i = 1; i <= 2; i++) {
            int n = i;
            spawn(() -> {
                event.await();
                seen.add(n);
            });
        }
        idle();
        event.set();
        event.await();
        seen.add(3);
        assertThat(seen).containsExactly(1, 2, 3);
    }

    @Test
    void aGreenletThatComesWhileOthersAreReleasedGoesOnAfterThem() {
        for (int i = 1; i <= 2; i++) {
            int n = i;
            spawn(() -> {
                event.await();
                seen.add(n);
            });
        }
        idle();
        Greenlet<Void> late = spawn(() -> {
            event.set();
            event.await();
            seen.add(3);
        });
        late.join();
        assertThat(seen).containsExactly(1, 2, 3);
    }

    @Test
    void doesNotSwitchWhenItIsSetAndNobodyIsAhead() {
        event.set();
        spawn(() -> seen.add("other"));
        event.await();
        assertThat(seen).isEmpty();
        yieldNow();
        assertThat(seen).containsExactly("other");
    }

    @Test
    void aKilledWaiterLeavesNothingBehind() {
        Greenlet<Void> waiter = spawn(() -> event.await());
        idle();
        waiter.kill();
        assertThat(event.waiters()).isZero();
        event.set();
        assertThat(event.await(Duration.ZERO)).isTrue();
    }

    @Test
    void canBeUsedAgainAfterClear() {
        for (int i = 0; i < 3; i++) {
            Greenlet<Void> waiter = spawn(() -> event.await());
            idle();
            assertThat(waiter.ready()).isFalse();
            event.set();
            waiter.join();
            event.clear();
        }
    }

    @Test
    void isSetFromAnotherThread() throws Exception {
        Thread setter = Thread.ofPlatform().start(event::set);
        assertThat(event.await(Duration.ofSeconds(10))).isTrue();
        setter.join();
    }

    @Test
    void isAwaitedByThreadsOfEveryKind() throws Exception {
        try (Hub other = Hub.start("other")) {
            Greenlet<Boolean> here = spawn(() -> event.await(Duration.ofSeconds(10)));
            Greenlet<Boolean> there = other.spawn(() -> event.await(Duration.ofSeconds(10)));
            boolean[] threads = new boolean[2];
            Thread platform = Thread.ofPlatform().start(() -> threads[0] = event.await(Duration.ofSeconds(10)));
            Thread virtual = Thread.ofVirtual().start(() -> threads[1] = event.await(Duration.ofSeconds(10)));
            while (event.waiters() < 4) {
                sleep(Duration.ofMillis(1));
            }
            event.set();
            assertThat(here.value()).isTrue();
            assertThat(there.value()).isTrue();
            platform.join();
            virtual.join();
            assertThat(threads).containsExactly(true, true);
        }
    }
}
