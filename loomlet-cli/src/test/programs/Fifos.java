import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Both ends of a FIFO in one program: opening, reading and writing all wait for the other end. */
class Fifos {
    private static final int SIZE = 500_000;

    static void main(String[] args) throws Exception {
        Path fifo = Path.of(args[0]);
        new ProcessBuilder("mkfifo", fifo.toString()).inheritIO().start().waitFor();
        byte[] data = new byte[SIZE];
        Arrays.setAll(new int[SIZE], i -> data[i] = (byte) (i * 7 >> 2));
        Thread writer = new Thread(() -> {
            try (OutputStream out = new FileOutputStream(fifo.toFile())) {
                out.write(data);
            } catch (Exception e) {
                System.out.println(e);
            }
        });
        writer.start();
        try (InputStream in = new FileInputStream(fifo.toFile())) {
            System.out.println("streams: " + Arrays.equals(data, in.readAllBytes()));
        }
        writer.join();
        try (InputStream in = new FileInputStream("/dev/zero"); OutputStream out = new FileOutputStream("/dev/null")) {
            out.write(in.readNBytes(SIZE));
            System.out.println("devices");
        }
        Files.delete(fifo);
    }
}
