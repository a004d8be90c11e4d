package dev.loomlet.sync;

import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SemaphoreTest extends HubTest {
    private final List<Object> seen = new ArrayList<>();

    @Test
    void countsItsPermits() {
        Semaphore semaphore = new Semaphore(2);
        assertThat(semaphore.permits()).isEqualTo(2);
        semaphore.acquire();
        assertThat(semaphore.tryAcquire()).isTrue();
        assertThat(semaphore.isLocked()).isTrue();
        assertThat(semaphore.tryAcquire()).isFalse();
        assertThat(semaphore.tryAcquire(Duration.ofMillis(3))).isFalse();
        assertThat(semaphore.release()).isEqualTo(1);
        assertThat(semaphore.isLocked()).isFalse();
    }

    @Test
    void beginsWithOnePermitUnlessToldOtherwise() {
        assertThat(new Semaphore().permits()).isEqualTo(1);
        assertThat(new BoundedSemaphore().permits()).isEqualTo(1);
        assertThatThrownBy(() -> new Semaphore(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void mayBeReleasedMoreOftenThanAcquired() {
        Semaphore semaphore = new Semaphore(0);
        assertThat(semaphore.release()).isEqualTo(1);
        assertThat(semaphore.release()).isEqualTo(2);
        assertThat(semaphore.permits()).isEqualTo(2);
    }

    @Test
    void aBoundedOneMayNot() {
        BoundedSemaphore semaphore = new BoundedSemaphore(2);
        assertThatThrownBy(semaphore::release).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("more often");
        assertThat(semaphore.permits()).isEqualTo(2);
        semaphore.acquire();
        assertThat(semaphore.release()).isEqualTo(2);
    }

    @Test
    void servesTheOneWhoHasWaitedLongest() {
        Semaphore semaphore = new Semaphore(0);
        List<Greenlet<Void>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int n = i;
            all.add(spawn(() -> {
                semaphore.acquire();
                seen.add(n);
            }));
        }
        idle();
        for (int i = 0; i < 4; i++) {
            semaphore.release();
        }
        joinAll(all);
        assertThat(seen).containsExactly(0, 1, 2, 3);
        assertThat(semaphore.permits()).isZero();
    }

    /** One who releases and acquires in a loop must not starve the others. */
    @Test
    void isFair() {
        Semaphore semaphore = new Semaphore(1);
        Greenlet<Void> greedy = spawn(() -> {
            for (;;) {
                semaphore.acquire();
                try {
                    Loomlet.yieldNow();
                } finally {
                    semaphore.release();
                }
            }
        });
        Greenlet<Void> modest = spawn(() -> {
            semaphore.acquire();
            semaphore.release();
        });
        assertThat(modest.join(Duration.ofSeconds(10))).isTrue();
        greedy.kill();
    }

    @Test
    void nobodyTakesAPermitThatWasHandedToAnother() {
        Semaphore semaphore = new Semaphore(0);
        Greenlet<Void> first = spawn(() -> {
            semaphore.acquire();
            seen.add("first");
        });
        idle();
        semaphore.release();
        assertThat(semaphore.tryAcquire()).as("the permit is on its way to the first").isFalse();
        first.join();
        assertThat(seen).containsExactly("first");
    }

    @Test
    void aPermitGoesPastTheDead() {
        Semaphore semaphore = new Semaphore(0);
        Greenlet<Void> killed = spawn(() -> semaphore.acquire());
        Greenlet<Boolean> late = spawn(() -> semaphore.tryAcquire(Duration.ofMillis(1)));
        Greenlet<Void> alive = spawn(() -> semaphore.acquire());
        idle();
        killed.kill();
        assertThat(late.value()).isFalse();
        semaphore.release();
        assertThat(alive.join(Duration.ofSeconds(10))).isTrue();
        assertThat(semaphore.permits()).isZero();
        assertThat(semaphore.waiters()).isZero();
    }

    @Test
    void oneWhoIsKilledAfterItWasServedHasThePermit() {
        Semaphore semaphore = new Semaphore(0);
        Greenlet<Void> served = spawn(() -> {
            semaphore.acquire();
            seen.add("has it");
            try {
                sleep(Duration.ofSeconds(10));
            } finally {
                semaphore.release();
            }
        });
        idle();
        semaphore.release();
        served.kill();
        assertThat(seen).containsExactly("has it");
        assertThat(semaphore.permits()).isEqualTo(1);
    }

    @Test
    void awaitPermitTakesNothing() {
        Semaphore semaphore = new Semaphore(0);
        assertThat(semaphore.awaitPermit(Duration.ofMillis(2))).isZero();
        Greenlet<Integer> watcher = spawn(() -> semaphore.awaitPermit(Duration.ofSeconds(10)));
        Greenlet<Void> taker = spawn(() -> semaphore.acquire());
        idle();
        semaphore.release();
        taker.join();
        assertThat(watcher.ready()).as("the permit went to the one who wanted it").isFalse();
        semaphore.release();
        assertThat(watcher.value()).isEqualTo(1);
        assertThat(semaphore.permits()).isEqualTo(1);
    }
}
