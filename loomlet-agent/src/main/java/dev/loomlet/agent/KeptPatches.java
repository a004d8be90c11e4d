package dev.loomlet.agent;

import dev.loomlet.internal.jdk.RunningVm;
import dev.loomlet.internal.jdk.ThreadHooks;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.ClassDefinition;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The rewritten classes of the JDK, kept in a file beside the agent's jar: to rewrite them takes longer than all the rest
 * of the agent's start, since the interpreter sees that code for the first time.
 *
 * <p>What is in the file becomes part of the JDK. So it is read only if nobody could change it who could not change the jar
 * itself; if it was made by this jar, for this JDK, on this machine; if it is whole; and if nobody else may have changed the
 * JDK's classes, such as another agent. In any other case the classes are rewritten as if there were no file. A run never
 * writes it, unless it is told to ({@code -Dloomlet.patches=write}, as the launcher does once it has built the jar).
 */
final class KeptPatches {
    /** {@code false}: do without; {@code write}: make the file. It is ours alone, so the program does not see it. */
    private static final String PROPERTY = "loomlet.patches";

    private static final String FORMAT = "loomlet patches 2";
    private static final int CHECKSUM = Long.BYTES;
    private static final int OTHERS_MAY_WRITE = 0022; // the bits of a Unix mode

    private KeptPatches() {}

    /**
     * What the classes of the JDK are to be redefined as, or an empty list if they have to be rewritten now.
     *
     * @param classes those that are needed, all of them
     */
    static List<ClassDefinition> load(List<Set<Class<?>>> classes) {
        String how = System.getProperty(PROPERTY, "");
        System.clearProperty(PROPERTY);
        Path jar = how.equals("false") ? null : jar();
        if (jar == null) {
            return List.of();
        }
        try {
            if (how.equals("write")) {
                write(jar, classes);
            }
            Path file = file(jar);
            return mayBeUsed(file, jar) && RunningVm.hasOnlyAgent(jar) ? read(Files.readAllBytes(file), jar, classes)
                    : List.of();
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            if (how.equals("write")) {
                System.err.println("loomlet: cannot keep the rewritten classes: " + e);
            }
            return List.of(); // it only saves time
        }
    }

    /** The jar that holds the agent and what rewrites, or null if that is not one jar, as in a build. */
    private static @Nullable Path jar() {
        Path agent = source(KeptPatches.class);
        return agent != null && agent.equals(source(ThreadHooks.class)) && Files.isRegularFile(agent) ? agent : null;
    }

    private static @Nullable Path source(Class<?> type) {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        try {
            return source == null || source.getLocation() == null ? null : Path.of(source.getLocation().toURI());
        } catch (URISyntaxException | IllegalArgumentException e) {
            return null; // not a file
        }
    }

    /** One for each JDK, so that two of them do not take turns at it. */
    private static Path file(Path jar) {
        String version = System.getProperty("java.runtime.version", "").replace('/', '_');
        return jar.resolveSibling(jar.getFileName() + "-" + version + ".patches");
    }

    /** Whether it is there, and whoever may write to it may write to the jar as well. */
    private static boolean mayBeUsed(Path file, Path jar) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        Rights its = Rights.of(file, LinkOption.NOFOLLOW_LINKS);
        Rights jars = Rights.of(jar);
        int writers = its.mode & OTHERS_MAY_WRITE;
        return its.owner == jars.owner && (writers == 0 || its.group == jars.group) && (writers & ~jars.mode) == 0;
    }

    /** Who may do what with a file. */
    private record Rights(int owner, int group, int mode) {
        static Rights of(Path file, LinkOption... options) throws IOException {
            Map<String, Object> all = Files.readAttributes(file, "unix:uid,gid,mode", options);
            return new Rights(number(all.get("uid")), number(all.get("gid")), number(all.get("mode")));
        }

        private static int number(@Nullable Object value) {
            return (Integer) Objects.requireNonNull(value);
        }
    }

    /** Which JDK and which build of Loomlet a file is for. */
    private static String key(Path jar) throws IOException {
        return String.join("\n", FORMAT, System.getProperty("java.vm.vendor", ""),
                System.getProperty("java.vm.version", ""), System.getProperty("os.arch", ""),
                "" + Files.size(Path.of(System.getProperty("java.home"), "lib", "modules")),
                "" + Files.size(jar), "" + Files.getLastModifiedTime(jar).toMillis());
    }

    private static List<ClassDefinition> read(byte[] bytes, Path jar, List<Set<Class<?>>> classes) throws IOException {
        int length = bytes.length - CHECKSUM;
        if (length < 0) {
            return List.of();
        }
        DataInputStream end = new DataInputStream(new ByteArrayInputStream(bytes, length, CHECKSUM));
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, 0, length));
        if (end.readLong() != checksum(bytes, length) || !in.readUTF().equals(key(jar))) {
            return List.of();
        }
        List<ClassDefinition> result = new ArrayList<>();
        for (Set<Class<?>> each : classes) {
            for (int i = 0; i < each.size(); i++) {
                String name = in.readUTF();
                byte[] rewritten = in.readNBytes(in.readInt());
                for (Class<?> type : each) {
                    if (type.getName().equals(name)) {
                        result.add(new ClassDefinition(type, rewritten));
                    }
                }
            }
        }
        return result;
    }

    /** Who reads it at the same time sees the old file or the new one, never a part of it. */
    private static void write(Path jar, List<Set<Class<?>>> classes) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeUTF(key(jar));
        for (Set<Class<?>> each : classes) {
            for (Class<?> type : each) {
                String name = type.getName().replace('.', '/');
                byte[] rewritten = ThreadHooks.transform(name, original(name));
                out.writeUTF(type.getName());
                out.writeInt(rewritten.length);
                out.write(rewritten);
            }
        }
        out.writeLong(checksum(bytes.toByteArray(), bytes.size()));
        Path file = file(jar);
        Path part = Files.createTempFile(file.toAbsolutePath().getParent(), ".patches", ".part");
        try {
            Files.write(part, bytes.toByteArray());
            Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** A class as it is in the JDK's files; what the VM makes of a loaded one differs from run to run in its order. */
    private static byte[] original(String name) throws IOException {
        try (InputStream in = Object.class.getModule().getResourceAsStream(name + ".class")) {
            if (in == null) {
                throw new IOException("this JDK has no file of " + name);
            }
            return in.readAllBytes();
        }
    }

    private static long checksum(byte[] bytes, int length) {
        CRC32 sum = new CRC32();
        sum.update(bytes, 0, length);
        return sum.getValue();
    }
}
