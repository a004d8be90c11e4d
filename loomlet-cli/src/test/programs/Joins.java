/** Each thread joins the one before it, and interrupts meet every kind of wait. */
class Joins {
    interface Waits {
        void run() throws InterruptedException;
    }

    static void interrupted(String what, Waits wait) throws InterruptedException {
        Thread t = new Thread(() -> {
            try {
                wait.run();
                System.out.println(what + " was not interrupted");
            } catch (InterruptedException e) {
                System.out.println(what + " was interrupted, status " + Thread.currentThread().isInterrupted());
            }
        });
        t.start();
        while (t.getState() == Thread.State.NEW || t.getState() == Thread.State.RUNNABLE) {
            Thread.sleep(1);
        }
        t.interrupt();
        t.join();
        System.out.println(t.getState() + " " + t.isAlive());
    }

    public static void main(String[] args) throws InterruptedException {
        Thread before = Thread.currentThread();
        Thread first = null;
        for (int i = 0; i < 100; i++) {
            Thread previous = first;
            int n = i;
            first = new Thread(() -> {
                try {
                    if (previous != null) {
                        previous.join();
                    }
                } catch (InterruptedException e) {
                    System.out.println(e);
                }
                if (n % 25 == 0) {
                    System.out.println("link " + n);
                }
            });
            first.start();
        }
        first.join();
        interrupted("sleep", () -> Thread.sleep(60_000));
        interrupted("join", () -> before.join());
        interrupted("timed join", () -> before.join(60_000));
        interrupted("wait", () -> {
            synchronized (args) {
                args.wait();
            }
        });
        interrupted("lock", () -> {
            var lock = new java.util.concurrent.locks.ReentrantLock();
            lock.lock();
            lock.newCondition().await();
        });
        interrupted("queue", () -> new java.util.concurrent.ArrayBlockingQueue<Integer>(1).take());
        Thread.currentThread().interrupt();
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            System.out.println("main was interrupted, status " + Thread.interrupted());
        }
    }
}
