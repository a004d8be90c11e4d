import java.util.concurrent.CountDownLatch;

/** Two threads enter two monitors, each in its own order; main joins them. */
public class Deadlock {
    private static void both(Object first, Object second, CountDownLatch inside) {
        synchronized (first) {
            inside.countDown();
            await(inside);
            synchronized (second) {
                System.out.println("never");
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Object left = new Object();
        Object right = new Object();
        CountDownLatch inside = new CountDownLatch(2);
        Thread one = new Thread(() -> both(left, right, inside), "one");
        Thread two = new Thread(() -> both(right, left, inside), "two");
        one.start();
        two.start();
        one.join();
    }
}
