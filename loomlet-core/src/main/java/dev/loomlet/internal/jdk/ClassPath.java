package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The class path of the running VM. Use only where {@link Access#granted()}. */
public final class ClassPath {
    private static final Class<?> LOADER = Access.type("jdk.internal.loader.ClassLoaders$AppClassLoader");
    private static final MethodHandle APPEND =
            Access.method(LOADER, "appendToClassPathForInstrumentation", void.class, String.class);

    /** Apart, for few programs ask for it. */
    private static final class Packages {
        static final MethodHandle OPEN =
                Access.method(Module.class, "implAddOpensToAllUnnamed", void.class, String.class);
        static final MethodHandle EXPORT =
                Access.method(Module.class, "implAddExportsToAllUnnamed", void.class, String.class);
    }

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

    /** Opens packages, each written as {@code module/package}, to what is on the class path; what is not there is passed over. */
    public static void open(String packages) {
        if (!packages.isBlank()) {
            each(packages, Packages.OPEN);
        }
    }

    /** Exports packages, each written as {@code module/package}, likewise. */
    public static void export(String packages) {
        if (!packages.isBlank()) {
            each(packages, Packages.EXPORT);
        }
    }

    private static void each(String packages, MethodHandle change) {
        for (String each : packages.strip().split(" +", -1)) {
            int slash = each.indexOf('/');
            Module module = slash < 0 ? null : ModuleLayer.boot().findModule(each.substring(0, slash)).orElse(null);
            if (module != null && module.getPackages().contains(each.substring(slash + 1))) {
                try {
                    change.invoke(module, each.substring(slash + 1));
                } catch (Throwable t) {
                    throw Access.sneak(t);
                }
            }
        }
    }
}
