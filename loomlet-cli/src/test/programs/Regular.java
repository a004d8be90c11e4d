import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;

/** Everything that is read and written in ordinary files, in twenty threads. */
class Regular {
    static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Thread[] threads = new Thread[20];
        String[] results = new String[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int number = i;
            threads[i] = new Thread(() -> {
                try {
                    results[number] = work(folder.resolve("file" + number), number);
                } catch (Exception e) {
                    results[number] = e.toString();
                }
            });
            threads[i].start();
        }
        for (Thread each : threads) {
            each.join();
        }
        System.out.println(String.join("\n", results));
        try {
            new FileInputStream(folder.resolve("none").toFile());
        } catch (IOException e) {
            System.out.println("none: " + e.getClass());
        }
        FileInputStream closed = new FileInputStream(folder.resolve("file1").toFile());
        closed.close();
        try {
            System.out.println(closed.read());
        } catch (IOException e) {
            System.out.println(e + ", valid: " + closed.getFD().valid());
        }
        try (var out = new FileOutputStream(folder.resolve("file1").toFile())) {
            out.write(new byte[10], 5, 6);
        } catch (IndexOutOfBoundsException e) {
            System.out.println(e.getClass());
        }
        for (int i = 0; i < threads.length; i++) {
            Files.delete(folder.resolve("file" + i));
        }
        System.err.println("pool: " + hasPoolThread());
    }

    /** Whether the system knows a thread of Loomlet's pool, which the JVM hides from us. */
    private static boolean hasPoolThread() throws IOException {
        for (File task : new File("/proc/self/task").listFiles()) {
            if (Files.readString(task.toPath().resolve("comm")).startsWith("loomlet-pool")) {
                return true;
            }
        }
        return false;
    }

    private static String work(Path path, int seed) throws Exception {
        byte[] data = new byte[200_000];
        new Random(seed).nextBytes(data);
        File file = path.toFile();
        int sum = 0;
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(data);
            out.write(5);
            out.getFD().sync();
        }
        try (FileInputStream in = new FileInputStream(file)) {
            sum += in.read();
            sum += in.readNBytes(1000).length;
            sum += in.skip(1000);
            sum += in.readAllBytes().length;
        }
        try (RandomAccessFile random = new RandomAccessFile(file, "rw")) {
            random.seek(500);
            random.writeInt(seed);
            random.write(data, 0, 100);
            random.seek(500);
            sum += random.readInt() + (int) random.length();
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocate(1000);
            sum += channel.read(buffer, 100);
            buffer.flip();
            sum += channel.write(buffer, 10_000);
            channel.force(true);
            Path copy = path.resolveSibling(path.getFileName() + ".copy");
            try (FileChannel other = FileChannel.open(copy, StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                sum += (int) channel.transferTo(100, 150_000, other);
                sum += (int) other.transferFrom(channel.position(0), 150_000, 30_000);
                sum += Arrays.hashCode(Files.readAllBytes(copy));
            }
            Files.delete(copy);
        }
        byte[] all = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(all, 1000));
        return sum + " " + Arrays.hashCode(all) + " " + Files.size(path);
    }
}
