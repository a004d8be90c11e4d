package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.jdk.Ring;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the greenlets of a busy loop send, in one system call for many of them.
 *
 * <p>A greenlet that sends a few bytes while others are ready to run leaves them here and gives way. When those have had
 * their turn, or enough has come together, all is handed to the kernel at once ({@link Ring}), and the senders are ready
 * again, with what became of it. So for who writes nothing is different: a write returns when the kernel has the bytes, or
 * throws what the kernel said; a kill or a timeout that comes in between is for the next wait.
 *
 * <p>The senders go on before all that are ready. So those of many connections are served in the order in which their
 * requests came, and what they touch is still in the cache; behind the others, those whose next request is there by then would
 * overtake the rest. Who sends again in such a turn goes on in its order, so that nobody is kept waiting by those who only
 * send.
 *
 * <pre>
 *   greenlets   a: send, give way   b: send, give way   c: send, give way               a goes on   b ...
 *   loop                                                                  ── flush ──▶
 *   kernel                                                                  a, b, c
 * </pre>
 *
 * <p>It pays when many are ready: the way into the kernel is paid once, and neither the kernel's code and data nor ours
 * have to come back into the caches for each send. Where few are, a send of one's own is faster and is what happens. A
 * send waits here for no longer than the greenlets that were ready before it take, or for {@value #PATIENCE} ns and the
 * turn that goes on then, if that is less.
 *
 * <p>Who holds a monitor sends at once. Giving way would be allowed, but the hub's own thread may want that monitor next; it
 * is an OS thread and would block, and nobody would be left to run the loop.
 *
 * <p>All of it belongs to the loop.
 */
public final class Sends {
    /** Who has sent something. */
    public interface Sender {
        /** What became of it: the number of bytes, an error number below zero, or {@link Ring#NOT_TRIED}. On the bare loop. */
        void sent(int result);
    }

    /** While fewer others are ready, a send is not worth the two switches. */
    private static final int LEAST = Integer.getInteger("loomlet.uring.least", 4);

    /** A ring takes tens of milliseconds to make, and some memory: only for loops that would have used it this often. */
    private static final int WISHES = Integer.getInteger("loomlet.uring.after", 1000);

    /** After runs that took this long, what waits is sent though others are ready still. */
    static final long PATIENCE = 200_000;

    private static final Sender NOBODY = _ -> {};

    private final Loop loop;
    private @Nullable Ring ring;
    private int wishes;
    private boolean settled; // asked for, or given up
    private @Nullable Waiter[] waiters = {};
    private @Nullable Sender[] senders = {};
    private long flushes;
    private long sends;

    Sends(Loop loop) {
        this.loop = loop;
    }

    /** Whether the calling greenlet, if it is one, should send so many bytes by way of {@link #send}. */
    public boolean worthwhile(int length) {
        Ring ring = this.ring;
        if (ring == null) {
            return wish(length);
        }
        return length <= Ring.MOST && loop.readyNow() + ring.queued() >= LEAST && inFiber() && !LockStack.held();
    }

    private boolean inFiber() {
        Fiber fiber = loop.running();
        return fiber != null && fiber.thread() == Thread.currentThread();
    }

    private boolean wish(int length) {
        if (settled || length > Ring.MOST || loop.readyNow() < LEAST || ++wishes <= WISHES) {
            return false;
        }
        settled = true;
        if (WISHES < 0) { // at once: tests want all to go this way
            Ring.open().ifPresent(this::use);
            return ring != null && inFiber() && !LockStack.held();
        }
        try {
            Thread.ofPlatform().daemon().name("loomlet-io_uring").start(() -> Ring.open().ifPresent(opened -> {
                if (!loop.post(() -> use(opened))) {
                    opened.close();
                }
            }));
        } catch (OutOfMemoryError e) {
            // the system gives no more threads: no reason for this send to fail, it just goes alone
        }
        return false;
    }

    private void use(Ring opened) {
        waiters = new Waiter[Ring.ENTRIES];
        senders = new Sender[Ring.ENTRIES];
        ring = opened;
    }

    /**
     * Sends, and returns when {@code sender} has been told what became of it. Only where {@link #worthwhile} has just said so.
     *
     * @param reason what it waits for, for people
     */
    public void send(Sender sender, int socket, byte[] bytes, int offset, int length, Object reason) {
        Ring ring = this.ring;
        if (ring == null) {
            throw new IllegalStateException("no ring");
        }
        if (!ring.fits(length)) {
            flush();
            if (ring.broken()) {
                sender.sent(Ring.NOT_TRIED);
                return;
            }
        }
        int number = ring.queued();
        Waiter waiter = Waiter.again(reason);
        waiters[number] = waiter;
        senders[number] = sender;
        ring.send(socket, bytes, offset, length);
        try {
            waiter.awaitShielded();
        } catch (Throwable t) { // there is no room on the stack
            if (!waiter.ended()) { // by the time of the flush the descriptor may be another socket's
                ring.drop(number);
                senders[number] = NOBODY;
            }
            throw t;
        }
        waiter.giveBack();
    }

    /** Hands what waits to the kernel. On the loop; whoever runs there. */
    void flush() {
        Ring ring = this.ring;
        int n = ring == null ? 0 : ring.queued();
        if (ring == null || n == 0) {
            return;
        }
        ring.submit();
        flushes++;
        sends += n;
        for (int i = n - 1; i >= 0; i--) { // from the last on, since each goes in front of the others
            Waiter waiter = Objects.requireNonNull(waiters[i]);
            Fiber fiber = waiter.fiber();
            Objects.requireNonNull(senders[i]).sent(ring.result(i));
            loop.toFront = fiber != null && !fiber.wentFirst;
            waiter.resume(null);
            senders[i] = null;
            waiters[i] = null;
        }
        loop.toFront = false;
        if (ring.broken()) {
            close();
        }
    }

    /** How many sends went to the kernel together with others, and in how many system calls: for tests and statistics. */
    public long sends() {
        return sends;
    }

    public long flushes() {
        return flushes;
    }

    /** No more of it. */
    void close() {
        settled = true;
        Ring ring = this.ring;
        if (ring != null) {
            this.ring = null;
            ring.close();
        }
    }
}
