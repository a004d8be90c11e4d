package dev.loomlet;

import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** What comes to a hub from outside and from the clock: nothing is lost, and nothing is left behind. */
class WakeUpTest extends OnHub {
    @Test
    void waitsThatEndBeforeTheirTimeLeaveNoTimer() {
        Hub hub = Hub.current();
        for (int i = 0; i < 1_000; i++) {
            Greenlet<Void> sleeping = spawn(() -> sleep(LONG));
            Loomlet.yieldNow();
            sleeping.kill();
        }
        assertThat(hub.loop().timers()).isZero();
    }

    @Test
    void timedWaitsOfTheJdkThatEndEarlyLeaveNoTimer() {
        Hub hub = Hub.current();
        LinkedBlockingQueue<Integer> there = new LinkedBlockingQueue<>();
        LinkedBlockingQueue<Integer> back = new LinkedBlockingQueue<>();
        int n = 50_000;
        Greenlet<Void> echo = spawn(() -> {
            for (int i = 0; i < n; i++) {
                back.put(there.poll(1, TimeUnit.HOURS));
            }
        });
        Greenlet<Void> asking = spawn(() -> {
            for (int i = 0; i < n; i++) {
                there.put(i);
                assertThat(back.poll(1, TimeUnit.HOURS)).isEqualTo(i);
                assertThat(hub.loop().timers()).isLessThan(4);
            }
        });
        asking.value();
        echo.value();
        assertThat(hub.loop().timers()).isZero();
    }

    @Test
    void nothingThatOtherThreadsHandInIsLost() throws InterruptedException {
        Hub hub = Hub.current();
        int threads = 4;
        int each = 5_000;
        AtomicInteger ran = new AtomicInteger();
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    hub.spawn(() -> {
                        ran.incrementAndGet();
                    });
                    if (i % 100 == 0) {
                        LockSupport.parkNanos(100_000L); // so that the hub falls asleep now and then
                    }
                }
            }));
        }
        until(() -> ran.get() == threads * each);
        for (Thread thread : all) {
            thread.join();
        }
    }

    /** One at a time, so that the hub falls asleep before each: the wake-up itself is what is tested. */
    @Test
    void noWakeUpOfASleepingHubIsLost() throws InterruptedException {
        Hub hub = Hub.current();
        int n = 10_000;
        AtomicInteger turn = new AtomicInteger();
        Greenlet<Void> parked = spawn(() -> {
            for (int i = 0; i < n; i++) {
                while (turn.get() <= i) {
                    LockSupport.park();
                }
            }
        });
        Thread waking = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < n; i++) {
                turn.incrementAndGet();
                LockSupport.unpark(parked.thread());
                if ((i & 3) == 0) {
                    AtomicInteger answered = new AtomicInteger();
                    hub.loop().post(answered::incrementAndGet);
                    while (answered.get() == 0) {
                        Thread.onSpinWait();
                    }
                }
            }
        });
        assertThat(parked.join(LONG)).isTrue();
        waking.join();
    }
}
