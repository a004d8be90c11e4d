import dev.loomlet.Hub;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.RLock;

/** Two hubs with greenlets that wait, until standard input ends. */
class Tree {
    public static void main(String[] args) throws Exception {
        Queue<String> jobs = new Queue<>();
        RLock lock = new RLock();
        try (Hub first = Hub.start("kitchen"); Hub second = Hub.start("cellar")) {
            first.spawn("cook", () -> {
                lock.lock();
                first.spawn("helper", () -> {
                    lock.lock();
                });
                jobs.take();
            });
            second.spawn("keeper", () -> {
                jobs.take();
            });
            System.out.println("ready");
            System.in.read();
        }
    }
}
