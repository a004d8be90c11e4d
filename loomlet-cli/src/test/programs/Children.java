import java.util.concurrent.TimeUnit;

/** Child processes: their ends are noticed, by those who wait and by those who ask. */
class Children {
    public static void main(String[] args) throws Exception {
        System.out.println(new ProcessBuilder("true").start().waitFor());
        Process slow = new ProcessBuilder("sh", "-c", "sleep 0.2; cat; echo error >&2; exit 3").start();
        try (var out = slow.getOutputStream()) {
            out.write("from its standard input".getBytes());
        }
        System.out.println(slow.waitFor(10, TimeUnit.MILLISECONDS) + " " + slow.isAlive());
        System.out.println(new String(slow.getInputStream().readAllBytes()));
        System.out.print(new String(slow.getErrorStream().readAllBytes()));
        System.out.println(slow.waitFor() + " " + slow.exitValue() + " " + slow.onExit().get().isAlive());
        Process forever = new ProcessBuilder("sleep", "100").start();
        Thread waiter = new Thread(() -> {
            try {
                System.out.println(forever.waitFor());
            } catch (InterruptedException e) {
                System.out.println(e);
            }
        });
        waiter.start();
        forever.destroy();
        waiter.join();
    }
}
