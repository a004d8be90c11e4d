import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.locks.ReentrantLock;

/** What programs do that tell their threads apart: is it still me, after others had their turn? */
class Identity {
    private static final Map<Thread, String> BY_THREAD = new IdentityHashMap<>();
    private static final Map<Long, String> BY_ID = new ConcurrentHashMap<>();
    private static final Map<String, String> BY_NAME = new ConcurrentHashMap<>();
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static final Object MONITOR = new Object();

    private static boolean isMine(String name, Thread me) {
        return Thread.currentThread() == me && name.equals(BY_ID.get(Thread.currentThread().threadId()))
                && name.equals(BY_NAME.get(Thread.currentThread().getName()))
                && name.equals(BY_THREAD.get(Thread.currentThread()))
                && BY_THREAD.keySet().stream().filter(each -> each.equals(Thread.currentThread())).count() == 1;
    }

    private static boolean isListed(Thread me) {
        Thread[] all = new Thread[100];
        int count = Thread.currentThread().getThreadGroup().enumerate(all);
        return Arrays.asList(all).subList(0, count).contains(me) && Thread.getAllStackTraces().containsKey(me)
                && Arrays.stream(Thread.getAllStackTraces().get(me)).anyMatch(each -> each.getMethodName().equals("work"));
    }

    private static String work(String name, CyclicBarrier barrier) throws Exception {
        Thread me = Thread.currentThread();
        synchronized (BY_THREAD) {
            BY_THREAD.put(me, name);
        }
        BY_ID.put(me.threadId(), name);
        BY_NAME.put(me.getName(), name);
        barrier.await();
        StringBuilder found = new StringBuilder(name).append(isMine(name, me)).append(isListed(me)).append(me.isVirtual());
        barrier.await();
        synchronized (MONITOR) {
            found.append(Thread.holdsLock(MONITOR));
            MONITOR.wait(1);
            found.append(Thread.holdsLock(MONITOR));
        }
        found.append(Thread.holdsLock(MONITOR));
        LOCK.lock();
        try {
            Thread.sleep(1);
            found.append(LOCK.isHeldByCurrentThread());
        } finally {
            LOCK.unlock();
        }
        barrier.await();
        return found.append(LOCK.isHeldByCurrentThread()).append(isMine(name, me)).toString();
    }

    static void main() throws Exception {
        String[] results = new String[5];
        Thread[] threads = new Thread[results.length];
        CyclicBarrier barrier = new CyclicBarrier(results.length);
        for (int i = 0; i < results.length; i++) {
            int number = i;
            threads[i] = new Thread(() -> {
                try {
                    results[number] = work("worker " + number, barrier);
                } catch (Exception e) {
                    results[number] = e.toString();
                }
            });
            threads[i].start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(String.join("\n", results));
        System.out.println(Thread.getAllStackTraces().containsKey(threads[0]));
    }
}
