package dev.loomlet.agent;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.jspecify.annotations.Nullable;

/**
 * The {@code main} of a class, found as {@code java} finds it: {@code main(String[])} before {@code main()}, declared or
 * inherited, static or of an instance, anything but private (JEP 512).
 */
public final class MainMethod {
    private final Method method;
    private final @Nullable Constructor<?> constructor; // of an instance main

    private final @Nullable Method agent;

    private MainMethod(Method method, @Nullable Constructor<?> constructor) {
        this(method, constructor, null);
    }

    private MainMethod(Method method, @Nullable Constructor<?> constructor, @Nullable Method agent) {
        this.method = method;
        this.constructor = constructor;
        this.agent = agent;
    }

    /**
     * Finds it.
     *
     * @throws UnusableProgram if there is none that could be called; the message says why
     */
    public static MainMethod of(Class<?> type) throws UnusableProgram {
        try {
            Method main = find(type, String[].class);
            if (main == null) {
                main = find(type);
            }
            if (main == null) {
                throw new UnusableProgram("class " + type.getName() + " has no main method");
            }
            main.setAccessible(true);
            if (Modifier.isStatic(main.getModifiers())) {
                return new MainMethod(main, null);
            }
            return new MainMethod(main, constructor(type));
        } catch (LinkageError e) {
            throw new UnusableProgram("class " + type.getName() + " cannot be loaded: " + e);
        }
    }

    private static Constructor<?> constructor(Class<?> type) throws UnusableProgram {
        String problem = "class " + type.getName() + " has an instance main method, but ";
        if (Modifier.isAbstract(type.getModifiers())) {
            throw new UnusableProgram(problem + "is abstract");
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor();
            if (Modifier.isPrivate(constructor.getModifiers())) {
                throw new UnusableProgram(problem + "its constructor is private");
            }
            constructor.setAccessible(true);
            return constructor;
        } catch (NoSuchMethodException e) {
            throw new UnusableProgram(problem + "no constructor without parameters");
        }
    }

    private static @Nullable Method find(Class<?> type, Class<?>... parameters) {
        for (Class<?> each = type; each != null && each != Object.class; each = each.getSuperclass()) {
            try {
                Method method = each.getDeclaredMethod("main", parameters);
                if (!Modifier.isPrivate(method.getModifiers()) && method.getReturnType() == void.class) {
                    return method;
                }
            } catch (NoSuchMethodException e) {
                // perhaps its superclass has one
            }
        }
        return null;
    }

    /** The class that declares it. */
    public Class<?> type() {
        return method.getDeclaringClass();
    }

    /**
     * Calls a main that was entered before.
     *
     * @param receiver its instance, or its class if it is static
     * @param args its arguments, or null if it takes none
     */
    static void callAgain(Object receiver, @Nullable Object args) throws Throwable {
        Class<?> type = receiver instanceof Class<?> itself ? itself : receiver.getClass();
        Method main = args == null ? find(type) : find(type, String[].class);
        if (main == null) {
            throw new IllegalStateException("main of " + type + " has gone");
        }
        main.setAccessible(true);
        try {
            Object instance = receiver instanceof Class<?> ? null : receiver;
            if (args == null) {
                main.invoke(instance);
            } else {
                main.invoke(instance, args);
            }
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    /**
     * The same main, called after {@code agentmain} of the class that the program's jar names as its
     * {@code Launcher-Agent-Class}.
     *
     * @throws UnusableProgram if there is no such class or method
     */
    public MainMethod after(String agentClass) throws UnusableProgram {
        String problem = "the jar's Launcher-Agent-Class " + agentClass;
        try {
            Class<?> type = Class.forName(agentClass, false, method.getDeclaringClass().getClassLoader());
            Method found = declared(type, "agentmain", String.class, Instrumentation.class);
            if (found == null) {
                found = declared(type, "agentmain", String.class);
            }
            if (found == null) {
                throw new UnusableProgram(problem + " has no agentmain method");
            }
            found.setAccessible(true);
            return new MainMethod(method, constructor, found);
        } catch (ClassNotFoundException | LinkageError e) {
            throw new UnusableProgram(problem + " cannot be loaded: " + e);
        }
    }

    private static @Nullable Method declared(Class<?> type, String name, Class<?>... parameters) {
        try {
            return type.getDeclaredMethod(name, parameters);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    private static void start(Method agent) throws ReflectiveOperationException {
        if (agent.getParameterCount() == 1) {
            agent.invoke(null, "");
        } else {
            agent.invoke(null, "", LoomletAgent.instrumentation().orElseThrow());
        }
    }

    /** Calls it; what it throws comes out as it is. */
    void call(String[] args) throws Throwable {
        try {
            if (agent != null) {
                start(agent);
            }
            Object receiver = constructor == null ? null : constructor.newInstance();
            if (method.getParameterCount() == 0) {
                method.invoke(receiver);
            } else {
                method.invoke(receiver, (Object) args);
            }
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
