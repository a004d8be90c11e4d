import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;

/** Waits for a line on standard input in one thread, and asks for it in another. */
class Input {
    static void main() throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        Thread asking = new Thread(() -> {
            try {
                reading.await();
                System.out.println("your name?");
            } catch (InterruptedException e) {
                System.out.println(e);
            }
        });
        asking.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        reading.countDown();
        System.out.println("hello " + in.readLine());
        asking.join();
        System.out.println("then " + in.readLine());
    }
}
