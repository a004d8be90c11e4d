package dev.loomlet.bench;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.yieldNow;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletLocal;
import dev.loomlet.Hub;
import dev.loomlet.Timeout;
import dev.loomlet.coroutine.Generator;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.Semaphore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What programs do all the time, one by one: {@code java -jar loomlet-bench/target/bench.jar SmallThings}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-opens=java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED"})
public class SmallThings {
    private static final int MANY = 1_000;
    private static final Duration HOUR = Duration.ofHours(1);
    private static final GreenletLocal<String> LOCAL = GreenletLocal.of(() -> "value");

    private final Semaphore semaphore = new Semaphore(1);
    private final Queue<String> queue = new Queue<>();
    private final Generator<Integer> numbers = Generator.of(out -> {
        for (int i = 0;; i++) {
            out.yield(i);
        }
    });

    /** The hub of the thread that measures. */
    @Setup(Level.Trial)
    public void open() {
        Hub.current();
    }

    /** Leaves nothing behind. */
    @TearDown(Level.Trial)
    public void close() {
        numbers.close();
        Hub.current().close();
    }

    /** A greenlet from its creation to its value. */
    @Benchmark
    public int spawnAndValue() {
        return spawn(() -> 42).value();
    }

    /** Two greenlets give way to each other. */
    @Benchmark
    @OperationsPerInvocation(2 * MANY)
    public void giveWay() {
        Greenlet<Void> one = spawn(SmallThings::yieldOften);
        Greenlet<Void> other = spawn(SmallThings::yieldOften);
        joinAll(one, other);
    }

    private static void yieldOften() {
        for (int i = 0; i < MANY; i++) {
            yieldNow();
        }
    }

    /** A timeout that is armed and does not fire. */
    @Benchmark
    public boolean timeoutThatDoesNotFire() {
        try (Timeout timeout = Timeout.after(HOUR)) {
            return timeout.pending();
        }
    }

    /** A permit that is free. */
    @Benchmark
    public int freeSemaphore() {
        semaphore.acquire();
        return semaphore.release();
    }

    /** An item put and taken without a wait. */
    @Benchmark
    public Optional<String> putAndPoll() {
        queue.put("item");
        return queue.poll();
    }

    /** The next value of a generator. */
    @Benchmark
    public int generatorStep() {
        return numbers.next();
    }

    /** A value of the greenlet's own. */
    @Benchmark
    public String greenletLocal() {
        return LOCAL.get();
    }
}
