package dev.loomlet;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a fresh JVM does at the first touch: each test is one. */
class FirstUseTest {

    static final class OnAVirtualThread {
        public static void main(String... args) throws InterruptedException {
            Thread thread = Thread.startVirtualThread(() -> {
                System.out.println(Hub.ifPresent().isPresent());
                try (Hub hub = Hub.start("worker")) {
                    System.out.println(hub.spawn(() -> 42).value());
                }
            });
            thread.join();
        }
    }

    static final class OnlyForeignWaits {
        public static void main(String... args) throws InterruptedException {
            Loomlet.sleep(java.time.Duration.ofMillis(1));
            System.out.println(Loomlet.current().isPresent());
        }
    }

    static final class EndsWithGreenletsLeft {
        public static void main(String... args) {
            Loomlet.spawn(() -> {
                try {
                    Loomlet.sleep(java.time.Duration.ofSeconds(100));
                } finally {
                    System.out.println("cleaned up");
                }
            });
            Loomlet.yieldNow();
            System.out.println("main ends");
        }
    }

    static final class WithoutAccess {
        public static void main(String... args) {
            try {
                Loomlet.spawn(() -> 1);
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** The first socket of the JVM is a greenlet's: the JDK must not start its own pollers on that hub. */
    static final class SocketsOfOneHubAfterAnother {
        public static void main(String... args) throws Exception {
            for (int i = 0; i < 2; i++) {
                try (Hub hub = Hub.start("hub " + i);
                        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                    Greenlet<Integer> reading = hub.spawn(() -> {
                        try (Socket socket = server.accept()) {
                            return socket.getInputStream().read();
                        }
                    });
                    try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                        while (reading.thread().getState() != Thread.State.WAITING) {
                            Thread.onSpinWait();
                        }
                        socket.getOutputStream().write(40 + i);
                    }
                    System.out.println(reading.get(10, TimeUnit.SECONDS));
                }
            }
        }
    }

    private static String output(Class<?> main, boolean opens) throws Exception {
        return Jvm.run(30, opens ? List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED") : List.of(), main);
    }

    @Test
    void mayComeFromAVirtualThread() throws Exception {
        assertThat(output(OnAVirtualThread.class, true)).isEqualTo("false\n42\n");
    }

    @Test
    void socketsOutliveTheHubThatUsedThemFirst() throws Exception {
        assertThat(output(SocketsOfOneHubAfterAnother.class, true)).isEqualTo("40\n41\n");
    }

    @Test
    void ofAWaitThatNeedsNoHubWorksWithoutAnyAccess() throws Exception {
        assertThat(output(OnlyForeignWaits.class, false)).isEqualTo("false\n");
    }

    @Test
    void aProgramThatEndsWithGreenletsLeftEndsAndTheyCleanUp() throws Exception {
        assertThat(output(EndsWithGreenletsLeft.class, true)).isEqualTo("main ends\ncleaned up\n");
    }

    @Test
    void withoutAccessSaysWhatToAdd() throws Exception {
        assertThat(output(WithoutAccess.class, false)).contains("--add-opens java.base/java.lang=ALL-UNNAMED");
    }

    /** A JVM of this JDK with this class path. */
    static final class Jvm {
        static String run(int seconds, List<String> flags, Class<?> main, String... arguments) throws Exception {
            var command = new java.util.ArrayList<String>();
            command.add(java.nio.file.Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.add("-cp");
            command.add(System.getProperty("java.class.path"));
            command.addAll(flags);
            if (System.getProperty("loomlet.backend") != null) {
                command.add("-Dloomlet.backend=" + System.getProperty("loomlet.backend"));
            }
            command.add(main.getName());
            command.addAll(List.of(arguments));
            java.nio.file.Path out = java.nio.file.Files.createTempFile("jvm", ".out");
            try {
                Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile())
                        .start();
                try {
                    boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
                    String text = java.nio.file.Files.readString(out);
                    assertThat(ended).as("ended in time; so far: %s", text).isTrue();
                    assertThat(process.exitValue()).as(text).isZero();
                    return text;
                } finally {
                    process.destroyForcibly().waitFor();
                }
            } finally {
                java.nio.file.Files.delete(out);
            }
        }
    }
}
