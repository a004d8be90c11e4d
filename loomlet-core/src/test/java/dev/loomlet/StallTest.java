package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.loomlet.coroutine.Generator;
import java.io.File;
import java.io.FileInputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StallTest {
    @BeforeEach
    void everyTestIsTheFirst() {
        StallDetector.forget();
    }

    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    /** On a busy machine the first use of such things is a stall of its own, which is not what is looked for. */
    @BeforeAll
    static void useOnce() throws Throwable {
        calledByNativeCode(() -> {});
        try (Generator<Double> one = Generator.of(out -> out.yield(1.0))) {
            one.next();
        }
    }

    private static CompletableFuture<Stall> stalls() {
        var stall = new CompletableFuture<Stall>();
        Hub.current().onStall(stall::complete);
        return stall;
    }

    private static double compute(CompletableFuture<Stall> until) {
        double sum = 0;
        for (int i = 0; !until.isDone(); i++) {
            sum += i % 2 == 0 ? more(i) : less(i);
        }
        return sum;
    }

    private static double more(int i) {
        double sum = 0;
        for (int j = 0; j < 1000; j++) {
            sum += Math.sqrt(i + j);
        }
        return sum;
    }

    private static double less(int i) {
        return -more(i);
    }

    @Test
    void aGreenletThatComputesIsReportedWithItsStack() throws Exception {
        var stall = stalls();
        var greedy = spawn("greedy", () -> compute(stall));
        greedy.join();
        Stall seen = stall.get(30, TimeUnit.SECONDS);
        assertThat(seen.greenlet()).containsSame(greedy);
        assertThat(seen.hub()).isSameAs(Hub.current());
        assertThat(seen.duration()).isGreaterThanOrEqualTo(Duration.ofMillis(100));
        assertThat(seen.cause()).isIn(Stall.Cause.CPU, Stall.Cause.SPIN_LOOP); // two looks may find it in one place
        assertThat(seen.stack()).extracting(StackTraceElement::getMethodName).contains("compute");
        assertThat(seen.toString()).contains("greedy", "StallTest");
    }

    @Test
    void aGeneratorsBodyThatComputesIsReportedWithoutItsStack() throws Exception {
        assumeFalse("portable".equals(System.getProperty("loomlet.coroutines")), "the body has a thread of its own");
        var stall = stalls();
        var greedy = spawn("greedy", () -> {
            try (Generator<Double> sums = Generator.of(out -> out.yield(compute(stall)))) {
                return sums.next();
            }
        });
        greedy.join();
        Stall seen = stall.get(30, TimeUnit.SECONDS);
        assertThat(seen.greenlet()).containsSame(greedy);
        assertThat(seen.stack()).isEmpty();
        assertThat(seen.toString()).contains("greedy", "in the body of a coroutine or generator");
    }

    @Test
    void aLoopAtOnePlaceIsToldFromComputing() throws Exception {
        var stall = stalls();
        spawn("spinning", () -> {
            while (!stall.isDone()) {
                Thread.onSpinWait();
            }
        }).join();
        assertThat(stall.get(30, TimeUnit.SECONDS).cause()).isEqualTo(Stall.Cause.SPIN_LOOP);
    }

    @Test
    void aNativeReadIsReported(@TempDir Path folder) throws Exception {
        File fifo = folder.resolve("fifo").toFile();
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
        var stall = stalls();
        // The other end is opened, and so the read begun, only to be closed when the stall has been seen.
        Thread writer = Thread.ofPlatform().start(() -> {
            try (var out = new java.io.FileOutputStream(fifo)) {
                stall.get(30, TimeUnit.SECONDS);
                out.write(1);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        spawn("reading", () -> {
            try (var in = new FileInputStream(fifo)) {
                assertThat(in.read()).isEqualTo(1);
            }
        }).join();
        writer.join();
        Stall seen = stall.get(30, TimeUnit.SECONDS);
        assertThat(seen.cause()).isEqualTo(Stall.Cause.NATIVE_CALL);
        assertThat(seen.stack()).extracting(StackTraceElement::getClassName)
                .contains(FileInputStream.class.getName());
    }

    private static final class Parks {
        static final int VALUE = wait(500);

        private static int wait(int millis) {
            try {
                Thread.sleep(millis);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return millis;
        }
    }

    @Test
    void aWaitInAClassInitialiserIsReported() throws Exception {
        var stall = stalls();
        spawn("initialising", () -> assertThat(Parks.VALUE).isEqualTo(500)).join();
        assertThat(stall.get(30, TimeUnit.SECONDS).cause()).isEqualTo(Stall.Cause.CLASS_INITIALISATION);
    }

    @SuppressWarnings("unused") // by its handle
    private static int compared(Runnable body, MemorySegment one, MemorySegment other) {
        body.run();
        return 0;
    }

    /** Runs {@code body} with a native frame on the stack: as the comparison of a sort of two numbers by the C library. */
    @SuppressWarnings("restricted")
    private static void calledByNativeCode(Runnable body) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle sort = linker.downcallHandle(linker.defaultLookup().find("qsort").orElseThrow(), FunctionDescriptor
                .ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        MethodHandle compare = MethodHandles.insertArguments(
                MethodHandles.lookup().findStatic(StallTest.class, "compared",
                        MethodType.methodType(int.class, Runnable.class, MemorySegment.class, MemorySegment.class)),
                0, body);
        try (Arena arena = Arena.ofConfined()) {
            sort.invokeExact(arena.allocate(8, 4), 2L, 4L, linker.upcallStub(compare,
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS), arena));
        }
    }

    private static void inNativeCode(String name, Runnable body) {
        spawn(name, () -> {
            try {
                calledByNativeCode(body);
            } catch (Throwable t) {
                throw new AssertionError(t);
            }
        }).value();
    }

    @Test
    void aWaitOfTheJdkUnderANativeFrameIsReported() throws Exception {
        var stall = stalls();
        var latch = new CountDownLatch(1);
        stall.thenRun(latch::countDown);
        inNativeCode("pinned", () -> {
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Stall seen = stall.get(30, TimeUnit.SECONDS);
        assertThat(seen.cause()).isEqualTo(Stall.Cause.PINNED_PARK);
        assertThat(seen.toString()).contains("pinned", "native method on its stack");
    }

    @Test
    void aMonitorThatAnotherThreadHoldsIsReportedWhereTheGreenletCannotLeave() throws Exception {
        var stall = stalls();
        Object monitor = new Object();
        var held = new CountDownLatch(1);
        Thread holder = Thread.ofPlatform().start(() -> {
            synchronized (monitor) {
                held.countDown();
                stall.join();
            }
        });
        held.await();
        inNativeCode("entering", () -> {
            synchronized (monitor) {
                assertThat(stall).isDone();
            }
        });
        holder.join();
        Stall seen = stall.get(30, TimeUnit.SECONDS);
        assertThat(seen.cause()).isEqualTo(Stall.Cause.MONITOR);
        assertThat(seen.toString()).contains("entering", "a monitor that another thread holds");
    }

    @Test
    void greenletsThatGiveWayAreNotReported() {
        var stall = stalls();
        var deadline = System.nanoTime() + 400_000_000L;
        for (int i = 0; i < 3; i++) {
            spawn(() -> {
                while (System.nanoTime() < deadline) {
                    Loomlet.yieldNow();
                }
            });
        }
        Loomlet.sleep(Duration.ofMillis(450));
        assertThat(stall).isNotDone();
    }

    @Test
    void aStallIsAnEventOfAFlightRecording() throws Exception {
        var recorded = new CompletableFuture<String>();
        try (var recording = new RecordingStream()) {
            recording.enable("dev.loomlet.Stall");
            recording.onEvent("dev.loomlet.Stall", event -> recorded.complete(event.getString("greenlet")));
            recording.startAsync();
            var stall = stalls();
            spawn("recorded", () -> compute(stall)).join();
            assertThat(recorded.get(30, TimeUnit.SECONDS)).contains("recorded");
        }
    }

    private static void nap(CountDownLatch latch, long millis) {
        try {
            latch.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void napElsewhere(CountDownLatch latch) {
        try {
            latch.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatWasReportedIsNotReportedAgainForTheNextHub() throws Exception {
        var first = stalls();
        var told = new CountDownLatch(1);
        first.thenRun(told::countDown);
        inNativeCode("first", () -> nap(told, 30_000));
        assertThat(first.get(30, TimeUnit.SECONDS).greenlet().orElseThrow().name()).isEqualTo("first");
        closeHub();
        var second = stalls();
        var toldAgain = new CountDownLatch(1);
        second.thenRun(toldAgain::countDown);
        inNativeCode("again", () -> nap(new CountDownLatch(1), 500)); // long enough to be reported if it were forgotten
        inNativeCode("other", () -> napElsewhere(toldAgain));
        assertThat(second.get(30, TimeUnit.SECONDS).greenlet().orElseThrow().name()).isEqualTo("other");
    }

    @Test
    void theWatchdogEndsWithTheLastHub() throws Exception {
        Hub hub = Hub.current();
        Thread watchdog = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("loomlet-watchdog")).findFirst().orElseThrow();
        assertThat(watchdog.isDaemon()).isTrue();
        hub.close();
        watchdog.join(30_000);
        assertThat(watchdog.isAlive()).isFalse();
    }
}
