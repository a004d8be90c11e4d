import dev.loomlet.Hub;
import java.util.concurrent.CountDownLatch;

/** A hub with a greenlet that does not give way, until standard input ends. */
class Held {
    private static volatile boolean over;

    public static void main(String[] args) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        try (Hub hub = Hub.start("busy")) {
            hub.spawn("spinning", () -> spin(begun));
            begun.await();
            System.out.println("ready");
            System.in.read();
            over = true;
        }
    }

    private static void spin(CountDownLatch begun) {
        begun.countDown();
        while (!over) {
            Thread.onSpinWait();
        }
    }
}
