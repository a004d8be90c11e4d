package dev.loomlet.internal.loop;

import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the other packages of Loomlet may do with a greenlet and a program may not. The class of greenlets opens it when it
 * is loaded, which is before there is a greenlet to ask about.
 */
public abstract class Greenlets {
    private static @Nullable Greenlets door;

    protected Greenlets() {}

    /** Once, by the class of greenlets. */
    public static void open(Greenlets greenlets) {
        door = greenlets;
    }

    /** Only in the hand of somebody who has a greenlet. */
    public static Greenlets inside() {
        return Objects.requireNonNull(door);
    }

    /**
     * Spawns a greenlet whose name is what its task's {@code toString} says when it is asked for: for those who spawn many
     * and whose names take time and memory.
     *
     * @param task an {@code Action}
     * @param threadName what its thread is called
     */
    public abstract Object spawn(Object hub, Object task, String threadName);

    public abstract Fiber fiber(Object greenlet);

    public abstract Loop loop(Object hub);

    /** Tells {@code end} of its end, at once if that was before. */
    public abstract void whenEnded(Object greenlet, End end);

    /** The first who waits to be told of its end and whom {@code which} selects. None after the end. */
    public abstract @Nullable End find(Object greenlet, Predicate<End> which);

    /** Before its start: its error will be thrown to somebody, so it is not reported. */
    public abstract void quiet(Object greenlet);

    /** It failed, was {@link #quiet}, and now nobody will have its error after all. In a greenlet or on a hub's own thread. */
    public abstract void report(Object greenlet);

    /** The circles in which greenlets of these hubs wait for one another, in words. Any thread. */
    public abstract List<String> circles(Collection<?> hubs);

    /** A native call of this fiber, which is the calling one, has held its loop up for so many nanoseconds. */
    public abstract void heldUp(Fiber fiber, long nanos);

    /** Offloading rules that are there from the start, and who hears of others. See {@code Offload}. */
    public abstract void offload(List<String> rules, java.util.function.Consumer<String> added);

    /** Whether an offloading rule selects the method, or any method of the class if it is empty. */
    public abstract boolean selects(String rule, String type, String method);
}
