import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Talks to other programs with threads that can only end if the ones that wait for them let them run. */
class Pipes {
    private static final int MEGABYTES = 3 << 20;

    static void main() throws Exception {
        oneReadsWhatTheOtherAsksFor();
        megabytesBothWaysAtOnce();
        errorsAndOutputAtOnce();
        readUntilItIsClosed();
        killedWhileItIsRead();
        manyAtOnce();
    }

    private static void oneReadsWhatTheOtherAsksFor() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "read x; echo got $x; exit 3").start();
        CountDownLatch reading = new CountDownLatch(1);
        String[] line = new String[1];
        Thread reader = new Thread(() -> {
            try (var in = process.inputReader()) {
                reading.countDown();
                line[0] = in.readLine();
            } catch (Exception e) {
                line[0] = e.toString();
            }
        });
        reader.start();
        reading.await();
        try (OutputStream out = process.getOutputStream()) {
            out.write("this\n".getBytes());
        }
        reader.join();
        System.out.println(line[0] + ", exit code " + process.waitFor());
    }

    private static void megabytesBothWaysAtOnce() throws Exception {
        Process process = new ProcessBuilder("cat").start();
        byte[] data = new byte[MEGABYTES];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (i * 31 >> 3);
        }
        Thread writer = new Thread(() -> {
            try (OutputStream out = process.getOutputStream()) {
                out.write(data);
            } catch (Exception e) {
                System.out.println(e);
            }
        });
        writer.start();
        byte[] back = process.getInputStream().readAllBytes();
        writer.join();
        System.out.println("the same " + back.length + " bytes: " + Arrays.equals(data, back) + ", exit code "
                + process.waitFor());
    }

    private static void errorsAndOutputAtOnce() throws Exception {
        Process process = new ProcessBuilder("sh", "-c",
                "head -c 2000000 /dev/zero; head -c 2000000 /dev/zero >&2; head -c 1000000 /dev/zero; exit 7").start();
        process.getOutputStream().close();
        long[] counts = new long[2];
        Thread[] readers = new Thread[2];
        InputStream[] streams = {process.getInputStream(), process.getErrorStream()};
        for (int i = 0; i < 2; i++) {
            int which = i;
            readers[i] = new Thread(() -> {
                try {
                    counts[which] = streams[which].transferTo(OutputStream.nullOutputStream());
                } catch (Exception e) {
                    System.out.println(e);
                }
            });
            readers[i].start();
        }
        for (Thread each : readers) {
            each.join();
        }
        System.out.println(Arrays.toString(counts) + ", exit code " + process.waitFor());
    }

    private static void readUntilItIsClosed() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "printf abc; exec sleep 100").start();
        InputStream in = process.getInputStream();
        System.out.println(new String(in.readNBytes(3)) + ", still alive: " + process.isAlive()
                + ", available: " + in.available());
        process.toHandle().destroy();
        System.out.println("then " + in.read() + ", alive after 20 s: " + !process.waitFor(20, TimeUnit.SECONDS));
    }

    private static void killedWhileItIsRead() throws Exception {
        Process process = new ProcessBuilder("sleep", "100").start();
        CountDownLatch reading = new CountDownLatch(1);
        Thread reader = new Thread(() -> {
            reading.countDown();
            try {
                if (process.getInputStream().read() != -1) {
                    System.out.println("read something");
                }
            } catch (java.io.IOException e) {
                // the stream was closed under it
            }
        });
        reader.start();
        reading.await();
        process.destroyForcibly();
        reader.join();
        System.out.println("exit code " + process.waitFor());
    }

    private static void manyAtOnce() throws Exception {
        Thread[] threads = new Thread[20];
        String[] answers = new String[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int number = i;
            threads[i] = new Thread(() -> {
                try {
                    Process process = new ProcessBuilder("sh", "-c", "echo " + number).redirectErrorStream(true).start();
                    try (var in = process.inputReader()) {
                        answers[number] = in.readLine() + " " + process.waitFor();
                    }
                } catch (Exception e) {
                    answers[number] = e.toString();
                }
            });
            threads[i].start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(Arrays.toString(answers));
    }
}
