/** Holds its hub up in ways that nothing can be done about. */
class Offenders {
    private static volatile boolean over;

    static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "spins" -> {
                // its own affair, and none of those who have to hear of the spinning
                System.setErr(new java.io.PrintStream(java.io.OutputStream.nullOutputStream()));
                Thread other = new Thread(() -> over = true);
                other.start();
                while (!over) {
                    // waits for a thread that cannot run
                }
            }
            case "writes" -> {
                try (var file = new java.io.RandomAccessFile(args[1], "rw")) {
                    file.write(new byte[64 << 20]); // at once, which takes a while
                    file.getFD().sync();
                }
                System.in.read(); // until it is ended
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.out.println("over");
    }
}
