package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/** Programs of the machine: found, started, watched, ended. */
public final class Programs {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private Programs() {}

    /**
     * Finds a program on the path, in the folders where Debian keeps those of servers, or in those that are given.
     *
     * @param folders folders to look at first; a component of a path may be a star
     * @throws TestAbortedException if it is not there: its tests are skipped, and the table says so
     */
    public static Path find(String name, String debianPackage, String... folders) {
        List<Path> places = new ArrayList<>();
        for (String each : folders) {
            places.addAll(matching(each));
        }
        for (String each : System.getenv().getOrDefault("PATH", "").split(":")) {
            places.add(Path.of(each));
        }
        places.add(Path.of("/usr/sbin"));
        return places.stream().map(folder -> folder.resolve(name)).filter(Files::isExecutable).findFirst()
                .orElseThrow(
                        () -> new TestAbortedException("there is no " + name + " on this machine (Debian's package "
                                + debianPackage + " has it)"));
    }

    /** Folders whose path matches, where one component may be a star; the last in order first. */
    private static List<Path> matching(String pattern) {
        int star = pattern.indexOf("/*");
        if (star < 0) {
            return List.of(Path.of(pattern));
        }
        int end = pattern.indexOf('/', star + 1);
        try (DirectoryStream<Path> found = Files.newDirectoryStream(Path.of(pattern.substring(0, star)),
                pattern.substring(star + 1, end))) {
            List<Path> all = new ArrayList<>();
            found.forEach(each -> all.add(Path.of(each + pattern.substring(end))));
            all.sort(Comparator.reverseOrder());
            return all;
        } catch (NoSuchFileException nobody) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether this process may do anything; then some servers want to run as somebody else. */
    public static boolean root() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** A port of 127.0.0.1 that nobody listens on. */
    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** A new folder, deleted by {@link #delete}; in the system's place, which other users may look into. */
    public static Path folder(String name) throws IOException {
        String place = Optional.ofNullable(System.getenv("TMPDIR")).orElse("/tmp");
        return Files.createTempDirectory(Path.of(place), "loomlet-" + name + "-");
    }

    /** Deletes a folder and what is in it. */
    public static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    /** Runs a program to its end. */
    public static String run(Map<String, String> environment, List<String> command) throws IOException {
        Path output = Files.createTempFile("run", ".log");
        try {
            Process process = begin(environment, command, output);
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(command + " failed:\n" + read(output));
            }
            return read(output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + command, e);
        } finally {
            Files.delete(output);
        }
    }

    private static Process begin(Map<String, String> environment, List<String> command, Path output)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static String read(Path output) throws IOException {
        return new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
    }

    /** Starts a server, and returns when it takes connections. */
    public static Server server(Map<String, String> environment, List<String> command, Path folder, int port)
            throws IOException {
        Path output = folder.resolve("output.log");
        Process process = begin(environment, command, output);
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!listens(port)) {
            if (!process.isAlive() || System.nanoTime() - end > 0) {
                process.destroyForcibly();
                throw new IOException(command + " does not listen on port " + port + ":\n" + read(output));
            }
            try {
                Thread.sleep(Duration.ofMillis(20)); // nobody tells when a port begins to listen
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + command, e);
            }
        }
        return new Server(process, output);
    }

    private static boolean listens(int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (java.net.ConnectException nobody) {
            return false;
        }
    }

    /** A server that runs. */
    public record Server(Process process, Path output) implements AutoCloseable {
        /** Ends it and all that it has started: asks first, insists after a while. */
        @Override
        public void close() throws IOException {
            List<ProcessHandle> family = Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
            process.destroy();
            try {
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    family.forEach(ProcessHandle::destroyForcibly);
                    process.waitFor();
                }
            } catch (InterruptedException e) {
                family.forEach(ProcessHandle::destroyForcibly);
                Thread.currentThread().interrupt();
            }
            family.forEach(ProcessHandle::destroyForcibly);
        }

        /** What it said. */
        public String said() throws IOException {
            return read(output);
        }
    }
}
