import java.util.concurrent.atomic.AtomicBoolean;

/** Waits for other threads in loops that ask again and again, as {@code Thread.onSpinWait} is meant for. */
public class Spins {
    private static final int THREADS = 10;
    private static volatile boolean set;
    private static int count;

    public static void main(String[] args) throws Exception {
        new Thread(() -> set = true).start();
        while (!set) {
            Thread.onSpinWait();
        }
        AtomicBoolean lock = new AtomicBoolean();
        Thread[] threads = new Thread[THREADS];
        for (int i = 0; i < THREADS; i++) {
            threads[i] = new Thread(() -> {
                Runnable spin = Thread::onSpinWait;
                for (int j = 0; j < 10; j++) {
                    while (!lock.compareAndSet(false, true)) {
                        spin.run();
                    }
                    int before = count;
                    Thread.yield();
                    count = before + 1;
                    lock.set(false);
                }
            });
            threads[i].start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(count + " " + Thread.currentThread().getName());
    }
}
