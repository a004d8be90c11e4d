import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** A hundred threads that log through handlers with locks of their own, and print in between. */
class Logs {
    static int records;

    static class Slow extends Handler {
        @Override
        public synchronized void publish(LogRecord logged) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                System.out.println(e);
            }
            records++;
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    public static void main(String[] args) throws InterruptedException {
        Logger logger = Logger.getLogger("logs");
        logger.setUseParentHandlers(false);
        logger.addHandler(new Slow());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Thread t = new Thread(() -> {
                for (int n = 0; n < 3; n++) {
                    logger.log(Level.INFO, "round {0}", n);
                    System.out.println("logged");
                }
            });
            threads.add(t);
            t.start();
        }
        for (Thread t : threads) {
            t.join();
        }
        System.out.println(records + " records");
    }
}
