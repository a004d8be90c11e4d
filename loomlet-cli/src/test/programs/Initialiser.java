import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/** A class that starts threads in its initialiser and waits for them there, in three ways. */
class Initialiser {
    static int made;
    static int ticks;

    static void make() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            System.out.println(e);
        }
        made = 5;
    }

    record Answer(ServerSocket server) implements Runnable {
        @Override
        public void run() {
            try (Socket c = server.accept()) {
                c.getOutputStream().write(c.getInputStream().read() + 1);
            } catch (IOException e) {
                System.out.println(e);
            }
        }
    }

    static class Slow {
        static final int VALUE = init();

        static int init() {
            try {
                Thread t = new Thread(Initialiser::make);
                t.start();
                t.join();
                CountDownLatch latch = new CountDownLatch(1);
                new Thread(latch::countDown).start();
                latch.await();
                try (ServerSocket server = new ServerSocket(0)) {
                    new Thread(new Answer(server)).start();
                    try (Socket c = new Socket("127.0.0.1", server.getLocalPort())) {
                        c.getOutputStream().write(41);
                        System.out.println(c.getInputStream().read());
                    }
                }
                return made;
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    public static void main(String[] args) throws InterruptedException {
        Thread ticker = new Thread(() -> {
            try {
                for (;;) {
                    Thread.sleep(5);
                    ticks++;
                }
            } catch (InterruptedException e) {
                System.out.println("ticker ends");
            }
        });
        ticker.start();
        System.out.println(Slow.VALUE);
        System.out.println("others went on: " + (ticks > 3));
        ticker.interrupt();
        ticker.join();
        System.out.println(Thread.currentThread().getName() + " goes on");
    }
}
