import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.pool2.BasePooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericObjectPool;

/** A pool of two slow connections, without a maximum wait, for ten threads. */
class SpinningPool {
    private static final AtomicInteger MADE = new AtomicInteger();

    static void main() throws Exception {
        GenericObjectPool<Integer> pool = new GenericObjectPool<>(new BasePooledObjectFactory<>() {
            @Override
            public Integer create() throws InterruptedException {
                Thread.sleep(50);
                return MADE.incrementAndGet();
            }

            @Override
            public PooledObject<Integer> wrap(Integer made) {
                return new DefaultPooledObject<>(made);
            }
        });
        pool.setMaxTotal(2);
        Thread[] threads = new Thread[10];
        AtomicInteger used = new AtomicInteger();
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                try {
                    Integer connection = pool.borrowObject();
                    Thread.sleep(1);
                    used.incrementAndGet();
                    pool.returnObject(connection);
                } catch (Exception e) {
                    e.printStackTrace();
                }
            });
            threads[i].start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(MADE + " made, used " + used + " times");
        pool.close();
    }
}
