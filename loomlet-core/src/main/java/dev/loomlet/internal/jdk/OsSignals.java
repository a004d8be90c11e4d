package dev.loomlet.internal.jdk;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The signals of the operating system, through {@code sun.misc.Signal} of the module {@code jdk.unsupported}: any number of
 * handlers for a signal, and what was there before when the last of them goes.
 *
 * <p>Found by name, since a program may be linked without that module, and since javac warns about each use in a way that
 * nothing turns off.
 */
public final class OsSignals {
    private static final Map<String, Source> SOURCES = new HashMap<>(); // also the lock of all that is in it

    /** One signal that has handlers. */
    private static final class Source {
        final Object handler;
        final Object before;
        List<BooleanSupplier> handlers = List.of(); // never changed, but replaced

        Source(Object handler, Object before) {
            this.handler = handler;
            this.before = before;
        }
    }

    private OsSignals() {}

    /**
     * Adds a handler.
     *
     * @param name without "SIG"
     * @param handler called on a thread of its own each time the signal comes; false if there is nobody left to take it. If
     *     all say so they are forgotten, and the signal does what it would have done without them
     * @return what takes the handler back; twice is harmless
     * @throws IllegalArgumentException if there is no such signal, or the JVM keeps it for itself
     * @throws UnsupportedOperationException if the module is not there
     */
    public static Runnable on(String name, BooleanSupplier handler) {
        synchronized (SOURCES) {
            Source source = SOURCES.get(name);
            if (source == null) {
                Object ours = Jdk.handler(() -> came(name));
                source = new Source(ours, Jdk.handle(name, ours));
                SOURCES.put(name, source);
            }
            List<BooleanSupplier> more = new ArrayList<>(source.handlers);
            more.add(handler);
            source.handlers = more;
        }
        return () -> remove(name, handler);
    }

    private static void remove(String name, BooleanSupplier handler) {
        synchronized (SOURCES) {
            Source source = SOURCES.get(name);
            if (source == null || !source.handlers.contains(handler)) {
                return;
            }
            List<BooleanSupplier> fewer = new ArrayList<>(source.handlers);
            fewer.remove(handler);
            source.handlers = fewer;
            if (fewer.isEmpty()) {
                restore(name, source);
            }
        }
    }

    private static void restore(String name, Source source) {
        SOURCES.remove(name);
        Object current = Jdk.handle(name, source.before);
        if (current != source.handler) {
            Jdk.handle(name, current); // somebody has taken the signal over: it is his
        }
    }

    private static void came(String name) {
        List<BooleanSupplier> handlers;
        synchronized (SOURCES) {
            Source source = SOURCES.get(name);
            handlers = source == null ? List.of() : source.handlers;
        }
        boolean taken = false;
        for (BooleanSupplier each : handlers) {
            taken |= each.getAsBoolean();
        }
        if (taken) {
            return;
        }
        synchronized (SOURCES) {
            Source source = SOURCES.get(name);
            if (source != null && source.handlers != handlers) {
                return; // somebody has come meanwhile
            }
            if (source != null) {
                restore(name, source);
            }
        }
        Jdk.raise(name);
    }

    /** Sends a signal to this process. */
    public static void raise(String name) {
        Jdk.raise(name);
    }

    /** Loaded, and the module looked for, when somebody asks for a signal. */
    private static final class Jdk {
        private static final @Nullable Class<?> SIGNAL = find("sun.misc.Signal");
        private static final @Nullable Class<?> HANDLER = find("sun.misc.SignalHandler");

        private static @Nullable Class<?> find(String name) {
            try {
                return Class.forName(name, true, null);
            } catch (ClassNotFoundException e) {
                return null;
            }
        }

        private static Class<?> there(@Nullable Class<?> type) {
            if (type == null) {
                throw new UnsupportedOperationException("signals need the module jdk.unsupported: link it into the"
                        + " runtime image, or add --add-modules jdk.unsupported");
            }
            return type;
        }

        static Object handler(Runnable action) {
            Class<?> type = there(HANDLER);
            return Proxy.newProxyInstance(OsSignals.class.getClassLoader(), new Class<?>[] {type},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "handle" -> {
                            action.run();
                            yield null;
                        }
                        case "equals" -> proxy == arguments[0];
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> "a handler of Loomlet's";
                    });
        }

        static Object handle(String name, Object handler) {
            Class<?> type = there(SIGNAL);
            Method handle = method(type, "handle", type, there(HANDLER));
            return Objects.requireNonNull(call(handle, signal(name), handler));
        }

        static void raise(String name) {
            Class<?> type = there(SIGNAL);
            call(method(type, "raise", type), signal(name));
        }

        private static Object signal(String name) {
            try {
                return there(SIGNAL).getConstructor(String.class).newInstance(name);
            } catch (InvocationTargetException e) {
                throw refusal(e);
            } catch (ReflectiveOperationException e) {
                throw new Access.MissingInternal("sun.misc.Signal", e);
            }
        }

        private static Method method(Class<?> type, String name, Class<?>... parameters) {
            try {
                return type.getMethod(name, parameters);
            } catch (NoSuchMethodException e) {
                throw new Access.MissingInternal(type.getName() + "." + name, e);
            }
        }

        private static @Nullable Object call(Method method, Object... arguments) {
            try {
                return method.invoke(null, arguments);
            } catch (InvocationTargetException e) {
                throw refusal(e);
            } catch (IllegalAccessException e) {
                throw new Access.MissingInternal(method.toString(), e);
            }
        }

        private static RuntimeException refusal(InvocationTargetException e) {
            return Access.<RuntimeException>sneak(e.getCause() == null ? e : e.getCause());
        }
    }
}
