package dev.loomlet.net;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.Waiter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A UDP server: each datagram gets a greenlet that runs your handler.
 *
 * {@snippet :
 * try (var server = DatagramServer.listen("127.0.0.1:9000", datagram -> datagram.reply(datagram.bytes()))) {
 *     server.serveForever();
 * }
 * }
 *
 * <p>Datagrams that have come together are received in one go. While {@code limit} handlers run it receives nothing: the
 * kernel keeps what fits into its buffer and drops the rest.
 *
 * <p><b>Errors</b> of a handler end that handler only and go to {@link Hub#onError}. <b>Threads.</b> It belongs to the hub of
 * the thread that starts it; every method may be called from any thread.
 *
 * <p>gevent's {@code DatagramServer}.
 */
public final class DatagramServer implements AutoCloseable {
    /** How many handlers run at a time unless told otherwise. */
    public static final int LIMIT = 10_000;

    private static final int LARGEST = 65_535;

    private final UdpSocket socket;
    private final Handler handler;
    private final int limit;
    private final Set<Greenlet<Void>> handlers = new LinkedHashSet<>(); // on the hub's thread
    private final Greenlet<Void> receiver;
    private volatile @Nullable Waiter full;
    private volatile boolean stopping;
    private volatile Duration grace = StreamServer.GRACE;

    /** What is done with each datagram. Called in a greenlet of its own. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Handles one datagram. Blocking code is right: a wait holds up nobody else.
         *
         * @throws Exception whatever goes wrong; it is reported to the hub's error handler
         */
        void handle(Datagram datagram) throws Exception;
    }

    /** What came, and from whom. */
    public static final class Datagram {
        private final UdpSocket at;
        private final byte[] bytes;
        private final InetSocketAddress sender;

        Datagram(UdpSocket at, byte[] bytes, InetSocketAddress sender) {
            this.at = at;
            this.bytes = bytes;
            this.sender = sender;
        }

        /** Its content, which is the caller's to change. */
        public byte[] bytes() {
            return bytes;
        }

        /** Who sent it, or says so: nobody checks that. */
        public InetSocketAddress sender() {
            return sender;
        }

        /** Sends something to the sender, from the server's address. */
        public void reply(byte[] answer) throws IOException {
            at.send(ByteBuffer.wrap(answer), sender);
        }
    }

    private DatagramServer(UdpSocket socket, int limit, Handler handler) {
        this.socket = socket;
        this.limit = limit;
        this.handler = handler;
        receiver = Hub.current().spawn("datagrams at " + Addresses.format(socket.address()), this::receive);
        receiver.link(each -> closeSocket()); // killed before its first turn, its body never runs
    }

    /**
     * A server that receives as soon as the hub runs.
     *
     * @param address {@code host:port}, {@code [ipv6]:port} or {@code :port}; port 0 picks a free one
     * @throws IOException if the address cannot be bound; the message names it
     */
    public static DatagramServer listen(String address, Handler handler) throws IOException {
        return listen(UdpSocket.bind(address), LIMIT, handler);
    }

    /**
     * With a socket of the caller's, one that has joined a multicast group for example; the server closes it.
     *
     * @param limit how many handlers run at a time
     */
    public static DatagramServer listen(UdpSocket socket, int limit, Handler handler) {
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be at least 1, not " + limit);
        }
        return new DatagramServer(socket, limit, handler);
    }

    /** Where it receives. */
    public InetSocketAddress address() {
        return socket.address();
    }

    /** The port of {@link #address}. */
    public int port() {
        return address().getPort();
    }

    /** How many handlers run. Exact on the hub's own thread. */
    public int running() {
        return handlers.size();
    }

    /** Waits until it has been stopped. A kill of the waiting greenlet, or an interrupt, stops it. */
    public void serveForever() {
        try {
            receiver.join();
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    /** Receives no more, gives running handlers a time to finish, then kills the rest. Returns when all that is done. */
    public void stop(Duration grace) {
        if (!stopping) {
            this.grace = grace;
            stopping = true;
        }
        Waiter waiter = full;
        if (waiter != null) {
            waiter.resume(null);
        }
        try {
            socket.endReceiving();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("stopping " + this, e);
        }
        if (Loomlet.current().filter(each -> each == receiver || handlers.contains(each)).isEmpty()) {
            receiver.join();
        }
    }

    /** As {@link #stop} with {@link StreamServer#GRACE}. */
    @Override
    public void close() {
        stop(StreamServer.GRACE);
    }

    private void closeSocket() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("closing " + this, e);
        }
    }

    private void receive() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(LARGEST);
        Hub hub = Hub.current();
        try {
            while (!stopping) {
                if (handlers.size() >= limit && !handlers.removeIf(Greenlet::ready)) { // killed before their first turn
                    awaitRoom();
                    continue;
                }
                buffer.clear();
                InetSocketAddress sender = socket.receive(buffer);
                byte[] bytes = new byte[buffer.flip().remaining()];
                buffer.get(bytes);
                spawn(hub, new Datagram(socket, bytes, sender));
            }
        } catch (SocketException e) {
            if (!stopping) {
                throw e;
            }
        } finally {
            stopping = true;
            try {
                Loomlet.joinAll(others(), grace);
            } finally {
                Loomlet.killAll(others(), StreamServer.GRACE);
                socket.close(); // now: handlers may still have answered
            }
        }
    }

    private void spawn(Hub hub, Datagram datagram) {
        handlers.add(hub.spawn("datagram from " + Addresses.format(datagram.sender()), () -> handle(datagram)));
    }

    private void handle(Datagram datagram) throws Exception {
        try {
            handler.handle(datagram);
        } finally {
            Loomlet.current().ifPresent(handlers::remove);
            Waiter waiter = full;
            if (waiter != null) {
                waiter.resume(null);
            }
        }
    }

    private List<Greenlet<Void>> others() {
        List<Greenlet<Void>> others = new ArrayList<>(handlers);
        Loomlet.current().ifPresent(others::remove);
        return others;
    }

    private void awaitRoom() throws IOException {
        Waiter waiter = new Waiter("a handler of " + this + " to end");
        full = waiter;
        try {
            if (handlers.size() >= limit && !stopping) {
                waiter.await(-1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted");
        } finally {
            full = null;
        }
    }

    @Override
    public String toString() {
        return "DatagramServer at " + (socket.isClosed() ? "(closed)" : Addresses.format(address()));
    }
}
