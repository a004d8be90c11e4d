package dev.loomlet.process;

import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.internal.jdk.ChildProcess;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Waiter;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Our end of a pipe to a child. Reading and writing never wait; {@link #await} does, for several at once.
 *
 * <pre>
 *   OPEN ──close, nobody parked──▶ CLOSED
 *     │                              ▲
 *     └─close, somebody parked─▶ CLOSING ──the parked one leaves──┘
 * </pre>
 *
 * The descriptor is closed only when nobody watches it: its number would else be given to the next file, and who leaves
 * would take back the watch of that.
 *
 * <p>It is its own guard. A read or write of what is there is made inside, so that the descriptor cannot be closed, and its
 * number used again, between the look at the state and the call.
 */
final class Pipe extends Guard {
    private final Closeable end; // a ChildProcess.Pipe, or a stream of the JDK's that has no descriptor and never blocks
    private final boolean reading;
    private final String what;
    private @Nullable Waiter parked;
    private boolean closed;

    private Pipe(Closeable end, boolean reading, String what) {
        this.end = end;
        this.reading = reading;
        this.what = what;
    }

    static Pipe reading(InputStream stream, String what) throws IOException {
        return new Pipe(ChildProcess.take(stream), true, what);
    }

    static Pipe writing(OutputStream stream, String what) throws IOException {
        return new Pipe(ChildProcess.take(stream), false, what);
    }

    boolean closed() {
        enter();
        boolean result = closed;
        leave();
        return result;
    }

    /** How many bytes came, 0 if none are there yet, -1 at the end. */
    int read(byte[] into, int offset, int length) throws IOException {
        if (!(end instanceof ChildProcess.Pipe pipe)) {
            return closed() ? fail() : ((InputStream) end).read(into, offset, length);
        }
        enter();
        try {
            return closed ? fail() : pipe.read(into, offset, length);
        } finally {
            leave();
        }
    }

    /** How many bytes went, 0 if there is no room yet. */
    int write(byte[] from, int offset, int length) throws IOException {
        if (!(end instanceof ChildProcess.Pipe pipe)) {
            if (closed()) {
                return fail();
            }
            ((OutputStream) end).write(from, offset, length);
            return length;
        }
        enter();
        try {
            return closed ? fail() : pipe.write(from, offset, length);
        } finally {
            leave();
        }
    }

    private int fail() throws IOException {
        throw new IOException(what + " is closed");
    }

    /** Any thread. Wakes who is parked here. */
    void close() throws IOException {
        enter();
        boolean first = !closed;
        closed = true;
        Waiter waiter = parked;
        leave();
        if (waiter != null) {
            waiter.resume(null);
        } else if (first) {
            end.close();
        }
    }

    private boolean park(Waiter waiter) {
        enter();
        boolean open = !closed;
        boolean taken = parked != null;
        if (open && !taken) {
            parked = waiter;
        }
        leave();
        if (open && taken) {
            throw new IllegalStateException("another greenlet " + (reading ? "reads " : "writes ") + what + " already");
        }
        return open;
    }

    private void unpark() throws IOException {
        enter();
        parked = null;
        boolean last = closed;
        leave();
        if (last) {
            end.close();
        }
    }

    /**
     * Waits until one of these may have something to read or room to write, or is closed.
     *
     * @param attempt how often this was called since something came; used where descriptors cannot be watched
     * @return false if the time is over
     */
    static boolean await(List<Pipe> pipes, long nanos, int attempt) throws IOException {
        if (nanos == 0) {
            return false;
        }
        if (!Thread.currentThread().isVirtual()) {
            var hub = Hub.current(); // makes one if there is none: then others can run here meanwhile
            assert hub != null;
        }
        Waiter waiter = new Waiter(pipes.size() == 1 ? pipes.getFirst().what : pipes);
        Loop own = waiter.loop();
        Loop loop = own != null && own.poller().watchesDescriptors() ? own : null;
        // With nobody to tell us, look again, less often the longer nothing has come.
        long step = loop != null ? -1 : Math.min(10_000_000L, 500_000L << Math.min(attempt, 5));
        boolean last = loop != null || (nanos >= 0 && nanos <= step);
        int parked = 0;
        try {
            for (Pipe each : pipes) {
                if (!each.park(waiter)) {
                    return true;
                }
                parked++;
                if (loop != null) {
                    loop.watch(((ChildProcess.Pipe) each.end).number(), each.reading, fd -> waiter.resume(null));
                }
            }
            return await(waiter, last ? nanos : step) || !last;
        } finally {
            for (Pipe each : pipes.subList(0, parked)) {
                if (loop != null) {
                    loop.unwatch(((ChildProcess.Pipe) each.end).number(), each.reading, false);
                }
                each.unpark();
            }
        }
    }

    private static boolean await(Waiter waiter, long nanos) {
        try {
            return waiter.await(nanos);
        } catch (InterruptedException e) {
            GreenletExit exit = new GreenletExit(e.getMessage() == null ? "interrupted" : e.getMessage());
            exit.initCause(e);
            throw exit;
        }
    }

    @Override
    public String toString() {
        return what;
    }
}
