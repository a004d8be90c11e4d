package dev.loomlet.acceptance.peers;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A slow line to a server that cannot be made slow itself: what the server says arrives later. On real threads, two for each
 * connection and direction, so that what is on its way at the same time arrives at the same time.
 */
public final class SlowLine implements AutoCloseable {
    private static final Chunk END = new Chunk(0, new byte[0]);

    private final ServerSocket listening = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    private final RealThreads threads = new RealThreads();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger inside = new AtomicInteger();
    private volatile long delay;

    private static final class Chunk {
        final long due;
        final byte[] bytes;

        Chunk(long due, byte[] bytes) {
            this.due = due;
            this.bytes = bytes;
        }
    }

    /** Opens the line to a port of 127.0.0.1. */
    public SlowLine(int port) throws IOException {
        threads.execute(() -> {
            try {
                while (true) {
                    Socket client = listening.accept();
                    sockets.add(client);
                    Socket server = new Socket(InetAddress.getLoopbackAddress(), port);
                    sockets.add(server);
                    threads.execute(() -> copy(client, server));
                    threads.execute(() -> copySlowly(server, client));
                }
            } catch (IOException closed) {
                // the end
            }
        });
    }

    /** The port to connect to. */
    public int port() {
        return listening.getLocalPort();
    }

    /** How long what the server says from now on takes. */
    public void delay(Duration time) {
        delay = time.toNanos();
    }

    /** How much is on its way. */
    public int inside() {
        return inside.get();
    }

    private void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException broken) {
            // both are closed
        } finally {
            hangUp(from);
            hangUp(to);
        }
    }

    private void copySlowly(Socket from, Socket to) {
        LinkedBlockingQueue<Chunk> line = new LinkedBlockingQueue<>();
        threads.execute(() -> deliver(line, from, to));
        byte[] buffer = new byte[64 * 1024];
        try {
            for (int n = from.getInputStream().read(buffer); n > 0; n = from.getInputStream().read(buffer)) {
                inside.incrementAndGet();
                line.add(new Chunk(System.nanoTime() + delay, Arrays.copyOf(buffer, n)));
            }
        } catch (IOException broken) {
            // both are closed
        } finally {
            line.add(END);
        }
    }

    private void deliver(LinkedBlockingQueue<Chunk> line, Socket from, Socket to) {
        try {
            for (Chunk each = line.take(); each != END; each = line.take()) {
                try {
                    long left = each.due - System.nanoTime();
                    while (left > 0 && !to.isClosed()) {
                        Thread.sleep(Duration.ofNanos(Math.min(left, 20_000_000))); // the client may hang up meanwhile
                        left = each.due - System.nanoTime();
                    }
                } finally {
                    inside.decrementAndGet();
                }
                if (!to.isClosed()) {
                    to.getOutputStream().write(each.bytes);
                }
            }
        } catch (IOException | InterruptedException broken) {
            // both are closed
        } finally {
            hangUp(from);
            hangUp(to);
        }
    }

    private void hangUp(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        listening.close();
        for (Socket each : sockets) {
            each.close();
        }
        threads.close();
    }
}
