package dev.loomlet.bench.sync;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;

import dev.loomlet.Greenlet;
import dev.loomlet.pool.Pool;
import dev.loomlet.sync.Channel;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.Semaphore;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Nanoseconds an operation, Loomlet and the JDK's classes on virtual threads in one run: the median of seven passes of about
 * 0.3 s after warm-up, with the least and the most.
 *
 * <pre>
 * java -XX:+UseSerialGC -cp bench.jar dev.loomlet.bench.sync.SyncBench [part of a name]
 * </pre>
 *
 * Beside gevent and Go: {@code src/peers/sync/run}. With {@code -Djdk.virtualThreadScheduler.parallelism=1} the virtual threads have one carrier, as a hub has.
 */
public final class SyncBench {
    private static final int PASSES = 7;
    private static final Duration LONG = Duration.ofSeconds(100);
    private static String filter = "";

    private SyncBench() {}

    private interface Pass {
        void times(int n) throws Exception;
    }

    /** Measures all, or those with the argument in their name. */
    public static void main(String[] arguments) throws Exception {
        filter = arguments.length > 0 ? arguments[0] : "";
        System.out.printf("%-52s %9s %9s %9s%n", "ns an operation", "median", "least", "most");
        measure("queue hand-off, Loomlet", SyncBench::queue);
        measure("queue hand-off, LinkedBlockingQueue", SyncBench::jdkQueue);
        measure("queue ping-pong round trip, Loomlet", SyncBench::pingPong);
        measure("queue ping-pong round trip, LinkedBlockingQueue", SyncBench::jdkPingPong);
        measure("channel hand-off, Loomlet", SyncBench::channel);
        measure("channel hand-off, SynchronousQueue, receiver first", n -> jdkChannel(n, true));
        measure("rendezvous hand-off, Loomlet", SyncBench::rendezvous);
        measure("rendezvous hand-off, SynchronousQueue", n -> jdkChannel(n, false));
        measure("semaphore, free, Loomlet", SyncBench::semaphore);
        measure("semaphore, free, java.util.concurrent", SyncBench::jdkSemaphore);
        measure("semaphore hand-off, Loomlet", SyncBench::semaphoreHandOff);
        measure("semaphore hand-off, java.util.concurrent", SyncBench::jdkSemaphoreHandOff);
        measure("event wake-up, Loomlet", SyncBench::event);
        measure("event wake-up, CountDownLatch", SyncBench::jdkEvent);
        measure("pool map, an item of 20, Loomlet", SyncBench::poolMap);
        measure("pool map, an item of 20, invokeAll", SyncBench::jdkPoolMap);
        measure("timeout around a call, Loomlet", SyncBench::timeout);
        measure("timeout around a call, Future.get(timeout)", SyncBench::jdkTimeout);
    }

    private static void measure(String name, Pass pass) throws Exception {
        if (!name.contains(filter)) {
            return;
        }
        int n = 1_000;
        long end = System.nanoTime() + 1_500_000_000L;
        double perOperation = 1;
        while (System.nanoTime() < end) {
            long start = System.nanoTime();
            pass.times(n);
            perOperation = (double) (System.nanoTime() - start) / n;
            if (perOperation * n < 2e8) {
                n *= 2;
            }
        }
        n = (int) (3e8 / perOperation) + 20;
        double[] all = new double[PASSES];
        for (int i = 0; i < PASSES; i++) {
            long start = System.nanoTime();
            pass.times(n);
            all[i] = (double) (System.nanoTime() - start) / n;
        }
        Arrays.sort(all);
        System.out.printf("%-52s %9.1f %9.1f %9.1f%n", name, all[PASSES / 2], all[0], all[PASSES - 1]);
    }

    // --- one puts, one takes, through a queue that holds one: nearly every item makes somebody wait

    private static void queue(int n) {
        Queue<Integer> queue = new Queue<>(1);
        Greenlet<Void> putter = spawn(() -> {
            for (int i = 0; i < n; i++) {
                queue.put(1);
            }
        });
        Greenlet<Void> taker = spawn(() -> {
            for (int i = 0; i < n; i++) {
                queue.take();
            }
        });
        joinAll(putter, taker);
    }

    private static void jdkQueue(int n) throws Exception {
        LinkedBlockingQueue<Integer> queue = new LinkedBlockingQueue<>(1);
        both(() -> {
            for (int i = 0; i < n; i++) {
                queue.put(1);
            }
            return 0;
        }, () -> {
            for (int i = 0; i < n; i++) {
                queue.take();
            }
            return 0;
        });
    }

    private static void both(Callable<?> one, Callable<?> two)
            throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first = threads.submit(one);
            Future<?> second = threads.submit(two);
            first.get();
            second.get();
        }
    }

    private static void pingPong(int n) {
        Queue<Integer> there = new Queue<>();
        Queue<Integer> back = new Queue<>();
        Greenlet<Void> ping = spawn(() -> {
            for (int i = 0; i < n; i++) {
                there.put(1);
                back.take();
            }
        });
        Greenlet<Void> pong = spawn(() -> {
            for (int i = 0; i < n; i++) {
                there.take();
                back.put(1);
            }
        });
        joinAll(ping, pong);
    }

    private static void jdkPingPong(int n) throws Exception {
        LinkedBlockingQueue<Integer> there = new LinkedBlockingQueue<>();
        LinkedBlockingQueue<Integer> back = new LinkedBlockingQueue<>();
        both(() -> {
            for (int i = 0; i < n; i++) {
                there.put(1);
                back.take();
            }
            return 0;
        }, () -> {
            for (int i = 0; i < n; i++) {
                there.take();
                back.put(1);
            }
            return 0;
        });
    }

    /** The receiver goes on first, so each item costs two switches. */
    private static void channel(int n) {
        Channel<Integer> channel = new Channel<>();
        Greenlet<Void> sender = spawn(() -> {
            for (int i = 0; i < n; i++) {
                channel.send(1);
            }
        });
        Greenlet<Void> receiver = spawn(() -> {
            for (int i = 0; i < n; i++) {
                channel.receive();
            }
        });
        joinAll(sender, receiver);
    }

    /** The sender runs on, so each item costs one. */
    private static void rendezvous(int n) {
        Queue<Integer> queue = Queue.rendezvous();
        Greenlet<Void> sender = spawn(() -> {
            for (int i = 0; i < n; i++) {
                queue.put(1);
            }
        });
        Greenlet<Void> receiver = spawn(() -> {
            for (int i = 0; i < n; i++) {
                queue.take();
            }
        });
        joinAll(sender, receiver);
    }

    private static void jdkChannel(int n, boolean receiverFirst) throws Exception {
        SynchronousQueue<Integer> channel = new SynchronousQueue<>();
        both(() -> {
            for (int i = 0; i < n; i++) {
                channel.put(1);
                if (receiverFirst) {
                    Thread.yield();
                }
            }
            return 0;
        }, () -> {
            for (int i = 0; i < n; i++) {
                channel.take();
            }
            return 0;
        });
    }

    // --- nobody else wants it

    private static void semaphore(int n) throws Exception {
        Semaphore semaphore = new Semaphore(1);
        run(() -> {
            for (int i = 0; i < n; i++) {
                semaphore.acquire();
                semaphore.release();
            }
        });
    }

    private static void jdkSemaphore(int n) throws Exception {
        var semaphore = new java.util.concurrent.Semaphore(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.submit(() -> {
                for (int i = 0; i < n; i++) {
                    semaphore.acquire();
                    semaphore.release();
                }
                return 0;
            }).get();
        }
    }

    // --- each waits for the other; counted are the permits

    private static void semaphoreHandOff(int n) {
        Semaphore there = new Semaphore(0);
        Semaphore back = new Semaphore(0);
        Greenlet<Void> one = spawn(() -> {
            for (int i = 0; i < n / 2; i++) {
                there.release();
                back.acquire();
            }
        });
        Greenlet<Void> other = spawn(() -> {
            for (int i = 0; i < n / 2; i++) {
                there.acquire();
                back.release();
            }
        });
        joinAll(one, other);
    }

    private static void jdkSemaphoreHandOff(int n) throws Exception {
        var there = new java.util.concurrent.Semaphore(0);
        var back = new java.util.concurrent.Semaphore(0);
        both(() -> {
            for (int i = 0; i < n / 2; i++) {
                there.release();
                back.acquire();
            }
            return 0;
        }, () -> {
            for (int i = 0; i < n / 2; i++) {
                there.acquire();
                back.release();
            }
            return 0;
        });
    }

    // --- twenty items, ten at a time; counted are the items

    private static void poolMap(int n) throws Exception {
        List<Integer> items = IntStream.range(0, 20).boxed().toList();
        Pool pool = new Pool(10);
        run(() -> {
            for (int i = 0; i < n / 20; i++) {
                blackhole = pool.map(items, each -> each + 1).size();
            }
        });
    }

    private static void jdkPoolMap(int n) throws Exception {
        List<Callable<Integer>> items =
                IntStream.range(0, 20).mapToObj(each -> (Callable<Integer>) () -> each + 1).toList();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < n / 20; i++) {
                blackhole = threads.invokeAll(items).size();
            }
        }
    }

    // --- one waits, another lets it go; counted are the wake-ups, each with the making of its event

    private static final int SOME = 1_000; // at a time, so that no collector has to copy millions of them

    private static void event(int n) {
        for (int left = n; left > 0; left -= SOME) {
            someEvents(Math.min(left, SOME));
        }
    }

    private static void someEvents(int n) {
        Event[] events = new Event[n];
        for (int i = 0; i < n; i++) {
            events[i] = new Event();
        }
        Greenlet<Void> waiter = spawn(() -> {
            for (int i = 0; i < n; i += 2) {
                events[i].await();
                if (i + 1 < n) {
                    events[i + 1].set();
                }
            }
        });
        Greenlet<Void> setter = spawn(() -> {
            for (int i = 0; i < n; i += 2) {
                events[i].set();
                if (i + 1 < n) {
                    events[i + 1].await();
                }
            }
        });
        joinAll(waiter, setter);
    }

    private static void jdkEvent(int n) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int left = n; left > 0; left -= SOME) {
                someLatches(Math.min(left, SOME), threads);
            }
        }
    }

    private static void someLatches(int n, ExecutorService threads) throws Exception {
        CountDownLatch[] events = new CountDownLatch[n];
        for (int i = 0; i < n; i++) {
            events[i] = new CountDownLatch(1);
        }
        Future<?> first = threads.submit(() -> {
            for (int i = 0; i < n; i += 2) {
                events[i].await();
                if (i + 1 < n) {
                    events[i + 1].countDown();
                }
            }
            return 0;
        });
        Future<?> second = threads.submit(() -> {
            for (int i = 0; i < n; i += 2) {
                events[i].countDown();
                if (i + 1 < n) {
                    events[i + 1].await();
                }
            }
            return 0;
        });
        first.get();
        second.get();
    }

    // --- a limit around something that is done at once

    private static void timeout(int n) throws Exception {
        int[] sum = new int[1];
        run(() -> {
            for (int i = 0; i < n; i++) {
                int add = i;
                sum[0] += withTimeout(LONG, () -> add);
            }
        });
        blackhole = sum[0];
    }

    private static volatile int blackhole;

    private static void jdkTimeout(int n) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.submit(() -> {
                for (int i = 0; i < n; i++) {
                    int add = i;
                    blackhole = threads.submit(() -> add).get(100, TimeUnit.SECONDS);
                }
                return 0;
            }).get();
        }
    }
}
