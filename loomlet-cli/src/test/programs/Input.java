import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;

/** Waits for a line on standard input, or of the console if there is an argument, in one thread, and asks for it in another. */
class Input {
    static void main(String[] args) throws Exception {
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
        BufferedReader in = new BufferedReader(
                args.length == 0 ? new InputStreamReader(System.in) : System.console().reader());
        reading.countDown();
        System.out.println("hello " + in.readLine());
        asking.join();
        System.out.println("then " + in.readLine());
    }
}
