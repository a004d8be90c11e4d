package dev.loomlet.guide;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.net.Connection;
import dev.loomlet.net.ConnectionHandler;
import dev.loomlet.net.Connector;
import dev.loomlet.net.DatagramServer;
import dev.loomlet.net.Sockets;
import dev.loomlet.net.StreamServer;
import dev.loomlet.net.Tls;
import dev.loomlet.net.UdpSocket;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Locale;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The chapter "Servers and sockets": every Java block of its stands here word for word and does what the chapter says. */
@SuppressWarnings("UnusedVariable") // a snippet shows how a thing is called
class ServersGuideTest {
    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    @Test
    void everyBlockOfTheChapterIsHere() throws IOException {
        assertThat(GuideBlocks.standIn(ServersGuideTest.class, "servers.md")).isEqualTo(8);
    }

    private static String line(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8)).readLine();
    }

    @Test
    void serversAndClients() throws Exception {
        StreamServer server = StreamServer.listen("127.0.0.1:0", socket -> {
            var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                socket.getOutputStream().write((line.toUpperCase(Locale.ROOT) + "\n").getBytes(UTF_8));
            }
        });
        int port = server.port();
        Loomlet.run(() -> {
            try (Socket socket = Sockets.connect("127.0.0.1:" + port, ofSeconds(3))) {
                socket.getOutputStream().write("hello\n".getBytes(UTF_8));
                String answer = line(socket);
            }
            try (Socket socket = Sockets.connect("127.0.0.1:" + port)) {
                socket.getOutputStream().write("and\n".getBytes(UTF_8));
                assertThat(line(socket)).isEqualTo("AND");
            }
            Connector connector = Connector.create().timeout(ofSeconds(5));
            Socket direct = connector.connect("localhost", port);
            Connector hidden = connector.socks5("127.0.0.1:9050"); // or httpProxy
            try (direct) {
                direct.getOutputStream().write("again\n".getBytes(UTF_8));
                assertThat(line(direct)).isEqualTo("AGAIN");
            }
        });
        server.close();
    }

    @Test
    void aBuilder() throws Exception {
        assumeTrue(Sockets.fast());
        ConnectionHandler handler = socket -> socket.getOutputStream().write(7);
        StreamServer busy =
                StreamServer.builder("127.0.0.1:0", handler).backlog(1024).limit(500).reusePort(true).build()
                        .start();
        Loomlet.run(() -> {
            try (Socket socket = Sockets.connect(busy.address())) {
                assertThat(socket.getInputStream().read()).isEqualTo(7);
            }
        });
        busy.stop(ofSeconds(10));
    }

    /** Needs a key store: {@code TlsTest} has them and does this with them. */
    void secure(char[] password, ConnectionHandler handler) throws IOException, GeneralSecurityException {
        Tls tls = Tls.ofKeyStore(Path.of("server.p12"), password).alpn("h2", "http/1.1").handshakeLimit(ofSeconds(5));
        StreamServer secure = StreamServer.builder("127.0.0.1:0", handler).tls(tls).build().start();
    }

    void secureClient(Socket direct, int port) throws IOException {
        SSLSocket encrypted = Tls.system().connect(direct, "localhost", port);
    }

    @Test
    void buffers() throws Exception {
        ByteBuffer head = ByteBuffer.wrap("head ".getBytes(UTF_8));
        ByteBuffer body = ByteBuffer.wrap("body".getBytes(UTF_8));
        ByteBuffer buffer = ByteBuffer.allocate(100);
        StreamServer server = StreamServer.listen("127.0.0.1:0",
                each -> each.getInputStream().transferTo(each.getOutputStream()));
        Loomlet.run(() -> {
            try (Socket socket = Sockets.connect(server.address())) {
                Connection connection = Connection.of(socket);
                connection.write(head, body); // one packet, if they fit into one
                int n = connection.read(buffer);
                assertThat(n).isEqualTo(9);
            }
        });
        server.close();
    }

    @Test
    void datagrams() throws Exception {
        byte[] question = {1, 2, 3};
        ByteBuffer buffer = ByteBuffer.allocate(100);
        Loomlet.run(() -> {
            DatagramServer echo = DatagramServer.listen("127.0.0.1:0", datagram -> datagram.reply(datagram.bytes()));
            try (UdpSocket udp = UdpSocket.bind("127.0.0.1:0")) {
                udp.send(ByteBuffer.wrap(question), echo.address());
                udp.receive(buffer, ofSeconds(1));
            }
            echo.close();
        });
        assertThat(buffer.flip().remaining()).isEqualTo(3);
    }
}
