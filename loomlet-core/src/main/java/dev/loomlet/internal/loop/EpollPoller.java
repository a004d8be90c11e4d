package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.Epoll;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The poller of Linux, in the hub's own thread. A descriptor is either the JDK's, watched for one event at a time, or a
 * {@link DescriptorHandler}'s, registered once.
 */
final class EpollPoller implements Poller {
    /** Who waits at a descriptor of the JDK's: at most one reader and one writer. */
    private static final class Watch {
        @Nullable IntConsumer reader;
        @Nullable IntConsumer writer;

        int interest() {
            return (reader != null ? Epoll.IN | Epoll.RDHUP : 0) | (writer != null ? Epoll.OUT : 0);
        }
    }

    private final Epoll epoll;
    private @Nullable Object[] watches = new Object[64]; // by descriptor: null, Watch or DescriptorHandler
    private int watched;

    EpollPoller() throws IOException {
        epoll = Epoll.open();
    }

    @Override
    public String name() {
        return "epoll";
    }

    @Override
    public boolean watchesDescriptors() {
        return true;
    }

    @Override
    public int watched() {
        return watched;
    }

    @Override
    public void poll(long nanos) throws IOException {
        int n = epoll.poll(millis(nanos));
        for (int i = 0; i < n; i++) {
            int fd = epoll.descriptor(i);
            if (epoll.isWakeup(fd)) {
                continue;
            }
            int events = epoll.events(i);
            boolean broken = (events & (Epoll.ERR | Epoll.HUP)) != 0;
            boolean readable = broken || (events & (Epoll.IN | Epoll.RDHUP | Epoll.PRI)) != 0;
            boolean writable = broken || (events & Epoll.OUT) != 0;
            Object at = watches[fd];
            if (at instanceof DescriptorHandler handler) {
                if ((events & ~(Epoll.IN | Epoll.OUT)) != 0) {
                    handler.special();
                }
                handler.changed(readable, writable);
            } else if (at instanceof Watch watch) {
                fire(fd, watch, readable, writable);
            }
        }
    }

    private void fire(int fd, Watch watch, boolean readable, boolean writable) throws IOException {
        IntConsumer reader = watch.reader;
        IntConsumer writer = watch.writer;
        if (readable && reader != null) {
            watch.reader = null;
            watched--;
            reader.accept(fd);
        }
        if (writable && writer != null) {
            watch.writer = null;
            watched--;
            writer.accept(fd);
        }
        if (watch.interest() != 0) { // one-shot has switched the other direction off as well
            epoll.control(fd, watch.interest() | Epoll.ONESHOT);
        }
    }

    /** Rounds up: a timer never fires early, and a wait shorter than a millisecond does not spin. */
    private static int millis(long nanos) {
        if (nanos <= 0) {
            return nanos == 0 ? 0 : -1;
        }
        return (int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
    }

    @Override
    public void wakeup() {
        epoll.wakeup();
    }

    @Override
    public void watchOnce(int fd, boolean read, IntConsumer fired) throws IOException {
        Watch watch = watch(fd);
        if (read) {
            watch.reader = fired;
        } else {
            watch.writer = fired;
        }
        watched++;
        try {
            epoll.control(fd, watch.interest() | Epoll.ONESHOT);
        } catch (IOException | RuntimeException e) {
            unwatch(fd, read);
            throw e;
        }
    }

    @Override
    public void unwatch(int fd, boolean read) {
        if (fd >= watches.length || !(watches[fd] instanceof Watch watch)) {
            return;
        }
        if (read ? watch.reader == null : watch.writer == null) {
            return;
        }
        if (read) {
            watch.reader = null;
        } else {
            watch.writer = null;
        }
        watched--;
        if (watch.interest() == 0) {
            epoll.remove(fd); // the descriptor may have been closed meanwhile, so an error is no news
        }
    }

    private Watch watch(int fd) {
        if (fd >= watches.length) {
            grow(fd);
        }
        if (watches[fd] instanceof Watch known) {
            return known;
        }
        forgetStale(fd);
        Watch watch = new Watch();
        watches[fd] = watch;
        return watch;
    }

    private void grow(int fd) {
        watches = Arrays.copyOf(watches, Math.max(fd + 1, watches.length * 2));
    }

    /** A descriptor that another thread has closed may be in use again before we hear of it. */
    private void forgetStale(int fd) {
        if (watches[fd] instanceof DescriptorHandler) {
            watches[fd] = null;
            watched--;
        }
    }

    @Override
    public void register(DescriptorHandler handler) throws IOException {
        int fd = handler.descriptor();
        if (fd >= watches.length) {
            grow(fd);
        }
        forgetStale(fd);
        int events = Epoll.IN | Epoll.OUT | Epoll.RDHUP | Epoll.PRI | Epoll.EDGE;
        if (watches[fd] == null) {
            epoll.add(fd, events);
        } else {
            epoll.control(fd, events); // the JDK has used the number before; the kernel may know it or not
        }
        watches[fd] = handler;
        watched++;
    }

    @Override
    public void unregister(DescriptorHandler handler) {
        int fd = handler.descriptor();
        if (fd < watches.length && watches[fd] == handler) {
            watches[fd] = null;
            watched--;
            epoll.remove(fd);
        }
    }

    @Override
    public void close() {
        epoll.close();
    }
}
