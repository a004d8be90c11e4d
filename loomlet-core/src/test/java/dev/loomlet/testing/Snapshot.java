package dev.loomlet.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the process holds at one moment, without what the JDK and JUnit hold for themselves. */
final class Snapshot {

    /** Set where {@code java.io.tmpdir} belongs to this process alone: elsewhere a new file tells nothing. */
    private static final String PRIVATE_TEMP_FOLDER = "loomlet.test.private.tmpdir";

    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    private static final String JAVA_HOME = System.getProperty("java.home");

    private static final @Nullable Path TEMP_FOLDER = tempFolder();

    static {
        // Otherwise the first test that uses a socket would be blamed for what the JDK opens once and keeps.
        JdkWarmUp.run();
    }

    private final Set<Thread> threads;
    private final Map<Integer, String> descriptors;
    private final Set<Path> tempFiles;

    private Snapshot(Set<Thread> threads, Map<Integer, String> descriptors, Set<Path> tempFiles) {
        this.threads = threads;
        this.descriptors = descriptors;
        this.tempFiles = tempFiles;
    }

    static Snapshot take() {
        return new Snapshot(LiveThreads.all(), openDescriptors(), tempFiles());
    }

    boolean isEmpty() {
        return threads.isEmpty() && descriptors.isEmpty() && tempFiles.isEmpty();
    }

    /** What is here and was not there before. */
    Snapshot without(Snapshot before) {
        Set<Thread> newThreads = new HashSet<>(threads);
        newThreads.removeAll(before.threads);
        newThreads.removeIf(thread -> !thread.isAlive());
        Map<Integer, String> newDescriptors = new TreeMap<>(descriptors);
        newDescriptors.entrySet().removeAll(before.descriptors.entrySet());
        Set<Path> newFiles = new HashSet<>(tempFiles);
        newFiles.removeAll(before.tempFiles);
        return new Snapshot(newThreads, newDescriptors, newFiles);
    }

    Snapshot with(Snapshot more) {
        Set<Thread> allThreads = new HashSet<>(threads);
        allThreads.addAll(more.threads);
        Map<Integer, String> allDescriptors = new TreeMap<>(descriptors);
        allDescriptors.putAll(more.descriptors);
        Set<Path> allFiles = new HashSet<>(tempFiles);
        allFiles.addAll(more.tempFiles);
        return new Snapshot(allThreads, allDescriptors, allFiles);
    }

    /** A paragraph or a line for each thing. */
    String describe() {
        StringBuilder text = new StringBuilder();
        threads.stream().sorted(Comparator.comparingLong(Thread::threadId)).map(LiveThreads::describe)
                .forEach(text::append);
        descriptors.forEach((descriptor, target) -> text.append("file descriptor ").append(descriptor).append(" -> ")
                .append(target).append('\n'));
        tempFiles.stream().sorted().forEach(file -> text.append("temporary file ").append(file).append('\n'));
        return text.toString();
    }

    private static Map<Integer, String> openDescriptors() {
        if (!Files.isDirectory(DESCRIPTORS)) {
            return Map.of(); // no Linux: nothing lists them together with what they are
        }
        Map<Integer, String> open = new TreeMap<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path entry : entries) {
                String target = target(entry);
                if (target != null && !belongsToTheJdk(target)) {
                    open.put(Integer.parseInt(entry.getFileName().toString()), target);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (DirectoryIteratorException e) {
            throw new UncheckedIOException(e.getCause());
        }
        return open;
    }

    private static @Nullable String target(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException _) {
            return null; // closed since it was listed
        }
    }

    private static boolean belongsToTheJdk(String target) {
        return target.startsWith(JAVA_HOME)
                || target.endsWith(".jar") // class loaders keep what they have once opened
                || target.equals("/dev/random")
                || target.equals("/dev/urandom")
                || target.matches(".*/\\d{4}(_\\d\\d){5}\\.jfr") // a flight recording that goes on has one, then the next
                || target.equals("/proc") // it lists the processes now and then
                || target.matches("/proc/\\d+/fd"); // this listing itself
    }

    private static @Nullable Path tempFolder() {
        if (!Boolean.getBoolean(PRIVATE_TEMP_FOLDER)) {
            return null;
        }
        try {
            return Files.createDirectories(Path.of(System.getProperty("java.io.tmpdir")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Set<Path> tempFiles() {
        Path folder = TEMP_FOLDER;
        if (folder == null) {
            return Set.of();
        }
        Set<Path> files = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                // JUnit removes its @TempDir only after the extensions have been called.
                // Flight recordings have a folder that is made once and goes with the process.
                String name = entry.getFileName().toString();
                if (!name.startsWith("junit-") && !name.matches("\\d{4}(_\\d\\d){5}_\\d+")) {
                    files.add(entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (DirectoryIteratorException e) {
            throw new UncheckedIOException(e.getCause());
        }
        return files;
    }
}
