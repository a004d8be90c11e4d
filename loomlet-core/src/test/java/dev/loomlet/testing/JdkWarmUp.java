package dev.loomlet.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Makes the JDK open what it opens once and keeps: the pollers of virtual threads, its marker for closed sockets. */
final class JdkWarmUp {

    private JdkWarmUp() {}

    static void run() {
        FutureTask<Void> talk = new FutureTask<>(JdkWarmUp::talkToOneself);
        Thread.ofVirtual().name("warm-up").start(talk);
        try {
            talk.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("cannot use sockets on the loopback interface", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while warming up", e);
        }
    }

    private static Void talkToOneself() throws IOException, InterruptedException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread client = Thread.startVirtualThread(() -> sendOneByte(server));
            try (Socket socket = server.accept()) {
                if (socket.getInputStream().read() != 1) {
                    throw new IOException("lost a byte on the loopback interface");
                }
            }
            client.join();
        }
        try (Selector selector = Selector.open(); SocketChannel channel = SocketChannel.open()) {
            channel.configureBlocking(false);
            channel.register(selector, 0);
            selector.selectNow();
        }
        return null;
    }

    private static void sendOneByte(ServerSocket server) {
        try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
            socket.getOutputStream().write(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
