package dev.loomlet.net;

import dev.loomlet.internal.jdk.HeapIo;
import dev.loomlet.internal.jdk.Ring;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.internal.loop.DescriptorHandler;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Sends;
import dev.loomlet.internal.loop.Waiter;
import java.io.FileDescriptor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A socket as one loop sees it: registered there once, for its life, and told of edges. All of it belongs to that loop's
 * thread, so none of it needs a lock. A socket that greenlets of several hubs use has a line for each.
 *
 * <p>{@link #readable} and {@link #writable} mean "it may work, try", so they may be true in vain but never false in vain:
 * they become false only when the kernel has said that nothing is left (or no room is), and from then on it announces
 * whatever comes with an edge. A read that gives less than asked for says so as well (epoll(7), question 9), which saves the
 * read that would fail. It does not once the end of the stream, an error or urgent data has been announced: what was
 * announced already is not announced again, so the flag stays up.
 *
 * <p>It does not know its socket: the poller holds it, and a socket that the program has lost has to be found garbage.
 */
final class Line extends DescriptorHandler {
    /** What the lines of a loop share. */
    private static final class Shared {
        /** Null where native calls are not permitted: then the JDK's natives do it. */
        final @Nullable HeapIo io = HeapIo.permitted() ? HeapIo.make() : null;
    }

    final Loop loop;
    private final FileDescriptor fd;
    private final @Nullable HeapIo io;
    @Nullable Line next; // of the same socket, another loop's
    boolean readable = true;
    boolean writable = true;
    private boolean special;
    private boolean registered;
    private @Nullable Waiter reader;
    private @Nullable Waiter writer;
    private @Nullable SocketLife user; // while somebody waits here: no longer, see above
    private @Nullable Sending sending; // once something was sent together with others

    Line(Loop loop, FileDescriptor fd, int descriptor) {
        super(descriptor);
        this.loop = loop;
        this.fd = fd;
        Shared shared = (Shared) loop.attachment();
        if (shared == null) {
            shared = new Shared();
            loop.attach(shared);
        }
        io = shared.io;
    }

    /** Reads what is there; {@link SocketNatives#UNAVAILABLE} if nothing is. */
    int read(byte[] bytes, int offset, int length) throws IOException {
        HeapIo io = this.io;
        int n = io != null ? io.receive(descriptor(), bytes, offset, length)
                : SocketNatives.read(fd, bytes, offset, length);
        if (n < length) {
            drained(n);
        }
        return n;
    }

    /** After a read of {@code n} bytes, fewer than were asked for. */
    void drained(int n) {
        if (n == SocketNatives.UNAVAILABLE || (n > 0 && !special && n < LEAST_CHUNK)) {
            readable = false;
        }
    }

    /** Natives read no more than this at a time, whatever they are asked for. */
    private static final int LEAST_CHUNK = 64 * 1024;

    /** Writes what there is room for; {@link SocketNatives#UNAVAILABLE} if there is none. */
    int write(byte[] bytes, int offset, int length) throws IOException {
        HeapIo io = this.io;
        int n = io != null ? io.send(descriptor(), bytes, offset, length)
                : SocketNatives.write(fd, bytes, offset, length);
        if (n == SocketNatives.UNAVAILABLE) {
            writable = false;
        }
        return n;
    }

    /** As {@link #write}, but a greenlet may give way meanwhile. */
    int send(byte[] bytes, int offset, int length, SocketLife by) throws IOException {
        Sends sends = loop.sends();
        return sends.worthwhile(length) ? sendWithOthers(sends, bytes, offset, length, by)
                : write(bytes, offset, length);
    }

    private int sendWithOthers(Sends sends, byte[] bytes, int offset, int length, SocketLife by) throws IOException {
        Sending mine = sending;
        if (mine == null) {
            mine = new Sending();
            sending = mine;
        }
        mine.by = by;
        try {
            sends.send(mine, descriptor(), bytes, offset, length, mine);
        } finally {
            mine.by = null;
        }
        if (mine.result >= 0) {
            return mine.result;
        }
        if (mine.result == Ring.NOT_TRIED) {
            return write(bytes, offset, length);
        }
        int n = HeapIo.outcome(-mine.result, false);
        if (n == SocketNatives.UNAVAILABLE) {
            writable = false;
        }
        return n;
    }

    /** A send on its way, and the reason of the wait for it. There is one at a time: who sends owns the write turn. */
    private static final class Sending implements Sends.Sender {
        private @Nullable SocketLife by;
        private int result;

        @Override
        public void sent(int result) {
            this.result = result;
        }

        @Override
        public String toString() {
            SocketLife by = this.by;
            return "writing to " + (by == null ? "a socket" : by.where());
        }
    }

    /** Waits until there may be something to read. Of what it leaves behind there is one for each idle connection. */
    boolean awaitReadable(long nanos, SocketLife user) throws IOException, InterruptedException {
        if (!registered) {
            register();
        }
        Waiter waiter = Waiter.again(this);
        if (user.endsByInterrupt()) {
            waiter.reachByInterrupt();
        }
        this.user = user;
        reader = waiter;
        try {
            return waiter.await(nanos);
        } finally {
            reader = null;
            this.user = null;
            waiter.giveBack();
        }
    }

    /** As the reason of a wait. */
    @Override
    public String toString() {
        SocketLife user = this.user;
        return "reading from " + (user == null ? "a socket" : user.where());
    }

    /** For sockets whose descriptor may be closed between a look at it and its registration. */
    void ensureRegistered() throws IOException {
        if (!registered) {
            register();
        }
    }

    private void register() throws IOException {
        loop.poller().register(this); // the state of now is the first edge
        registered = true;
    }

    /**
     * Waits for an edge. Kill and timeout of the greenlet are thrown here.
     *
     * @return false if the time is over
     */
    boolean await(boolean read, long nanos, Object reason) throws IOException, InterruptedException {
        return await(read, nanos, new Waiter(reason));
    }

    private boolean await(boolean read, long nanos, Waiter waiter) throws IOException, InterruptedException {
        if (!registered) {
            register();
        }
        if (read) {
            reader = waiter;
        } else {
            writer = waiter;
        }
        try {
            return waiter.await(nanos);
        } finally {
            if (read) {
                reader = null;
            } else {
                writer = null;
            }
        }
    }

    /** As {@link #await}, but a kill and a timeout arrive as an interrupt. */
    boolean awaitLikeTheJdk(boolean read, long nanos, Object reason) throws IOException, InterruptedException {
        Waiter waiter = new Waiter(reason);
        waiter.reachByInterrupt();
        return await(read, nanos, waiter);
    }

    @Override
    protected void special() {
        special = true;
    }

    @Override
    protected void changed(boolean nowReadable, boolean nowWritable) {
        if (nowReadable) {
            readable = true;
            Waiter waiter = reader;
            if (waiter != null) {
                waiter.resume(null);
            }
        }
        if (nowWritable) {
            writable = true;
            Waiter waiter = writer;
            if (waiter != null) {
                waiter.resume(null);
            }
        }
    }

    /** Has those who wait here look at the socket again. Any thread. */
    void wake() {
        if (loop.onLoop()) {
            changed(true, true);
        } else {
            loop.post(() -> changed(true, true));
        }
    }

    /** The descriptor is about to be closed. Any thread. */
    void end() {
        if (loop.onLoop()) {
            unregister();
        } else {
            loop.post(this::unregister);
        }
    }

    private void unregister() {
        if (registered && !loop.closed()) {
            registered = false;
            loop.poller().unregister(this);
        }
    }
}
