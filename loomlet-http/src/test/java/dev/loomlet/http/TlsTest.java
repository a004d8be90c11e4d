package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.http.WebSocket.Message;
import dev.loomlet.http.WebSocket.Text;
import dev.loomlet.net.Sockets;
import dev.loomlet.net.Tls;
import dev.loomlet.sync.Event;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS. */
@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class TlsTest extends ServerTest {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final HttpHandler ECHO = (request, response) -> response.header("X-Scheme", request.scheme())
            .send(request.hasBody() ? request.bytes() : request.target().getBytes(StandardCharsets.UTF_8));

    @TempDir private static Path folder;

    private static Path first = Path.of("");
    private static Path second = Path.of("");
    private static Path other = Path.of("");
    private static Path trust = Path.of("");

    @BeforeAll
    static void makeCertificates() throws Exception {
        first = certificate("first", "SAN=dns:localhost,ip:127.0.0.1");
        second = certificate("second", "SAN=dns:localhost,ip:127.0.0.1");
        other = certificate("other", "SAN=dns:a.example");
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (Path each : List.of(first, second, other)) {
            KeyStore keys = KeyStore.getInstance(each.toFile(), PASSWORD);
            for (String alias : Collections.list(keys.aliases())) {
                trusted.setCertificateEntry(alias, keys.getCertificate(alias));
            }
        }
        trust = folder.resolve("trust.p12");
        try (OutputStream out = Files.newOutputStream(trust)) {
            trusted.store(out, PASSWORD);
        }
    }

    private static Path certificate(String name, String subjects) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name,
                "-ext", subjects, "-validity", "3650", "-keystore", store.toString(), "-storepass",
                new String(PASSWORD))
                .inheritIO().start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).isZero();
        return store;
    }

    private static Tls server(Path store) throws Exception {
        return Tls.ofKeyStore(store, PASSWORD);
    }

    private static Tls client() throws Exception {
        return Tls.ofKeyStore(trust, PASSWORD);
    }

    private static Socket connect(HttpServer server) throws IOException {
        return Sockets.connect("127.0.0.1:" + server.port());
    }

    private static Client secure(HttpServer server, Tls tls) throws IOException {
        return new Client(tls.connect(connect(server), "localhost", server.port()));
    }

    private static String name(SSLSocket socket) throws IOException {
        return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSubjectX500Principal().getName();
    }

    @Test
    void answersOverTlsAndAgreesOnHttp11() throws Exception {
        Tls tls = server(first);
        HttpServer server = serve(ECHO, builder -> builder.tls(tls));
        run(() -> {
            try (Client client = secure(server, client().alpn("h2", "http/1.1"))) {
                assertThat(((SSLSocket) client.socket).getApplicationProtocol()).isEqualTo("http/1.1");
                for (int i = 0; i < 3; i++) {
                    Client.Answer answer = client.get("/" + i).read();
                    assertThat(answer.text()).isEqualTo("/" + i);
                    assertThat(answer.header("X-Scheme")).isEqualTo("https");
                }
                client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 300000\r\n\r\n" + "x".repeat(300_000));
                assertThat(client.read().body()).hasSize(300_000);
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
                assertThat(client.read().text() + client.read().text()).isEqualTo("/a/b");
            }
            try (Client client = secure(server, client())) {
                assertThat(client.get("/x").read().text()).isEqualTo("/x");
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    /** A connection that can keep what is written to it for a while, and then sends all of it at once. */
    private static final class Holding extends Socket {
        final Socket below;
        final ByteArrayOutputStream held = new ByteArrayOutputStream();
        boolean holds;

        Holding(Socket below) {
            this.below = below;
        }

        void release() throws IOException {
            holds = false;
            below.getOutputStream().write(held.toByteArray());
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            OutputStream out = below.getOutputStream();
            return new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    (holds ? held : out).write(bytes, offset, length);
                }
            };
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return below.getInputStream();
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public InetAddress getInetAddress() {
            return below.getInetAddress();
        }

        @Override
        public SocketAddress getRemoteSocketAddress() {
            return below.getRemoteSocketAddress();
        }

        @Override
        public int getSoTimeout() throws SocketException {
            return below.getSoTimeout();
        }

        @Override
        public void setSoTimeout(int millis) throws SocketException {
            below.setSoTimeout(millis);
        }

        @Override
        public void shutdownOutput() throws IOException {
            below.shutdownOutput();
        }

        @Override
        public boolean isClosed() {
            return below.isClosed();
        }

        @Override
        public void close() throws IOException {
            super.close();
            below.close();
        }
    }

    /** What was read together with a record, and is one itself, is not waited for at the connection. */
    @Test
    void requestsInRecordsThatComeTogetherAreAllAnswered() throws Exception {
        Tls tls = server(first);
        HttpServer server = serve(ECHO, builder -> builder.tls(tls));
        run(() -> {
            try (Holding below = new Holding(connect(server));
                    Client client = new Client(client().connect(below, "localhost", server.port()))) {
                assertThat(client.get("/first").read().text()).isEqualTo("/first");
                below.holds = true;
                for (String each : List.of("/a", "/b", "/" + "c".repeat(900), "/d")) {
                    client.get(each);
                }
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n").send("e").send("f");
                below.release();
                for (String each : List.of("/a", "/b", "/" + "c".repeat(900), "/d", "ef")) {
                    assertThat(client.read().text()).isEqualTo(each);
                }
                assertThat(client.get("/last").read().text()).isEqualTo("/last");
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void theNameThatTheClientAsksForChoosesTheCertificate() throws Exception {
        KeyStore both = KeyStore.getInstance("PKCS12");
        both.load(null, null);
        for (Path each : List.of(first, other)) {
            KeyStore keys = KeyStore.getInstance(each.toFile(), PASSWORD);
            String alias = keys.aliases().nextElement();
            both.setKeyEntry(alias, keys.getKey(alias, PASSWORD), PASSWORD, keys.getCertificateChain(alias));
        }
        Path store = folder.resolve("both.p12");
        try (OutputStream out = Files.newOutputStream(store)) {
            both.store(out, PASSWORD);
        }
        Tls tls = server(store);
        HttpServer server = serve((request, response) -> response.send(request.header("Host").orElse("nobody")),
                builder -> builder.tls(tls));
        run(() -> {
            for (String[] each : new String[][] {{"a.example", "CN=other"}, {"localhost", "CN=first"}}) {
                try (Client client = new Client(client().connect(connect(server), each[0], server.port()))) {
                    assertThat(name((SSLSocket) client.socket)).isEqualTo(each[1]);
                    client.send("GET / HTTP/1.1\r\nHost: " + each[0] + "\r\n\r\n");
                    assertThat(client.read().text()).isEqualTo(each[0]);
                }
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aHandshakeThatComesToNothingConcernsNobodyElse() throws Exception {
        Tls tls = server(first).handshakeLimit(Duration.ofMillis(200));
        HttpServer server = serve(ECHO, builder -> builder.tls(tls));
        run(() -> {
            assertThatIOException().isThrownBy(() -> secure(server, client().alpn("h2")).close());
            assertThatIOException().as("nobody trusts it").isThrownBy(() -> secure(server, Tls.system()).close());
            try (Client plain = new Client(server)) {
                plain.get("/");
                plain.readAll();
            } catch (IOException e) {
                // it may be reset as well
            }
            try (Socket silent = connect(server)) {
                assertThat(silent.getInputStream().read()).as("the end of one that says nothing").isEqualTo(-1);
            }
            try (Client client = secure(server, client())) {
                assertThat(client.get("/x").read().text()).isEqualTo("/x");
            }
            assertNobodyIsLeft(server);
            assertThat(server.failedHandshakes()).isEqualTo(4);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aNewCertificateIsForNewConnections() throws Exception {
        Path store = Files.copy(first, folder.resolve("changing.p12"));
        Tls tls = server(store);
        HttpServer server = serve(ECHO, builder -> builder.tls(tls));
        run(() -> {
            try (Client old = secure(server, client())) {
                assertThat(name((SSLSocket) old.socket)).isEqualTo("CN=first");
                Files.copy(second, store, StandardCopyOption.REPLACE_EXISTING);
                tls.reload();
                try (Client young = secure(server, client())) {
                    assertThat(name((SSLSocket) young.socket)).isEqualTo("CN=second");
                    assertThat(young.get("/x").read().text()).isEqualTo("/x");
                }
                assertThat(old.get("/x").read().text()).isEqualTo("/x");
            }
        });
    }

    @Test
    void timeLimitsHoldOverTls() throws Exception {
        Duration wait = Duration.ofMillis(60);
        Tls tls = server(first);
        HttpServer server = serve(ECHO, builder -> builder.tls(tls).firstByteTimeout(wait).headTimeout(wait)
                .bodyTimeout(wait).idleTimeout(wait));
        run(() -> {
            try (Client silent = secure(server, client())) {
                assertThat(silent.isAtEnd()).isTrue();
            }
            try (Client idle = secure(server, client())) {
                assertThat(idle.get("/").read().status()).isEqualTo(200);
                assertThat(idle.isAtEnd()).isTrue();
            }
            try (Client slow = secure(server, client())) {
                assertThat(slow.send("GET / HTTP/1.1\r\nHost:").read().status()).isEqualTo(408);
                assertThat(slow.isAtEnd()).isTrue();
            }
            try (Client slow = secure(server, client())) {
                slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
                assertThat(slow.read().status()).isEqualTo(408);
                assertThat(slow.isAtEnd()).isTrue();
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aClientThatDoesNotReadIsDisconnectedThoughTlsHasALastWord() throws Exception {
        Tls tls = server(first);
        List<Throwable> thrown = new ArrayList<>();
        HttpServer server =
                serve(endless(100_000, thrown), builder -> builder.tls(tls).writeTimeout(Duration.ofMillis(80)));
        run(() -> {
            try (Socket plain = connect(server)) {
                SSLSocket socket = client().connect(plain, "localhost", server.port());
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                assertNobodyIsLeft(server);
                assertThat(thrown).isNotEmpty();
            }
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void stopClosesWhatIsIdleAndAnswersWhatIsNot() throws Exception {
        Tls tls = server(first);
        Event asked = new Event();
        Event answer = new Event();
        HttpServer server = serve(slow(asked, answer), builder -> builder.tls(tls));
        run(() -> {
            try (Client idle = secure(server, client()); Client busy = secure(server, client())) {
                assertThat(idle.get("/").read().text()).isEqualTo("done");
                busy.get("/slow");
                asked.await();
                Greenlet<Void> stop = Loomlet.spawn(() -> server.stop(Duration.ofSeconds(20)));
                assertThat(idle.isAtEnd()).isTrue();
                answer.set();
                assertThat(busy.read().text()).isEqualTo("done");
                assertThat(busy.isAtEnd()).isTrue();
                stop.join();
            }
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void theClientsOfTheJdkUnderstandIt() throws Exception {
        Tls tls = server(first);
        HttpServer server = serve(ECHO, builder -> builder.tls(tls));
        run(() -> {
            URI uri = URI.create("https://localhost:" + server.port() + "/x");
            try (HttpClient http = HttpClient.newBuilder().sslContext(client().context()).build()) {
                for (int i = 0; i < 3; i++) {
                    var answer = http.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).get();
                    assertThat(answer.body()).isEqualTo("/x");
                    assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
                }
            }
            HttpsURLConnection old = (HttpsURLConnection) uri.toURL().openConnection();
            old.setRequestProperty("Connection", "close");
            old.setSSLSocketFactory(client().context().getSocketFactory());
            try (var in = old.getInputStream()) {
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("/x");
            } finally {
                old.disconnect();
            }
        });
    }

    @Test
    void webSocketsWorkOverTls() throws Exception {
        Tls tls = server(first);
        HttpServer server = serve(WebSocket.handler(socket -> {
            for (Optional<Message> next; (next = socket.receive()).isPresent();) {
                if (next.get() instanceof Text(String text)) {
                    socket.send(text);
                }
            }
        }), builder -> builder.tls(tls).idleTimeout(Duration.ofMillis(100)));
        run(() -> {
            try (Client client = secure(server, client())) {
                client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
                assertThat(client.read().status()).isEqualTo(101);
                byte[] ping = client.socket.getInputStream().readNBytes(2);
                assertThat(ping).as("a ping after a silence, which costs nothing").containsExactly(0x89, 0);
                client.send("\u0081\u0083\u0001\u0002\u0003\u0004```");
                byte[] echo = client.socket.getInputStream().readNBytes(5);
                assertThat(new String(echo, 2, 3, StandardCharsets.US_ASCII)).isEqualTo("abc");
            }
            assertNobodyIsLeft(server);
        });
    }

    @Test
    void aClientCanBeAskedWhoItIs() throws Exception {
        Tls tls = Tls.ofKeyStore(both(), PASSWORD).clientAuthentication(Tls.ClientAuthentication.NEEDED);
        HttpServer server = serve((request, response) -> response.send(((X509Certificate) request.tls().orElseThrow()
                .getPeerCertificates()[0]).getSubjectX500Principal().getName()), builder -> builder.tls(tls));
        run(() -> {
            try (Client client = secure(server, Tls.ofKeyStore(both(), PASSWORD))) {
                assertThat(client.get("/").read().text()).isEqualTo("CN=first");
            }
            assertThatIOException().isThrownBy(() -> {
                try (Client client = secure(server, client())) { // with TLS 1.3 it hears of it at its first read
                    client.get("/").read();
                }
            });
        });
    }

    /** The first key, and trust in it. */
    private static Path both() throws Exception {
        Path store = folder.resolve("both.p12");
        KeyStore keys = KeyStore.getInstance(first.toFile(), PASSWORD);
        keys.setCertificateEntry("trusted", keys.getCertificate("first"));
        try (OutputStream out = Files.newOutputStream(store)) {
            keys.store(out, PASSWORD);
        }
        return store;
    }
}
