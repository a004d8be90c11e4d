package dev.loomlet;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Waits of a hub's own thread while it holds monitors, where JDK 25 would crash if the hub ran on it then. */
class MonitorTest extends OnHub {

    @Test
    void greenletsRunWhileTheMainThreadWaitsUnderAMonitorOneAtATimeAndNotOnItsThread() {
        Object monitor = new Object();
        List<Thread> carriers = new ArrayList<>();
        synchronized (monitor) {
            for (int i = 0; i < 3; i++) {
                spawn(() -> {
                    carriers.add(dev.loomlet.internal.jdk.VirtualThreads.currentCarrier());
                    yieldNow();
                    carriers.add(dev.loomlet.internal.jdk.VirtualThreads.currentCarrier());
                }).link(ended -> note("ended"));
            }
            until(() -> log.size() == 3);
        }
        assertThat(carriers).hasSize(6).doesNotContain(Thread.currentThread());
    }

    @Test
    void aGreenletThatWantsTheMainThreadsMonitorGetsItWhenThatLeaves() {
        Object monitor = new Object();
        Greenlet<Void> g;
        synchronized (monitor) {
            g = spawn(() -> {
                synchronized (monitor) {
                    note("in");
                }
            });
            sleep(millis(5));
            assertThat(log).isEmpty();
            note("leaves");
        }
        g.join();
        assertThat(log).containsExactly("leaves", "in");
    }

    @Test
    void anInterruptEndsAWaitUnderAMonitor() throws InterruptedException {
        Thread main = Thread.currentThread();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        for (int i = 0; i < 50; i++) {
            Thread thread = Thread.ofPlatform().start(main::interrupt);
            synchronized (log) {
                assertThatThrownBy(g::join).isInstanceOf(GreenletExit.class);
            }
            thread.join();
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
    }

    @Test
    void closeUnderAMonitorWorks() {
        Hub hub = Hub.current();
        Greenlet<Void> g = spawn(() -> sleep(LONG));
        synchronized (this) {
            yieldNow();
            hub.close();
        }
        assertThat(g.exit()).isPresent();
    }

    @Test
    @SuppressWarnings("WaitNotInLoop") // it is notified, and a spurious wake-up would do no harm
    void objectNotifyFromAGreenletEndsAWaitOfAnotherGreenletUnderTheMainThreadsOtherMonitor() {
        Object condition = new Object();
        synchronized (this) {
            Greenlet<Void> waiting = spawn(() -> {
                synchronized (condition) {
                    condition.wait();
                }
            });
            Greenlet<Void> telling = spawn(() -> {
                sleep(millis(2));
                synchronized (condition) {
                    condition.notifyAll();
                }
            });
            assertThat(joinAll(List.of(waiting, telling), LONG)).hasSize(2);
        }
    }

    @Test
    void manyTurnsUnderAllKindsOfMonitors() throws Exception {
        assertThat(MonitorStress.run(2)).isGreaterThan(10_000);
    }

    static Stream<String> collectors() {
        var own = ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
        return Stream.of("UseSerialGC", "UseParallelGC", "UseG1GC", "UseZGC", "UseShenandoahGC").filter(flag -> {
            try {
                return own.getVMOption(flag) != null;
            } catch (IllegalArgumentException e) {
                return false; // this JDK is built without it
            }
        });
    }

    @ParameterizedTest
    @MethodSource("collectors")
    void noCollectorMinds(String collector) throws Exception {
        String output = FirstUseTest.Jvm.run(120, List.of("-XX:+" + collector, "-Xmx128m",
                "--add-opens", "java.base/java.lang=ALL-UNNAMED"), MonitorStress.class,
                "3");
        assertThat(output).matches("(?s)turns \\d{5,}\\n");
    }
}
