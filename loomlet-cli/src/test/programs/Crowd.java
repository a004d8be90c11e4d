import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.util.concurrent.CountDownLatch;

/** Many clients connect before the server comes to accepting one, and each is served, although it asked for nothing. */
class Crowd {
    private static final int CLIENTS = 300;

    public static void main(String[] args) throws Exception {
        CountDownLatch greeted = new CountDownLatch(CLIENTS);
        boolean channel = args.length > 0;
        try (ServerSocket server = channel ? ServerSocketChannel.open().socket() : new ServerSocket()) {
            server.bind(null);
            Thread acceptor = new Thread(() -> {
                try {
                    for (;;) {
                        Socket socket = server.accept();
                        new Thread(() -> {
                            try (socket) {
                                socket.getOutputStream().write("welcome".getBytes());
                                greeted.await();
                            } catch (IOException | InterruptedException e) {
                                System.out.println(e);
                            }
                        }).start();
                    }
                } catch (IOException closed) {
                    System.out.println("closed");
                }
            });
            acceptor.start();
            for (int i = 0; i < CLIENTS; i++) {
                new Thread(() -> {
                    try (Socket socket = new Socket("localhost", server.getLocalPort())) {
                        if (new String(socket.getInputStream().readNBytes(7)).equals("welcome")) {
                            greeted.countDown();
                        }
                    } catch (IOException e) {
                        System.out.println(e);
                    }
                }).start();
            }
            greeted.await();
            server.close();
            acceptor.join();
        }
    }
}
