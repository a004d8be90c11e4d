package dev.loomlet.agent;

import dev.loomlet.internal.jdk.ThreadHooks;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What is rewritten: three classes of the JDK, once, and the classes of the program and its libraries as they load. */
final class Patches {
    private final AtomicInteger rewritten = new AtomicInteger();
    private final Map<String, Throwable> failed = new ConcurrentHashMap<>();

    private final Ownership ownership;

    private final @Nullable StartedProgram main;

    /**
     * Prepares them.
     *
     * @param main the program whose main is still to come, if it was started without the launcher
     */
    Patches(Ownership ownership, @Nullable StartedProgram main) {
        this.ownership = ownership;
        this.main = main;
    }

    /** Rewrites the JDK's classes and, from now on, those that load. */
    void install(Instrumentation instrumentation) {
        var jdk = new ClassFileTransformer() {
            @Override
            public byte @Nullable [] transform(@Nullable ClassLoader loader, String name, @Nullable Class<?> redefined,
                    @Nullable ProtectionDomain domain, byte[] bytes) {
                return redefined != null && ThreadHooks.PATCHED.contains(redefined) ? guarded(name, bytes, true) : null;
            }
        };
        instrumentation.addTransformer(jdk, true);
        try {
            instrumentation.retransformClasses(ThreadHooks.PATCHED.toArray(Class<?>[]::new));
        } catch (UnmodifiableClassException | LinkageError e) {
            failed.put("java.lang.Thread", e);
        } finally {
            instrumentation.removeTransformer(jdk);
        }
        ClassLoader platform = ClassLoader.getPlatformClassLoader();
        instrumentation.addTransformer(new ClassFileTransformer() {
            @Override
            public byte @Nullable [] transform(@Nullable ClassLoader loader, @Nullable String name,
                    @Nullable Class<?> redefined, @Nullable ProtectionDomain domain, byte[] bytes) {
                if (loader == null || loader == platform || name == null || name.startsWith("dev/loomlet/")) {
                    return null;
                }
                ownership.loads(name, domain);
                byte[] result = guarded(name, bytes, false);
                if (result != null) {
                    rewritten.incrementAndGet();
                }
                if (main != null && main.isMain(name, loader)) {
                    return ThreadHooks.atMain(result == null ? bytes : result, loader);
                }
                return result;
            }
        });
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

    /** Classes that should have been changed and could not be, and why. */
    Map<String, Throwable> failed() {
        return failed;
    }
}
