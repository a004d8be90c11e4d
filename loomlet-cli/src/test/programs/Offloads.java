import java.util.concurrent.CountDownLatch;

/** Calls that never give way, and that end only when another thread of the program runs. */
class Offloads {
    private static volatile int flag;
    private static final ThreadLocal<String> LOCAL = new ThreadLocal<>();

    /** What a rule selects. */
    static class Driver {
        private int calls;

        static long until(int value, long a, double b, String text) {
            while (flag != value) {
                // as native code would, and without a safepoint for others
            }
            return a + (long) b + text.length();
        }

        synchronized int locked(int depth) {
            calls++;
            if (depth > 0) {
                return locked(depth - 1);
            }
            return until(flag, 1, 2, "") == 3 ? calls : -1;
        }

        private String fails(Throwable with) throws Throwable {
            throw with;
        }

        boolean same(Thread thread, String local) {
            return Thread.currentThread() == thread && local.equals(LOCAL.get()) && Thread.holdsLock(this);
        }

        String sleeps() throws InterruptedException {
            Thread.sleep(5);
            synchronized (this) {
                wait(5);
            }
            return "slept in " + Thread.currentThread().getName();
        }
    }

    static void main() throws Throwable {
        Driver driver = new Driver();
        CountDownLatch inside = new CountDownLatch(1);
        long[] results = new long[15];
        Thread[] callers = new Thread[results.length];
        for (int i = 0; i < callers.length; i++) {
            int number = i;
            callers[i] = new Thread(() -> {
                inside.countDown();
                results[number] = Driver.until(1, number, 2.5, "four");
            });
            callers[i].start();
        }
        inside.await();
        flag = 1; // they can see it only if this thread runs beside them
        for (Thread each : callers) {
            each.join();
        }
        long sum = 0;
        for (long each : results) {
            sum += each;
        }
        System.out.println("static, sum " + sum);

        System.out.println("synchronized and recursive: " + driver.locked(3));
        Thread[] contenders = new Thread[30];
        for (int i = 0; i < contenders.length; i++) {
            contenders[i] = new Thread(() -> {
                synchronized (driver) { // held when the call locks it again
                    driver.locked(2);
                }
                driver.locked(1);
            });
            contenders[i].start();
        }
        for (Thread each : contenders) {
            each.join();
        }
        System.out.println("nothing is lost: " + driver.locked(0));

        Exception mine = new Exception("mine");
        try {
            driver.fails(mine);
        } catch (Exception e) {
            System.out.println("exception: " + (e == mine));
        }
        LOCAL.set("here");
        synchronized (driver) {
            System.out.println("the same thread, its locals, its locks: " + driver.same(Thread.currentThread(), "here"));
        }
        System.out.println(driver.sleeps());
    }
}
