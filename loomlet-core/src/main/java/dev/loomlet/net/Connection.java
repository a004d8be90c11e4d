package dev.loomlet.net;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A socket with {@link ByteBuffer}s instead of streams, for parsers and for whoever writes several pieces at once.
 *
 * {@snippet :
 * StreamServer.listen(":8080", socket -> {
 *     Connection connection = Connection.of(socket);
 *     while (connection.read(buffer) >= 0) {
 *         connection.write(head, body);         // one packet, if they fit into one
 *     }
 * });
 * }
 *
 * <p>It goes straight to the socket where that is a {@link StreamSocket}, which the connections of {@link StreamServer} and
 * {@link Sockets} are on Linux; over any other socket, TLS for example, it uses the streams. Both may be mixed: nothing is
 * held back here.
 *
 * <p><b>Waiting.</b> A read waits until there is something, at most {@code SO_TIMEOUT}; a write until all has been taken by
 * the kernel. <b>Kill and timeout</b> do here what they do at the streams: see {@link StreamSocket}. A write that ended
 * early has moved the positions of the buffers by what was written.
 */
public final class Connection implements ScatteringByteChannel, GatheringByteChannel {
    private static final int CHUNK = 16 * 1024;

    private final Socket socket;
    private final @Nullable StreamSocket direct;

    private Connection(Socket socket) {
        this.socket = socket;
        this.direct = socket instanceof StreamSocket fast ? fast : null;
    }

    /** The connection of a socket that is connected. Nothing is read or written by this. */
    public static Connection of(Socket socket) {
        return new Connection(Objects.requireNonNull(socket));
    }

    /** The socket, for its options and addresses. */
    public Socket socket() {
        return socket;
    }

    /**
     * Reads what is there, waiting until something is.
     *
     * @return how many bytes, or -1 at the end of the stream
     */
    @Override
    public int read(ByteBuffer buffer) throws IOException {
        if (direct != null) {
            return direct.read(buffer);
        }
        if (!buffer.hasRemaining()) {
            return 0;
        }
        InputStream in = socket.getInputStream();
        if (buffer.hasArray()) {
            int n = in.read(buffer.array(), buffer.arrayOffset() + buffer.position(), buffer.remaining());
            if (n > 0) {
                buffer.position(buffer.position() + n);
            }
            return n;
        }
        byte[] bytes = new byte[Math.min(buffer.remaining(), CHUNK)];
        int n = in.read(bytes);
        if (n > 0) {
            buffer.put(bytes, 0, n);
        }
        return n;
    }

    /** Reads what is there into the buffers, one after the other; waits for the first byte only. */
    @Override
    public long read(ByteBuffer[] buffers, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffers.length);
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            ByteBuffer each = buffers[i];
            while (each.hasRemaining()) {
                if (total > 0 && socket.getInputStream().available() == 0) {
                    return total;
                }
                int n = read(each);
                if (n < 0) {
                    return total == 0 ? -1 : total;
                }
                total += n;
            }
        }
        return total;
    }

    @Override
    public long read(ByteBuffer[] buffers) throws IOException {
        return read(buffers, 0, buffers.length);
    }

    /**
     * Writes all that is left in the buffer.
     *
     * @return how many bytes that was
     */
    @Override
    public int write(ByteBuffer buffer) throws IOException {
        return (int) write(new ByteBuffer[] {buffer}, 0, 1);
    }

    /** Writes all that is left in the buffers, in as few packets as it can. */
    @Override
    public long write(ByteBuffer[] buffers) throws IOException {
        return write(buffers, 0, buffers.length);
    }

    /** As {@link #write(ByteBuffer[])}. */
    public long write(ByteBuffer first, ByteBuffer second, ByteBuffer... more) throws IOException {
        ByteBuffer[] all = new ByteBuffer[2 + more.length];
        all[0] = first;
        all[1] = second;
        System.arraycopy(more, 0, all, 2, more.length);
        return write(all);
    }

    @Override
    public long write(ByteBuffer[] buffers, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffers.length);
        ByteBuffer[] part = java.util.Arrays.copyOfRange(buffers, offset, offset + length);
        long total = 0;
        for (ByteBuffer each : part) {
            total += each.remaining();
        }
        if (direct != null) {
            direct.write(part);
            return total;
        }
        for (ByteBuffer each : part) {
            while (each.hasRemaining()) {
                byte[] bytes = new byte[Math.min(each.remaining(), CHUNK)];
                each.duplicate().get(bytes);
                socket.getOutputStream().write(bytes);
                each.position(each.position() + bytes.length);
            }
        }
        return total;
    }

    @Override
    public boolean isOpen() {
        return !socket.isClosed();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    @Override
    public String toString() {
        return "Connection with " + Addresses.format(socket.getRemoteSocketAddress());
    }
}
