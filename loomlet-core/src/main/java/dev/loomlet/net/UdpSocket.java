package dev.loomlet.net;

import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.SocketNatives;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Nanos;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A UDP socket whose waits switch greenlets.
 *
 * {@snippet :
 * try (UdpSocket socket = UdpSocket.bind("127.0.0.1:0")) {
 *     socket.send(ByteBuffer.wrap(question), address);
 *     InetSocketAddress from = socket.receive(buffer, ofSeconds(1));
 * }
 * }
 *
 * <p>{@link #receive} gives what is there without asking the poller first, so datagrams that have come together are received
 * in one go, one system call each; it waits only when there are none. {@link #send} waits only when the kernel has no room.
 *
 * <p><b>Kill and timeout</b> end a wait; the socket can be used on, and no datagram is lost by them. Closing the socket ends
 * all waits with a {@link SocketException}. <b>Threads:</b> any; receivers at the same time take turns, and so do senders.
 *
 * <p>gevent's {@code socket} of type {@code SOCK_DGRAM}. A server: {@link DatagramServer}.
 */
public final class UdpSocket implements AutoCloseable {
    /** After so many operations in a row that did not wait, others get their turn. */
    private static final int STREAK = 64;

    private final DatagramChannel channel;
    private final FileDescriptor fd;
    private final int descriptor;
    private final Object lock = new Object();
    private final Turn receiving = new Turn();
    private final Turn sending = new Turn();
    private @Nullable Line lines; // under lock
    private volatile boolean closed;
    private volatile boolean deaf; // receives no more
    private int streak;

    private UdpSocket(DatagramChannel channel) throws IOException {
        this.channel = channel;
        channel.configureBlocking(false);
        fd = SocketNatives.descriptor(channel);
        descriptor = SocketNatives.value(fd);
    }

    /** One that is bound to a free port of all addresses when it first sends. */
    public static UdpSocket open() throws IOException {
        return new UdpSocket(DatagramChannel.open());
    }

    /**
     * One that is bound.
     *
     * @param address {@code host:port}, {@code [ipv6]:port} or {@code :port}; port 0 picks a free one
     */
    public static UdpSocket bind(String address) throws IOException {
        return bind(Addresses.parse(address));
    }

    /** As {@link #bind(String)}. */
    public static UdpSocket bind(InetSocketAddress address) throws IOException {
        return bind(address, false);
    }

    /**
     * For multicast: bound to a port of all addresses, which others on this machine may have as well; {@link #join} a group
     * then.
     *
     * @param family of the groups: a socket for IPv6 joins no group of IPv4
     */
    public static UdpSocket multicast(ProtocolFamily family, int port) throws IOException {
        DatagramChannel channel = DatagramChannel.open(family);
        return bound(channel, new InetSocketAddress(port), true);
    }

    static UdpSocket bind(InetSocketAddress address, boolean shared) throws IOException {
        return bound(DatagramChannel.open(), address, shared);
    }

    private static void ensureResolved(InetSocketAddress address) throws UnknownHostException {
        if (address.isUnresolved()) {
            throw new UnknownHostException(address.getHostString());
        }
    }

    private static UdpSocket bound(DatagramChannel channel, InetSocketAddress address, boolean shared)
            throws IOException {
        boolean done = false;
        try {
            ensureResolved(address);
            if (shared) {
                channel.setOption(java.net.StandardSocketOptions.SO_REUSEADDR, true);
            }
            channel.bind(address);
            done = true;
            return new UdpSocket(channel);
        } catch (IOException e) {
            throw new IOException("cannot bind to " + Addresses.format(address) + ": " + e.getMessage(), e);
        } finally {
            if (!done) {
                channel.close();
            }
        }
    }

    /** Where it is bound. */
    public InetSocketAddress address() {
        try {
            return channel.getLocalAddress() instanceof InetSocketAddress address ? address : new InetSocketAddress(0);
        } catch (IOException e) {
            return new InetSocketAddress(0); // it is closed
        }
    }

    /** Sets an option, such as {@link java.net.StandardSocketOptions#SO_RCVBUF}. */
    public <T> UdpSocket option(SocketOption<T> option, T value) throws IOException {
        try {
            channel.setOption(option, value);
        } catch (ClosedChannelException e) {
            throw closed();
        }
        return this;
    }

    /** An option's value. */
    public <T> T option(SocketOption<T> option) throws IOException {
        try {
            return channel.getOption(option);
        } catch (ClosedChannelException e) {
            throw closed();
        }
    }

    /** Joins a multicast group; what is sent to it comes here until the key is dropped. */
    public MembershipKey join(InetAddress group, NetworkInterface at) throws IOException {
        try {
            return channel.join(group, at);
        } catch (ClosedChannelException e) {
            throw closed();
        }
    }

    // --- receive and send

    /**
     * Waits for a datagram. What does not fit into the buffer is lost, as always with UDP.
     *
     * @return who sent it
     */
    public InetSocketAddress receive(ByteBuffer buffer) throws IOException {
        return receive(buffer, -1);
    }

    /**
     * As {@link #receive(ByteBuffer)}, for a while.
     *
     * @throws SocketTimeoutException if none came
     */
    public InetSocketAddress receive(ByteBuffer buffer, Duration timeout) throws IOException {
        return receive(buffer, Nanos.of(timeout));
    }

    private InetSocketAddress receive(ByteBuffer buffer, long nanos) throws IOException {
        long end = System.nanoTime() + nanos;
        take(receiving, nanos);
        try {
            if (deaf) {
                throw closed();
            }
            for (;;) {
                Line line = line();
                share(line);
                if (line == null || line.readable) {
                    if (channel.receive(buffer) instanceof InetSocketAddress from) {
                        return from;
                    }
                    if (line != null) {
                        line.readable = false;
                    }
                }
                long left = nanos < 0 ? -1 : end - System.nanoTime();
                if (nanos >= 0 && left <= 0) {
                    throw timedOut(nanos);
                }
                await(line, true, left);
                if (deaf) {
                    throw closed();
                }
            }
        } catch (ClosedChannelException e) {
            throw closed();
        } finally {
            receiving.leave();
        }
    }

    /**
     * Sends what is left in the buffer as one datagram.
     *
     * @throws UnknownHostException if the address is a name that was not resolved
     */
    public void send(ByteBuffer datagram, InetSocketAddress to) throws IOException {
        ensureResolved(to);
        take(sending, -1);
        try {
            int size = datagram.remaining();
            for (;;) {
                Line line = line();
                share(line);
                if (line == null || line.writable) {
                    if (channel.send(datagram, to) == size && !datagram.hasRemaining()) {
                        return;
                    }
                    if (line != null) {
                        line.writable = false;
                    }
                }
                await(line, false, -1);
            }
        } catch (ClosedChannelException e) {
            throw closed();
        } finally {
            sending.leave();
        }
    }

    /** Lets nobody receive any more: who waits gets an error. It still sends. */
    void endReceiving() throws IOException {
        deaf = true;
        synchronized (lock) {
            for (Line each = lines; each != null; each = each.next) {
                each.wake();
            }
        }
    }

    /** Whether it was closed. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            for (Line each = lines; each != null; each = each.next) {
                each.end();
                each.wake();
            }
            channel.close();
        }
        receiving.shut();
        sending.shut();
    }

    @Override
    public String toString() {
        return "UdpSocket at " + (closed ? "(closed)" : Addresses.format(address()));
    }

    // --- waiting

    private void take(Turn turn, long nanos) throws IOException {
        if (closed) {
            throw closed();
        }
        if (turn.tryTake()) {
            return;
        }
        try {
            if (!turn.take(nanos, "a turn at " + this)) {
                throw closed ? closed() : timedOut(nanos);
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private void share(@Nullable Line line) {
        if (line != null && ++streak >= STREAK) {
            streak = 0;
            if (Thread.currentThread().isVirtual()) {
                Loomlet.yieldNow();
            }
        }
    }

    private @Nullable Line line() throws IOException {
        Loop loop = Loop.here();
        if (loop == null || !loop.poller().watchesDescriptors()) {
            return null;
        }
        synchronized (lock) {
            if (closed) {
                throw closed();
            }
            for (Line each = lines; each != null; each = each.next) {
                if (each.loop == loop) {
                    return each;
                }
            }
            Line line = new Line(loop, fd, descriptor);
            line.ensureRegistered(); // while it cannot be closed: the number could be another socket's
            line.next = lines;
            lines = line;
            return line;
        }
    }

    private void await(@Nullable Line line, boolean read, long nanos) throws IOException {
        streak = 0;
        if (line != null) {
            try {
                line.await(read, nanos, (read ? "a datagram at " : "room to send at ") + this);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        } else {
            // Closing wakes nobody who waits in the JDK's or the kernel's poll, so who waits there looks up now and then.
            long time = nanos < 0 ? LOOK_UP : Math.min(nanos, LOOK_UP);
            if (!Thread.currentThread().isVirtual()) {
                SocketNatives.pollBlocking(fd, read, time);
            } else {
                SocketNatives.pollParking(descriptor, read, time, () -> !closed);
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted while waiting at " + this);
                }
            }
        }
        if (closed) {
            throw closed();
        }
    }

    private static final long LOOK_UP = 100_000_000;

    private static SocketException closed() {
        return new SocketException("Socket closed");
    }

    private SocketTimeoutException timedOut(long nanos) {
        return new SocketTimeoutException("no datagram at " + this + " within " + Duration.ofNanos(nanos));
    }

    private static InterruptedIOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        InterruptedIOException exception = new InterruptedIOException(e.getMessage());
        exception.initCause(e);
        return exception;
    }

    /** The family of groups that are addressed so. */
    public static ProtocolFamily familyOf(InetAddress group) {
        return group instanceof java.net.Inet4Address ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    }
}
