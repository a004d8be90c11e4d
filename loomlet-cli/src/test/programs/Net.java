import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** What programs do with sockets, each part by its name. */
class Net {
    static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "plain" -> {
                http();
                timeouts();
                closing();
                options();
                urgent();
                channels();
                custom();
            }
            case "tls" -> tls(Path.of(args[1]));
            case "socks" -> socks();
            case "factory" -> {
                try {
                    Socket.setSocketImplFactory(() -> null);
                    System.out.println("mine");
                } catch (SocketException e) {
                    System.out.println(e.getMessage());
                }
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    interface Serving {
        void serve(Socket socket) throws Exception;
    }

    static Thread thread(Serving serving, Socket socket) {
        Thread thread = new Thread(() -> {
            try (socket) {
                serving.serve(socket);
            } catch (Exception e) {
                System.out.println("server: " + e);
            }
        });
        thread.start();
        return thread;
    }

    static ServerSocket serving(int connections, Serving serving) throws IOException {
        ServerSocket server = new ServerSocket(0, 50, LOOPBACK);
        new Thread(() -> {
            try {
                for (int i = 0; i < connections; i++) {
                    thread(serving, server.accept());
                }
            } catch (IOException e) {
                System.out.println("server: " + e);
            }
        }).start();
        return server;
    }

    static void hello(Socket socket) throws IOException {
        StringBuilder request = new StringBuilder();
        while (!request.toString().endsWith("\r\n\r\n")) {
            int b = socket.getInputStream().read();
            if (b < 0) {
                return;
            }
            request.append((char) b);
        }
        socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello".getBytes());
    }

    static void http() throws Exception {
        try (ServerSocket server = serving(2, Net::hello)) {
            URI uri = URI.create("http://127.0.0.1:" + server.getLocalPort() + "/");
            var connection = (HttpURLConnection) uri.toURL().openConnection();
            System.out.println("HttpURLConnection: " + new String(connection.getInputStream().readAllBytes()));
            try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
                System.out.println("HttpClient: "
                        + client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()).body());
            }
        }
    }

    static void timeouts() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (ServerSocket server = serving(1, socket -> {
            socket.getOutputStream().write('a');
            over.await();
            socket.getOutputStream().write('b');
        }); Socket socket = new Socket(LOOPBACK, server.getLocalPort())) {
            socket.setSoTimeout(50);
            InputStream in = socket.getInputStream();
            System.out.println((char) in.read());
            try {
                in.read();
            } catch (SocketTimeoutException e) {
                System.out.println(e.getMessage());
            }
            over.countDown();
            socket.setSoTimeout(0);
            System.out.println((char) in.read() + " then " + in.read());
        }
        try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
            server.setSoTimeout(20);
            server.accept();
        } catch (SocketTimeoutException e) {
            System.out.println(e.getMessage());
        }
    }

    static void closing() throws Exception {
        try (ServerSocket server = serving(2, socket -> socket.getInputStream().read())) {
            Socket socket = new Socket(LOOPBACK, server.getLocalPort());
            InputStream in = socket.getInputStream();
            Thread reader = new Thread(() -> {
                try {
                    System.out.println(in.read());
                } catch (IOException e) {
                    System.out.println(e);
                }
            });
            reader.start();
            while (reader.getState() != Thread.State.WAITING && reader.getState() != Thread.State.RUNNABLE) {
                Thread.sleep(1);
            }
            Thread.sleep(20);
            socket.close();
            reader.join();
            try {
                in.read();
            } catch (SocketException e) {
                System.out.println(e.getMessage());
            }
            try (Socket half = new Socket(LOOPBACK, server.getLocalPort())) {
                half.shutdownOutput();
                System.out.println("end: " + half.getInputStream().read());
                try {
                    half.getOutputStream();
                } catch (SocketException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
        ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
        Thread acceptor = new Thread(() -> {
            try {
                server.accept();
            } catch (IOException e) {
                System.out.println(e);
            }
        });
        acceptor.start();
        Thread.sleep(20);
        server.close();
        acceptor.join();
    }

    static void options() throws Exception {
        try (ServerSocket server = serving(1, socket -> socket.getInputStream().read());
                Socket socket = new Socket(LOOPBACK, server.getLocalPort())) {
            System.out.println(new TreeSet<>(socket.supportedOptions().stream().map(Object::toString).toList()));
            System.out.println(new TreeSet<>(server.supportedOptions().stream().map(Object::toString).toList()));
            socket.setTcpNoDelay(true);
            socket.setKeepAlive(true);
            socket.setSoLinger(true, 3);
            socket.setReuseAddress(true);
            socket.setTrafficClass(8);
            socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            System.out.println(socket.getTcpNoDelay() + " " + socket.getKeepAlive() + " " + socket.getSoLinger() + " "
                    + socket.getReuseAddress() + " " + socket.getOption(StandardSocketOptions.SO_REUSEPORT) + " "
                    + socket.getChannel() + " " + socket.getLocalAddress() + " " + socket.getInetAddress());
        }
        try (ServerSocket one = new ServerSocket(); ServerSocket two = new ServerSocket()) {
            one.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            two.setOption(StandardSocketOptions.SO_REUSEPORT, true);
            one.bind(new InetSocketAddress(LOOPBACK, 0));
            two.bind(one.getLocalSocketAddress());
            System.out.println("one port: " + (one.getLocalPort() == two.getLocalPort()));
        }
    }

    static void urgent() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
                Socket client = new Socket(LOOPBACK, server.getLocalPort()); Socket socket = server.accept()) {
            socket.setOOBInline(true);
            client.getOutputStream().write(new byte[] {1, 2});
            client.sendUrgentData(3);
            client.getOutputStream().write(4);
            client.shutdownOutput();
            System.out.println(Arrays.toString(socket.getInputStream().readAllBytes()));
        }
    }

    static void channels() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(new InetSocketAddress(LOOPBACK, 0));
                SocketChannel client = SocketChannel.open(server.getLocalAddress());
                SocketChannel accepted = server.accept()) {
            client.socket().getOutputStream().write('x');
            ByteBuffer buffer = ByteBuffer.allocate(1);
            accepted.read(buffer);
            System.out.println("channel: " + (char) buffer.get(0) + ", " + (client.socket().getChannel() == client));
        }
    }

    static void custom() throws Exception {
        class Counting extends Socket {
            int reads;

            @Override
            public InputStream getInputStream() throws IOException {
                reads++;
                return super.getInputStream();
            }
        }
        class Listening extends ServerSocket {
            Listening() throws IOException {
                super(0, 1, LOOPBACK);
            }

            @Override
            public Socket accept() throws IOException {
                Socket socket = new Counting();
                implAccept(socket);
                return socket;
            }
        }
        try (ServerSocket server = new Listening(); Socket client = new Socket(LOOPBACK, server.getLocalPort());
                Socket socket = server.accept()) {
            client.getOutputStream().write('c');
            System.out.println(socket.getClass().getSimpleName() + ": " + (char) socket.getInputStream().read() + " "
                    + ((Counting) socket).reads);
        }
    }

    static void tls(Path store) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore keys = KeyStore.getInstance(store.toFile(), password);
        KeyManagerFactory manager = KeyManagerFactory.getInstance("PKIX");
        manager.init(keys, password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(manager.getKeyManagers(), trust.getTrustManagers(), null);
        try (ServerSocket server = context.getServerSocketFactory().createServerSocket(0, 50, LOOPBACK)) {
            new Thread(() -> {
                try {
                    for (int i = 0; i < 2; i++) {
                        thread(Net::echo, server.accept());
                    }
                } catch (IOException e) {
                    System.out.println("server: " + e);
                }
            }).start();
            try (Socket plain = new Socket(LOOPBACK, server.getLocalPort());
                    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost",
                            server.getLocalPort(), true)) {
                System.out.println("layered: " + echoed(socket) + " " + socket.getSession().getProtocol());
            }
            try (Socket socket = context.getSocketFactory().createSocket(LOOPBACK, server.getLocalPort())) {
                System.out.println("direct: " + echoed(socket));
            }
        }
        try (ServerSocket server = serving(1, socket -> {
            try (Socket secure = context.getSocketFactory().createSocket(socket, (InputStream) null, true)) {
                hello(secure);
            }
        })) {
            var url = URI.create("https://localhost:" + server.getLocalPort() + "/").toURL();
            var connection = (javax.net.ssl.HttpsURLConnection) url.openConnection();
            connection.setSSLSocketFactory(context.getSocketFactory());
            System.out.println("https: " + new String(connection.getInputStream().readAllBytes()));
        }
    }

    static void echo(Socket socket) throws IOException {
        socket.getInputStream().transferTo(socket.getOutputStream());
    }

    static int echoed(Socket socket) throws Exception {
        byte[] sent = new byte[300_000];
        Arrays.setAll(new Integer[sent.length], i -> (int) (sent[i] = (byte) (i * 7)));
        Thread writer = new Thread(() -> {
            try {
                socket.getOutputStream().write(sent);
            } catch (IOException e) {
                System.out.println("writer: " + e);
            }
        });
        writer.start();
        byte[] got = socket.getInputStream().readNBytes(sent.length);
        writer.join();
        return Arrays.equals(sent, got) ? got.length : -1;
    }

    /** A SOCKS 5 server that everything is sent through, except what asks for no proxy. */
    static void socks() throws Exception {
        ByteArrayOutputStream asked = new ByteArrayOutputStream();
        try (ServerSocket target = serving(2, socket -> socket.getOutputStream().write("reached".getBytes()));
                ServerSocket proxy = serving(1, socket -> {
                    DataInputStream in = new DataInputStream(socket.getInputStream());
                    OutputStream out = socket.getOutputStream();
                    in.readByte();
                    in.skipNBytes(in.readByte());
                    out.write(new byte[] {5, 0});
                    asked.write(in.readNBytes(4));
                    in.skipNBytes(4);
                    try (Socket on = new Socket(Proxy.NO_PROXY)) {
                        on.connect(new InetSocketAddress(LOOPBACK, in.readUnsignedShort()));
                        out.write(new byte[] {5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
                        on.getInputStream().transferTo(out);
                    }
                })) {
            System.setProperty("socksProxyHost", "127.0.0.1");
            System.setProperty("socksProxyPort", "" + proxy.getLocalPort());
            System.setProperty("socksNonProxyHosts", "");
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(LOOPBACK, target.getLocalPort()));
                System.out.println(new String(socket.getInputStream().readAllBytes()) + " by way of "
                        + Arrays.toString(asked.toByteArray()));
            }
            try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK); Socket client = new Socket(Proxy.NO_PROXY)) {
                client.connect(server.getLocalSocketAddress());
                try (Socket accepted = server.accept()) {
                    client.getOutputStream().write('d');
                    System.out.println("directly: " + (char) accepted.getInputStream().read());
                }
            }
        }
    }
}
