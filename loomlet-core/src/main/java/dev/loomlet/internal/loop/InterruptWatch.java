package dev.loomlet.internal.loop;

import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;

/**
 * Notices an interrupt of a hub's own thread while it waits. The JDK offers a call-back on interrupt to selectors only, so
 * this is one, though it selects nothing. Without it an interrupt would be lost: mounting a virtual thread clears the
 * interrupt status of its carrier.
 */
final class InterruptWatch extends AbstractSelector {
    private final Loop loop;

    InterruptWatch(Loop loop) {
        super(null);
        this.loop = loop;
    }

    /** From now on an interrupt of the calling thread goes to the loop; one that is pending goes there at once. */
    void watch() {
        begin();
    }

    void unwatch() {
        end();
    }

    /** For pollers that set a call-back of their own and so take ours away. */
    void check() {
        if (Thread.interrupted()) {
            wakeup();
        }
        begin();
    }

    /** Called by the interrupting thread. */
    @Override
    public Selector wakeup() {
        loop.interruptHome();
        return this;
    }

    @Override
    protected void implCloseSelector() {
        // holds nothing
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int operations, Object attachment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SelectionKey> keys() {
        return Set.of();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        return Set.of();
    }

    @Override
    public int selectNow() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select(long timeout) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select() {
        throw new UnsupportedOperationException();
    }
}
