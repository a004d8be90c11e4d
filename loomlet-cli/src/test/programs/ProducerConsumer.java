import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A bounded buffer with synchronized, wait and notifyAll. */
class ProducerConsumer {
    private final ArrayDeque<Integer> items = new ArrayDeque<>();
    private long sum;
    private int taken;

    synchronized void put(int item) throws InterruptedException {
        while (items.size() >= 3) {
            wait();
        }
        items.add(item);
        notifyAll();
    }

    synchronized int take() throws InterruptedException {
        while (items.isEmpty()) {
            wait(1000);
        }
        int item = items.remove();
        sum += item;
        taken++;
        notifyAll();
        return item;
    }

    public static void main(String[] args) throws InterruptedException {
        var buffer = new ProducerConsumer();
        List<Thread> threads = new ArrayList<>();
        for (int p = 0; p < 4; p++) {
            int base = p * 1000;
            threads.add(new Thread(() -> {
                try {
                    for (int i = 0; i < 500; i++) {
                        buffer.put(base + i);
                    }
                } catch (InterruptedException e) {
                    System.out.println(e);
                }
            }));
            threads.add(new Thread(() -> {
                try {
                    for (int i = 0; i < 500; i++) {
                        buffer.take();
                    }
                } catch (InterruptedException e) {
                    System.out.println(e);
                }
            }));
        }
        for (Thread each : threads) {
            each.start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(buffer.taken + " " + buffer.sum + " " + buffer.items);
    }
}
