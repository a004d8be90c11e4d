package dev.loomlet.agent;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/** The program that this JVM was started for, as far as it can be known before its main class is there. */
final class StartedProgram {
    private final @Nullable String mainClass; // null: a source file, whose class nobody knows yet
    private final Set<URI> own;
    private boolean entered;

    private StartedProgram(@Nullable String mainClass, Set<URI> own) {
        this.mainClass = mainClass == null ? null : mainClass.replace('.', '/');
        this.own = own;
    }

    /** Finds out. */
    static StartedProgram find() {
        String command = System.getProperty("sun.java.command", "");
        String path = System.getProperty("java.class.path", "");
        if (!path.isEmpty() && (command.equals(path) || command.startsWith(path + " "))
                && Files.isRegularFile(Path.of(path))) {
            return new StartedProgram(mainOf(Path.of(path)), Set.of(Path.of(path).toUri()));
        }
        String[] words = command.split(" ", 3);
        if (words[0].contains("javac.launcher")) { // java File.java
            return new StartedProgram(null, words.length > 1 ? Set.of(Path.of(words[1]).toUri()) : Set.of());
        }
        String name = words[0].substring(words[0].indexOf('/') + 1); // without its module
        return new StartedProgram(name, ownIn(path, name.replace('.', '/') + ".class"));
    }

    private static @Nullable String mainOf(Path jar) {
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            String name = manifest == null ? null : manifest.getMainAttributes().getValue(Attributes.Name.MAIN_CLASS);
            return name == null ? "" : name.strip();
        } catch (IOException e) {
            return ""; // the JVM is going to say it better
        }
    }

    /** The folders of a class path, and the first jar that has the main class. */
    static Set<URI> ownIn(String path, String mainClassFile) {
        Set<URI> own = new HashSet<>();
        boolean found = false;
        for (String each : path.split(File.pathSeparator, -1)) {
            Path entry = Path.of(each);
            if (Files.isDirectory(entry)) {
                own.add(entry.toUri());
                found |= Files.exists(entry.resolve(mainClassFile));
            } else if (!found && holds(entry, mainClassFile)) {
                own.add(entry.toUri());
                found = true;
            }
        }
        return own;
    }

    private static boolean holds(Path jar, String entry) {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.getEntry(entry) != null;
        } catch (IOException e) {
            return false; // as java does, what is not there or no jar is passed over
        }
    }

    /** Where its own classes are loaded from. */
    Set<URI> own() {
        return own;
    }

    /** Whether a class that loads is its main class. Of a source file it is the first class that is not the JDK's. */
    synchronized boolean isMain(String name, ClassLoader loader) {
        if (entered) {
            return false;
        }
        entered = mainClass == null ? loader != ClassLoader.getSystemClassLoader() : name.equals(mainClass);
        return entered;
    }
}
