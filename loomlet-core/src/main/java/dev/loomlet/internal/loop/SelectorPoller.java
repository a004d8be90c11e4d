package dev.loomlet.internal.loop;

import java.io.IOException;
import java.nio.channels.Selector;
import java.util.function.IntConsumer;

/**
 * The poller of systems without epoll: it sleeps in a {@link Selector}, which any thread can wake. Descriptors of sockets
 * are left to the JDK's own pollers there, whose wake-ups arrive through the inbox.
 */
final class SelectorPoller implements Poller {
    private final Selector selector;

    SelectorPoller() throws IOException {
        selector = Selector.open();
    }

    @Override
    public String name() {
        return "selector";
    }

    @Override
    public void poll(long nanos) throws IOException {
        if (nanos == 0) {
            selector.selectNow();
        } else if (nanos < 0) {
            selector.select();
        } else {
            selector.select((nanos + 999_999) / 1_000_000);
        }
    }

    @Override
    public void wakeup() {
        selector.wakeup();
    }

    @Override
    public boolean watchesDescriptors() {
        return false;
    }

    @Override
    public int watched() {
        return 0;
    }

    @Override
    public void watchOnce(int fd, boolean read, IntConsumer fired) {
        throw new UnsupportedOperationException("the selector backend watches no descriptors");
    }

    @Override
    public void unwatch(int fd, boolean read) {
        throw new UnsupportedOperationException("the selector backend watches no descriptors");
    }

    @Override
    public void register(DescriptorHandler handler) {
        throw new UnsupportedOperationException("the selector backend watches no descriptors");
    }

    @Override
    public void unregister(DescriptorHandler handler) {
        throw new UnsupportedOperationException("the selector backend watches no descriptors");
    }

    @Override
    public void close() {
        try {
            selector.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
