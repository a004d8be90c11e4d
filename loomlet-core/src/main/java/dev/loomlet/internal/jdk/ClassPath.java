package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The class path of the running VM. Use only where {@link Access#granted()}. */
public final class ClassPath {
    private static final Class<?> LOADER = Access.type("jdk.internal.loader.ClassLoaders$AppClassLoader");
    private static final MethodHandle APPEND =
            Access.method(LOADER, "appendToClassPathForInstrumentation", void.class, String.class);

    private ClassPath() {}

    /**
     * Appends a jar or a folder. Unlike {@code Instrumentation.appendToSystemClassLoaderSearch}, which does the same, it
     * takes folders, too.
     */
    public static void append(Path entry) {
        try {
            APPEND.invoke(ClassLoader.getSystemClassLoader(), entry.toString());
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
