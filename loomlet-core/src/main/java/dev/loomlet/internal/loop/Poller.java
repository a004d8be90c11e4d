package dev.loomlet.internal.loop;

import java.io.IOException;
import java.util.function.IntConsumer;

/**
 * Where a loop sleeps. All methods belong to the thread that runs the loop, except {@link #wakeup}.
 */
public interface Poller extends AutoCloseable {
    /** For people: "epoll", "selector". */
    String name();

    /**
     * Waits until something happens, and tells those whom it concerns.
     *
     * @param nanos longest time to wait; negative means for ever, 0 not at all
     */
    void poll(long nanos) throws IOException;

    /** Ends the current or the next {@link #poll}. Sticky, so a wake-up that comes early is not lost. Any thread. */
    void wakeup();

    /** Whether raw descriptors can be watched here; if not, the methods below throw. */
    boolean watchesDescriptors();

    /** Fires once when {@code fd} becomes readable (or writable), or is at its end. */
    void watchOnce(int fd, boolean read, IntConsumer fired) throws IOException;

    /** Takes back what {@link #watchOnce} set and has not fired. */
    void unwatch(int fd, boolean read);

    /** Registers a descriptor for its whole life, edge-triggered, for reading and writing. */
    void register(DescriptorHandler handler) throws IOException;

    /** Ends {@link #register}; call it before the descriptor is closed. */
    void unregister(DescriptorHandler handler);

    /** How many descriptors are watched: while there are any, something from outside may still come. */
    int watched();

    @Override
    void close();
}
