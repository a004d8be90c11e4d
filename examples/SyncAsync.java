import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;

import dev.loomlet.Greenlet;
import java.util.ArrayList;

/** Ten tasks of half a second each, one after the other and then all at once: about 5 s against about 0.5 s. */
class SyncAsync {
    static void task(int pid) throws InterruptedException {
        Thread.sleep(500);
        System.out.println("Task " + pid + " done");
    }

    static void synchronous() throws InterruptedException {
        for (int i = 0; i < 10; i++) {
            task(i);
        }
    }

    static void asynchronous() {
        var greenlets = new ArrayList<Greenlet<Void>>();
        for (int i = 0; i < 10; i++) {
            int pid = i;
            greenlets.add(spawn(() -> task(pid)));
        }
        joinAll(greenlets);
    }

    public static void main(String[] args) throws InterruptedException {
        long start = System.nanoTime();
        System.out.println("Synchronous:");
        synchronous();
        System.out.printf("took %.1f s%n", (System.nanoTime() - start) / 1e9);

        start = System.nanoTime();
        System.out.println("Asynchronous:");
        asynchronous();
        System.out.printf("took %.1f s%n", (System.nanoTime() - start) / 1e9);
    }
}
