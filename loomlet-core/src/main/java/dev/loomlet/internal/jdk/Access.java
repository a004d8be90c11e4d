package dev.loomlet.internal.jdk;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;

/**
 * The one door into the JDK's own packages.
 *
 * <p>All that has to be granted from outside is {@code --add-opens java.base/java.lang=...} (a flag, a manifest line, or
 * an agent that calls {@code Instrumentation.redefineModule}). Through it {@code Module.implAddOpens} is reachable, and
 * that opens the other packages to this module and to nobody else. Nothing here uses {@code Unsafe} to get in.
 */
public final class Access {
    /** What a user has to add when {@link #granted()} is false. */
    public static final String FLAG = "--add-opens java.base/java.lang="
            + (Access.class.getModule().isNamed() ? Access.class.getModule().getName() : "ALL-UNNAMED");

    private static final String[] PACKAGES = {"java.lang", "java.lang.invoke", "java.net", "java.io",
        "java.util.concurrent", "java.util.concurrent.locks", "sun.nio.ch", "sun.nio.fs", "jdk.internal.vm",
        "jdk.internal.ref", "jdk.internal.misc",
        "jdk.internal.loader", "jdk.internal.access"};

    private static final MethodHandles.Lookup HERE = MethodHandles.lookup();

    /** What {@code -Dloomlet.missing=NAME,NAME} pretends to be gone, as in a JDK to come: for tests of what happens then. */
    private static final Set<String> MISSING = pretended();

    /** What was looked for, if the property above is set. */
    private static final Set<String> USED = new ConcurrentSkipListSet<>();

    private static final @Nullable String REFUSED = open();

    private Access() {}

    /** Whether the JDK's packages are open to us. Never throws. */
    public static boolean granted() {
        return REFUSED == null;
    }

    /** Why not, for people, or an empty string. */
    public static String refusal() {
        return REFUSED == null ? "" : REFUSED;
    }

    private static @Nullable String open() {
        if (Boolean.getBoolean("loomlet.noAccess")) {
            return "switched off by -Dloomlet.noAccess=true";
        }
        try {
            Method implAddOpens = Module.class.getDeclaredMethod("implAddOpens", String.class, Module.class);
            implAddOpens.setAccessible(true);
            for (String each : PACKAGES) {
                implAddOpens.invoke(Object.class.getModule(), each, Access.class.getModule());
            }
            return null;
        } catch (InaccessibleObjectException e) {
            return "package java.lang is not open to Loomlet; add " + FLAG;
        } catch (ReflectiveOperationException e) {
            return "this JDK (" + Runtime.version() + ") has no Module.implAddOpens: " + e;
        }
    }

    private static Set<String> pretended() {
        String names = System.getProperty("loomlet.missing", "");
        return names.isEmpty() ? Set.of() : Set.of(names.split(","));
    }

    /** Every internal of the JDK is asked for here first, by its name. */
    private static void look(String name) {
        if (MISSING.isEmpty()) {
            return;
        }
        USED.add(name);
        if (MISSING.contains(name)) {
            throw new MissingInternal(name, new NoSuchElementException("-Dloomlet.missing"));
        }
    }

    /** The internals that were looked for so far, if {@code -Dloomlet.missing} is set to anything; else none. */
    public static Set<String> used() {
        return Set.copyOf(USED);
    }

    /** One step of a self-test. */
    public interface Step {
        void run() throws Throwable;
    }

    /** Takes one step of a self-test: an empty string if it went well, else why not, for people. */
    public static String problem(Step step) {
        try {
            step.run();
            return "";
        } catch (VirtualMachineError e) {
            throw e; // says nothing of this JDK
        } catch (Throwable t) {
            Throwable why = t;
            while (why instanceof LinkageError && why.getCause() != null) {
                why = why.getCause(); // what a static initialiser threw
            }
            return why instanceof MissingInternal && why.getMessage() != null ? why.getMessage() : why.toString();
        }
    }

    static Class<?> type(String name) {
        look(name);
        try {
            return Class.forName(name, false, null);
        } catch (ClassNotFoundException e) {
            throw new MissingInternal(name, e);
        }
    }

    static MethodHandles.Lookup in(Class<?> type) {
        try {
            return MethodHandles.privateLookupIn(type, HERE);
        } catch (IllegalAccessException e) {
            throw new MissingInternal(type.getName(), e);
        }
    }

    static MethodHandle staticMethod(Class<?> type, String name, Class<?> result, Class<?>... parameters) {
        look(type.getName() + "." + name);
        try {
            return in(type).findStatic(type, name, MethodType.methodType(result, parameters));
        } catch (ReflectiveOperationException e) {
            throw new MissingInternal(type.getName() + "." + name, e);
        }
    }

    static MethodHandle method(Class<?> type, String name, Class<?> result, Class<?>... parameters) {
        look(type.getName() + "." + name);
        try {
            return in(type).findVirtual(type, name, MethodType.methodType(result, parameters));
        } catch (ReflectiveOperationException e) {
            throw new MissingInternal(type.getName() + "." + name, e);
        }
    }

    static VarHandle field(Class<?> owner, String name, Class<?> type) {
        look(owner.getName() + "." + name);
        try {
            return in(owner).findVarHandle(owner, name, type);
        } catch (ReflectiveOperationException e) {
            throw new MissingInternal(owner.getName() + "." + name, e);
        }
    }

    static Object staticField(Class<?> owner, String name, Class<?> type) {
        look(owner.getName() + "." + name);
        try {
            return in(owner).findStaticGetter(owner, name, type).invoke();
        } catch (Throwable e) {
            throw new MissingInternal(owner.getName() + "." + name, e);
        }
    }

    /** For calls through method handles whose targets throw nothing checked: passes whatever comes on, unchanged. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }

    /** A JDK internal is not where this version expects it. The start-up self-test turns it into a lower level. */
    public static final class MissingInternal extends RuntimeException {
        private static final long serialVersionUID = 1;

        MissingInternal(String what, Throwable cause) {
            super("this JDK (" + Runtime.version() + ") lacks " + what, cause);
        }
    }
}
