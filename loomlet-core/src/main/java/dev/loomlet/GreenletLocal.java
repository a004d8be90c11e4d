package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A variable of which each greenlet has its own.
 *
 * {@snippet :
 * static final GreenletLocal<String> REQUEST = GreenletLocal.of(() -> "none");
 *
 * REQUEST.set("r-17");
 * spawn(() -> REQUEST.get());                          // "none"
 * spawn(GreenletLocal.inheriting(() -> REQUEST.get())); // "r-17"
 * }
 *
 * <p>A value goes with its greenlet, and with the variable. Outside of greenlets each thread has its own.
 *
 * <p><b>What a new greenlet gets from its spawner.</b> Of these variables nothing, unless it is spawned with
 * {@link #inheriting}: then it starts with the same values, and what either of them sets later is its own. Of the JDK's,
 * what a {@code Thread} gets: {@code InheritableThreadLocal}s are inherited at the spawn, {@code ThreadLocal}s are not
 * (a greenlet is a thread of its own), and bindings of {@code ScopedValue} are not, since a greenlet may outlive the block
 * that bound them: bind them again in the task.
 *
 * <p>gevent's {@code gevent.local}.
 *
 * @param <T> type of the value
 */
public final class GreenletLocal<T> {
    private static final ThreadLocal<@Nullable Map<GreenletLocal<?>, Object>> OF_THREAD = new ThreadLocal<>();

    private final Supplier<? extends T> initial;

    private GreenletLocal(Supplier<? extends T> initial) {
        this.initial = Objects.requireNonNull(initial);
    }

    /** A variable whose value, in each greenlet that has not set it, is made by {@code initial} when it is first read. */
    public static <T> GreenletLocal<T> of(Supplier<? extends T> initial) {
        return new GreenletLocal<>(initial);
    }

    /** The value in the current greenlet. */
    @SuppressWarnings("unchecked")
    public T get() {
        Map<GreenletLocal<?>, Object> values = values();
        Object value = values == null ? null : values.get(this);
        if (value == null) {
            T made = initial.get();
            set(made);
            return made;
        }
        return (T) value;
    }

    /** Sets the value in the current greenlet. */
    public void set(T value) {
        Map<GreenletLocal<?>, Object> values = values();
        if (values == null) {
            values = new WeakHashMap<>();
            keep(values);
        }
        values.put(this, Objects.requireNonNull(value));
    }

    /** Forgets the value in the current greenlet: the next {@link #get} makes a new one. */
    public void remove() {
        Map<GreenletLocal<?>, Object> values = values();
        if (values != null) {
            values.remove(this);
        }
    }

    /** A task that starts with the values that the current greenlet has now. */
    public static <T> Callable<T> inheriting(Callable<T> task) {
        return new Inheriting<>(task, snapshot());
    }

    /** A task that starts with the values that the current greenlet has now. */
    public static Action inheriting(Action task) {
        return new InheritingAction(task, snapshot());
    }

    private record Inheriting<T>(Callable<T> task, Map<GreenletLocal<?>, Object> values)
            implements Callable<T>, dev.loomlet.internal.loop.Wrapper {
        @Override
        public T call() throws Exception {
            keep(new WeakHashMap<>(values));
            return task.call();
        }

        @Override
        public Object wrapped() {
            return task;
        }
    }

    private record InheritingAction(Action task, Map<GreenletLocal<?>, Object> values)
            implements Action, dev.loomlet.internal.loop.Wrapper {
        @Override
        public void run() throws Exception {
            keep(new WeakHashMap<>(values));
            task.run();
        }

        @Override
        public Object wrapped() {
            return task;
        }
    }

    private static Map<GreenletLocal<?>, Object> snapshot() {
        Map<GreenletLocal<?>, Object> values = values();
        return values == null ? Map.of() : new HashMap<>(values);
    }

    @SuppressWarnings("unchecked")
    private static @Nullable Map<GreenletLocal<?>, Object> values() {
        Fiber fiber = Fiber.current();
        return fiber == null ? OF_THREAD.get() : (Map<GreenletLocal<?>, Object>) fiber.locals();
    }

    private static void keep(Map<GreenletLocal<?>, Object> values) {
        Fiber fiber = Fiber.current();
        if (fiber == null) {
            OF_THREAD.set(values);
        } else {
            fiber.locals(values);
        }
    }
}
