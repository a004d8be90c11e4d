import dev.loomlet.sync.RLock;

/** Two threads that take two locks of Loomlet's, each in its own order; main waits for both. */
public class Stuck {
    private static void both(RLock first, RLock second) {
        first.lock();
        Thread.yield(); // the other one takes its first lock
        second.lock();
    }

    public static void main(String[] args) throws InterruptedException {
        RLock left = new RLock();
        RLock right = new RLock();
        Thread one = new Thread(() -> both(left, right), "one");
        Thread two = new Thread(() -> both(right, left), "two");
        one.start();
        two.start();
        dev.loomlet.Loomlet.select(new dev.loomlet.sync.Event().waiting());
    }
}
