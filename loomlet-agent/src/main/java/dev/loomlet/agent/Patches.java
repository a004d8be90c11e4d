package dev.loomlet.agent;

import dev.loomlet.KnownOffender;
import dev.loomlet.internal.jdk.OffloadedMethods;
import dev.loomlet.internal.jdk.ThreadHooks;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What is rewritten: some classes of the JDK, once, and the classes of the program and its libraries as they load. */
final class Patches {
    private final AtomicInteger rewritten = new AtomicInteger();
    private final Map<String, Throwable> failed = new ConcurrentHashMap<>();

    private final Ownership ownership;
    private final Offloading offloading;

    private final @Nullable StartedProgram main;

    private boolean kept;

    /**
     * Prepares them.
     *
     * @param offloading what is kept off the hub
     * @param main the program whose main is still to come, if it was started without the launcher
     */
    Patches(Ownership ownership, Offloading offloading, @Nullable StartedProgram main) {
        this.ownership = ownership;
        this.offloading = offloading;
        this.main = main;
    }

    /** Rewrites the JDK's classes and, from now on, those that load. */
    void install(Instrumentation instrumentation) {
        kept = redefine(instrumentation, KeptPatches.load(ThreadHooks.PATCHED));
        if (!kept) {
            ThreadHooks.PATCHED.forEach(each -> patch(instrumentation, each));
        }
        ClassLoader platform = ClassLoader.getPlatformClassLoader();
        var others = new ClassFileTransformer() {
            @Override
            public byte @Nullable [] transform(@Nullable ClassLoader loader, @Nullable String name,
                    @Nullable Class<?> redefined, @Nullable ProtectionDomain domain, byte[] bytes) {
                if (loader == null || loader == platform || name == null || name.startsWith("dev/loomlet/")) {
                    return null;
                }
                ownership.loads(name, domain);
                KnownOffender.loaded(name.replace('/', '.')).ifPresent(each -> System.err.println("loomlet: " + each));
                byte[] result = guarded(name, bytes, false);
                if (result != null) {
                    rewritten.incrementAndGet();
                }
                byte[] offloaded = offloading.transform(name, result == null ? bytes : result);
                result = offloaded == null ? result : offloaded;
                byte[] cured = cured(name, result == null ? bytes : result, loader);
                result = cured == null ? result : cured;
                if (main != null && main.isMain(name, loader)) {
                    return ThreadHooks.atMain(result == null ? bytes : result, loader);
                }
                return result;
            }
        };
        instrumentation.addTransformer(others);
        if (instrumentation.isNativeMethodPrefixSupported()) {
            instrumentation.setNativeMethodPrefix(others, OffloadedMethods.PREFIX);
        }
    }

    private byte @Nullable [] cured(String name, byte[] bytes, ClassLoader loader) {
        try {
            return Cures.transform(name, bytes, loader);
        } catch (RuntimeException | LinkageError e) {
            failed.put(name.replace('/', '.'), e);
            return null;
        }
    }

    Offloading offloading() {
        return offloading;
    }

    /** Takes what an earlier run has rewritten, all of it or nothing. */
    private static boolean redefine(Instrumentation instrumentation, List<ClassDefinition> kept) {
        if (kept.isEmpty()) {
            return false;
        }
        try {
            instrumentation.redefineClasses(kept.toArray(ClassDefinition[]::new));
            return true;
        } catch (UnmodifiableClassException | ClassNotFoundException | LinkageError | UnsupportedOperationException e) {
            return false; // they do not fit after all: what is loaded is rewritten, and if that fails, it is told
        }
    }

    /** All at once, since each time costs the VM a stop of all threads. */
    private void patch(Instrumentation instrumentation, Set<Class<?>> classes) {
        var jdk = new ClassFileTransformer() {
            @Override
            public byte @Nullable [] transform(@Nullable ClassLoader loader, String name, @Nullable Class<?> redefined,
                    @Nullable ProtectionDomain domain, byte[] bytes) {
                return redefined != null && classes.contains(redefined) ? guarded(name, bytes, true) : null;
            }
        };
        instrumentation.addTransformer(jdk, true);
        try {
            instrumentation.retransformClasses(classes.toArray(Class<?>[]::new));
        } catch (UnmodifiableClassException | LinkageError e) {
            classes.forEach(each -> failed.put(each.getName(), e));
        } finally {
            instrumentation.removeTransformer(jdk);
        }
    }

    /** What a transformer throws, the VM swallows; so it is kept. */
    private byte @Nullable [] guarded(String name, byte[] bytes, boolean jdk) {
        try {
            return jdk ? ThreadHooks.transform(name, bytes) : CallSites.rewrite(bytes);
        } catch (RuntimeException | LinkageError e) {
            failed.put(name.replace('/', '.'), e);
            return null;
        }
    }

    /** How many classes outside the JDK were changed. */
    int rewritten() {
        return rewritten.get();
    }

    /** Whether the JDK's classes did not have to be rewritten, since an earlier run has done so. */
    boolean kept() {
        return kept;
    }

    /** Classes that should have been changed and could not be, and why. */
    Map<String, Throwable> failed() {
        return failed;
    }
}
