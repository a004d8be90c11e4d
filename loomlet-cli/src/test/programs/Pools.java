import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Executors of every kind, and a timer. */
class Pools {
    static void use(String name, ExecutorService pool) throws Exception {
        List<Callable<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int n = i;
            tasks.add(() -> {
                Thread.sleep(10);
                if (Thread.currentThread().isVirtual()) {
                    throw new IllegalStateException("virtual");
                }
                return n * n;
            });
        }
        int sum = 0;
        for (Future<Integer> each : pool.invokeAll(tasks)) {
            sum += each.get();
        }
        pool.shutdown();
        System.out.println(name + " " + sum + " " + pool.awaitTermination(5, TimeUnit.SECONDS));
    }

    public static void main(String[] args) throws Exception {
        use("fixed", Executors.newFixedThreadPool(4));
        use("cached", Executors.newCachedThreadPool());
        use("single", Executors.newSingleThreadExecutor());
        use("factory", Executors.newFixedThreadPool(3, task -> new Thread(task, "mine")));
        use("per task", Executors.newThreadPerTaskExecutor(Thread.ofPlatform().name("w-", 0).factory()));
        ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
        CountDownLatch ticks = new CountDownLatch(3);
        scheduler.scheduleAtFixedRate(ticks::countDown, 5, 5, TimeUnit.MILLISECONDS);
        ticks.await();
        System.out.println(scheduler.schedule(() -> Thread.currentThread().getName(), 5, TimeUnit.MILLISECONDS).get()
                .startsWith("pool-"));
        scheduler.shutdownNow();

        Timer timer = new Timer("timer");
        CountDownLatch three = new CountDownLatch(3);
        var names = new TreeSet<String>();
        timer.schedule(new TimerTask() {
            @Override
            public void run() {
                names.add(Thread.currentThread().getName());
                three.countDown();
            }
        }, 5, 5);
        three.await();
        timer.cancel();
        System.out.println(names);

        AtomicInteger count = new AtomicInteger();
        List<CompletableFuture<Integer>> futures = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            futures.add(CompletableFuture.supplyAsync(count::incrementAndGet).thenApplyAsync(n -> n * 2));
        }
        int sum = 0;
        for (var each : futures) {
            sum += each.get();
        }
        System.out.println("futures " + sum);
    }
}
