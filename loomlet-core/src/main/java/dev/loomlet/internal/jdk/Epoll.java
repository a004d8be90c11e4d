package dev.loomlet.internal.jdk;

import java.io.IOException;
import java.lang.invoke.MethodHandle;

/**
 * The JDK's own natives for epoll and eventfd ({@code sun.nio.ch.EPoll}, {@code EventFD}): no native code of ours, no
 * foreign-function call, no extra flag. One instance owns one epoll descriptor, one eventfd and one buffer for events.
 *
 * <p>All methods belong to the thread that polls, except {@link #wakeup()}, which any thread may call until
 * {@link #close()}.
 */
public final class Epoll implements AutoCloseable {
    public static final int IN = 0x1;
    public static final int PRI = 0x2;
    public static final int OUT = 0x4;
    public static final int ERR = 0x8;
    public static final int HUP = 0x10;
    public static final int RDHUP = 0x2000;
    public static final int ONESHOT = 1 << 30;
    public static final int EDGE = 1 << 31;

    private static final int ADD = 1;
    private static final int DEL = 2;
    private static final int MOD = 3;
    private static final int ENOENT = 2;
    private static final int CAPACITY = 512;

    /** What can be wrong with this platform is found out here once, not at the first poll. */
    private static final class Natives {
        static final Class<?> EPOLL = Access.type("sun.nio.ch.EPoll");
        static final Class<?> EVENTFD = Access.type("sun.nio.ch.EventFD");
        static final MethodHandle CREATE = Access.staticMethod(EPOLL, "create", int.class);
        static final MethodHandle CTL =
                Access.staticMethod(EPOLL, "ctl", int.class, int.class, int.class, int.class, int.class);
        static final MethodHandle WAIT =
                Access.staticMethod(EPOLL, "wait", int.class, int.class, long.class, int.class, int.class);
        static final MethodHandle ALLOCATE = Access.staticMethod(EPOLL, "allocatePollArray", long.class, int.class);
        static final MethodHandle FREE = Access.staticMethod(EPOLL, "freePollArray", void.class, long.class);
        static final MethodHandle EVENT = Access.staticMethod(EPOLL, "getEvent", long.class, long.class, int.class);
        static final MethodHandle DESCRIPTOR = Access.staticMethod(EPOLL, "getDescriptor", int.class, long.class);
        static final MethodHandle EVENTS = Access.staticMethod(EPOLL, "getEvents", int.class, long.class);
        static final MethodHandle EVENTFD_CREATE = Access.staticMethod(EVENTFD, "eventfd0", int.class);
        static final MethodHandle EVENTFD_SET = Access.staticMethod(EVENTFD, "set0", int.class, int.class);
        static final MethodHandle DRAIN =
                Access.staticMethod(Access.type("sun.nio.ch.IOUtil"), "drain", boolean.class, int.class);
        static final MethodHandle CLOSE =
                Access.staticMethod(Access.type("sun.nio.ch.FileDispatcherImpl"), "closeIntFD", void.class, int.class);
    }

    private final int epfd;
    private final int eventfd;
    private final long buffer;
    private boolean closed; // guarded by this: wakeup must not write into a descriptor that was closed and reused

    private Epoll(int epfd, int eventfd, long buffer) {
        this.epfd = epfd;
        this.eventfd = eventfd;
        this.buffer = buffer;
    }

    /** Opens one, or throws where the platform has no epoll. */
    public static Epoll open() throws IOException {
        try {
            int epfd = (int) Natives.CREATE.invokeExact();
            int eventfd = (int) Natives.EVENTFD_CREATE.invokeExact();
            Epoll epoll = new Epoll(epfd, eventfd, (long) Natives.ALLOCATE.invokeExact(CAPACITY));
            epoll.control(eventfd, IN);
            return epoll;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Sets what is watched on a descriptor, whether it was registered before or not. */
    public void control(int fd, int events) throws IOException {
        try {
            int error = (int) Natives.CTL.invokeExact(epfd, MOD, fd, events);
            if (error == ENOENT) {
                error = (int) Natives.CTL.invokeExact(epfd, ADD, fd, events);
            }
            if (error != 0) {
                throw new IOException("epoll_ctl on descriptor " + fd + " failed with errno " + error);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** As {@link #control} for a descriptor that is known to be new here. */
    public void add(int fd, int events) throws IOException {
        try {
            int error = (int) Natives.CTL.invokeExact(epfd, ADD, fd, events);
            if (error != 0) {
                throw new IOException("epoll_ctl(ADD) on descriptor " + fd + " failed with errno " + error);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Forgets a descriptor; one that was closed is forgotten already, so an error means nothing and is not reported. */
    public void remove(int fd) {
        try {
            int ignored = (int) Natives.CTL.invokeExact(epfd, DEL, fd, 0);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Waits for events.
     *
     * @param millis longest time to wait, -1 for ever, 0 not at all
     * @return how many events came; read them with {@link #descriptor} and {@link #events}
     */
    public int poll(int millis) throws IOException {
        try {
            return (int) Natives.WAIT.invokeExact(epfd, buffer, CAPACITY, millis);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public int descriptor(int index) {
        try {
            return (int) Natives.DESCRIPTOR.invokeExact((long) Natives.EVENT.invokeExact(buffer, index));
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public int events(int index) {
        try {
            return (int) Natives.EVENTS.invokeExact((long) Natives.EVENT.invokeExact(buffer, index));
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Whether the descriptor is the wake-up's; if so its count is taken, so that the next wait can sleep. */
    public boolean isWakeup(int descriptor) {
        if (descriptor != eventfd) {
            return false;
        }
        try {
            boolean ignored = (boolean) Natives.DRAIN.invokeExact(eventfd);
            return true;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Ends the current or the next {@link #poll}, once. Any thread. */
    public synchronized void wakeup() {
        if (closed) {
            return;
        }
        try {
            int ignored = (int) Natives.EVENTFD_SET.invokeExact(eventfd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** A descriptor that is always readable. Nobody closes it. */
    static int readable() {
        try {
            int fd = (int) Natives.EVENTFD_CREATE.invokeExact();
            int ignored = (int) Natives.EVENTFD_SET.invokeExact(fd);
            return fd;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            Natives.CLOSE.invokeExact(eventfd);
            Natives.CLOSE.invokeExact(epfd);
            Natives.FREE.invokeExact(buffer);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }
}
