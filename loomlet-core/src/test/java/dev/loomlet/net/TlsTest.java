package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyException;
import java.security.KeyStoreException;
import java.security.UnrecoverableKeyException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir static Path folder;

    /** Two certificates: of localhost and 127.0.0.1, and of a.example. */
    private static Path store;

    /** One certificate, of localhost. */
    private static Path next;

    /** Trusts both. */
    private static Path trust;

    private Hub hub;
    private final List<Throwable> errors = new ArrayList<>();

    @BeforeAll
    static void makeCertificates() throws Exception {
        store = folder.resolve("server.p12");
        next = folder.resolve("next.p12");
        trust = folder.resolve("trust.p12");
        generate(store, "one", "SAN=dns:localhost,ip:127.0.0.1");
        generate(store, "two", "SAN=dns:a.example");
        generate(next, "new", "SAN=dns:localhost,ip:127.0.0.1");
        var trusted = java.security.KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (Path each : List.of(store, next)) {
            var keys = java.security.KeyStore.getInstance(each.toFile(), PASSWORD);
            for (String alias : java.util.Collections.list(keys.aliases())) {
                trusted.setCertificateEntry(alias, keys.getCertificate(alias));
            }
        }
        try (var out = Files.newOutputStream(trust)) {
            trusted.store(out, PASSWORD);
        }
    }

    private static void generate(Path store, String alias, String names) throws Exception {
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=" + alias,
                "-ext", names, "-validity", "3650", "-keystore", store.toString(), "-storepass", new String(PASSWORD))
                .inheritIO().start();
        assertThat(keytool.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(keytool.exitValue()).isZero();
    }

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> errors.add(error));
    }

    @AfterEach
    void closeHub() {
        hub.close();
        assertThat(errors).as("errors that no test asked for").isEmpty();
    }

    private static StreamServer serve(Tls tls, ConnectionHandler handler) throws IOException {
        return StreamServer.builder("127.0.0.1:0", handler).tls(tls).build().start();
    }

    private static Tls client() throws Exception {
        return Tls.ofKeyStore(trust, PASSWORD);
    }

    private static String ask(Socket socket, String question) throws IOException {
        socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readNBytes(question.length()), StandardCharsets.US_ASCII);
    }

    private static String nameOfServer(SSLSocket socket) throws IOException {
        return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSubjectX500Principal().getName();
    }

    private static SSLSocket connect(Tls tls, StreamServer server, String host) throws IOException {
        return tls.connect(Sockets.connect(server.address()), host, server.port());
    }

    @Test
    void manyClientsTalkWhileOthersShakeHands() throws Exception {
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), StreamServerTest::upper)) {
            Tls tls = client();
            Loomlet.run(() -> {
                List<Greenlet<String>> clients = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    int n = i;
                    clients.add(Loomlet.spawn(() -> {
                        try (SSLSocket socket = connect(tls, server, "localhost")) {
                            return ask(socket, "hello ") + ask(socket, "" + n);
                        }
                    }));
                }
                for (int i = 0; i < 10; i++) {
                    assertThat(clients.get(i).value()).isEqualTo("HELLO " + i);
                }
            });
        }
    }

    private static void writePem(Path from, String alias, Path certificate, Path key) throws Exception {
        var keys = java.security.KeyStore.getInstance(from.toFile(), PASSWORD);
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        Files.writeString(certificate, "a comment\n-----BEGIN CERTIFICATE-----\n"
                + lines.encodeToString(keys.getCertificate(alias).getEncoded()) + "\n-----END CERTIFICATE-----\n");
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n"
                + lines.encodeToString(keys.getKey(alias, PASSWORD).getEncoded()) + "\n-----END PRIVATE KEY-----\n");
    }

    @Test
    void keysAreDecryptedWhenTheyAreReadAndNotAtEachHandshake() throws Exception {
        var file = java.security.KeyStore.getInstance(store.toFile(), PASSWORD);
        var wrong = new java.security.KeyStore.PasswordProtection("wrong".toCharArray());
        assertThatExceptionOfType(UnrecoverableKeyException.class).isThrownBy(() -> file.getEntry("two", wrong));
        var read = MemoryKeys.of(file, PASSWORD);
        var certificate = read.getCertificate("two");
        assertThat(read.getEntry("two", wrong)).isInstanceOfSatisfying(java.security.KeyStore.PrivateKeyEntry.class,
                entry -> {
                    assertThat(entry.getPrivateKey()).isNotNull();
                    assertThat(entry.getCertificate()).isEqualTo(certificate);
                });
        assertThat(java.util.Collections.list(read.aliases())).containsExactlyInAnyOrder("one", "two");
        assertThatExceptionOfType(UnrecoverableKeyException.class)
                .isThrownBy(() -> MemoryKeys.of(file, "wrong".toCharArray()));
    }

    @Test
    void textFilesServeAsWellAndCanBeReadAgain() throws Exception {
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        writePem(store, "one", certificate, key);
        Tls tls = Tls.ofPem(certificate, key);
        try (StreamServer server = serve(tls, StreamServerTest::upper)) {
            Loomlet.run(() -> {
                for (String name : List.of("CN=one", "CN=new")) {
                    try (SSLSocket socket = connect(client(), server, "localhost")) {
                        assertThat(ask(socket, "hello")).isEqualTo("HELLO");
                        assertThat(((X509Certificate) socket.getSession().getPeerCertificates()[0])
                                .getSubjectX500Principal().getName()).isEqualTo(name);
                    }
                    writePem(next, "new", certificate, key);
                    tls.reload();
                }
            });
        }
        Files.writeString(key, "-----BEGIN EC PRIVATE KEY-----\nMHc=\n-----END EC PRIVATE KEY-----\n");
        assertThatExceptionOfType(KeyException.class).isThrownBy(tls::reload)
                .withMessageContaining("of another form, EC").withMessageContaining("openssl pkcs8");
        Files.writeString(key, "nothing");
        assertThatExceptionOfType(KeyException.class).isThrownBy(tls::reload).withMessageContaining("no private key");
        Files.writeString(certificate, "nothing");
        assertThatExceptionOfType(CertificateException.class).isThrownBy(tls::reload)
                .withMessageContaining(certificate.toString());
    }

    @Test
    void muchIsCarriedBothWaysAtOnce() throws Exception {
        byte[] sent = new byte[2_000_000];
        new Random(1).nextBytes(sent);
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD),
                socket -> socket.getInputStream().transferTo(socket.getOutputStream()))) {
            Tls tls = client();
            Loomlet.run(() -> {
                try (SSLSocket socket = connect(tls, server, "localhost")) {
                    Greenlet<Void> writer = Loomlet.spawn(() -> socket.getOutputStream().write(sent));
                    assertThat(Arrays.equals(socket.getInputStream().readNBytes(sent.length), sent)).isTrue();
                    writer.value();
                }
            });
        }
    }

    @Test
    void theCertificateIsTheOneOfTheNameThatTheClientAsksFor() throws Exception {
        List<String> asked = new ArrayList<>();
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), socket -> {
            ((ExtendedSSLSession) ((SSLSocket) socket).getSession()).getRequestedServerNames()
                    .forEach(each -> asked.add(((SNIHostName) each).getAsciiName()));
            StreamServerTest.upper(socket);
        })) {
            Tls tls = client();
            Loomlet.run(() -> {
                for (String[] each : new String[][] {{"a.example", "CN=two"}, {"localhost", "CN=one"},
                    {"127.0.0.1", "CN=one"}}) {
                    try (SSLSocket socket = connect(tls, server, each[0])) {
                        assertThat(nameOfServer(socket)).isEqualTo(each[1]);
                        assertThat(ask(socket, "x")).isEqualTo("X");
                    }
                }
                assertThatExceptionOfType(SSLHandshakeException.class)
                        .isThrownBy(() -> connect(tls, server, "b.example"));
            });
            assertThat(asked).contains("a.example", "localhost").doesNotContain("127.0.0.1");
        }
    }

    @Test
    void protocolsAreAgreedOn() throws Exception {
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD).alpn("h2", "http/1.1"),
                StreamServerTest::upper)) {
            Tls tls = client();
            Loomlet.run(() -> {
                try (SSLSocket socket = connect(tls.alpn("http/1.1", "h2"), server, "localhost")) {
                    assertThat(socket.getApplicationProtocol()).as("the server's choice").isEqualTo("h2");
                }
                try (SSLSocket socket = connect(tls, server, "localhost")) {
                    assertThat(socket.getApplicationProtocol()).isEmpty();
                }
                assertThatIOException().isThrownBy(() -> {
                    try (SSLSocket socket = connect(tls.alpn("smtp"), server, "localhost")) {
                        ask(socket, "x");
                    }
                });
            });
        }
    }

    @Test
    void aSessionIsResumed() throws Exception {
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), StreamServerTest::upper)) {
            Tls tls = client();
            Loomlet.run(() -> {
                long created;
                try (SSLSocket socket = connect(tls, server, "localhost")) {
                    assertThat(ask(socket, "x")).isEqualTo("X"); // the ticket comes after the handshake
                    created = socket.getSession().getCreationTime();
                }
                while (System.currentTimeMillis() == created) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
                try (SSLSocket socket = connect(tls, server, "localhost")) {
                    assertThat(socket.getSession().getCreationTime()).isEqualTo(created);
                }
                try (SSLSocket socket = connect(client(), server, "localhost")) {
                    assertThat(socket.getSession().getCreationTime()).isGreaterThan(created);
                }
            });
        }
    }

    @Test
    void aNewCertificateIsUsedAfterAReloadAndOpenConnectionsGoOn() throws Exception {
        Path file = Files.copy(store, folder.resolve("reloaded.p12"));
        Tls tls = Tls.ofKeyStore(file, PASSWORD);
        try (StreamServer server = serve(tls.alpn("x"), StreamServerTest::upper)) {
            Loomlet.run(() -> {
                try (SSLSocket before = connect(client(), server, "localhost")) {
                    assertThat(nameOfServer(before)).isEqualTo("CN=one");
                    Files.writeString(file, "not a key store");
                    assertThatExceptionOfType(KeyStoreException.class).isThrownBy(tls::reload);
                    try (SSLSocket still = connect(client(), server, "localhost")) {
                        assertThat(nameOfServer(still)).isEqualTo("CN=one");
                    }
                    Files.copy(next, file, StandardCopyOption.REPLACE_EXISTING);
                    tls.reload();
                    try (SSLSocket after = connect(client(), server, "localhost")) {
                        assertThat(nameOfServer(after)).isEqualTo("CN=new");
                    }
                    assertThat(ask(before, "on")).isEqualTo("ON");
                }
            });
        }
    }

    @Test
    void aClientThatNeverGreetsIsTurnedAwayInTimeAndDelaysNobody() throws Exception {
        Tls tls = Tls.ofKeyStore(store, PASSWORD).handshakeLimit(Duration.ofMillis(300));
        try (StreamServer server = serve(tls, StreamServerTest::upper)) {
            Loomlet.run(() -> {
                try (Socket silent = Sockets.connect(server.address());
                        Socket slow = Sockets.connect(server.address())) {
                    Greenlet<Void> drip = Loomlet.spawn(() -> {
                        for (;;) { // a byte now and then keeps a limit for each read from ending it
                            slow.getOutputStream().write(22);
                            Loomlet.sleep(Duration.ofMillis(20));
                        }
                    });
                    try (SSLSocket socket = connect(client(), server, "localhost")) {
                        assertThat(ask(socket, "x")).isEqualTo("X");
                    }
                    assertThat(silent.getInputStream().read()).isEqualTo(-1);
                    drip.join();
                    assertThat(server.failedHandshakes()).isEqualTo(2);
                    errors.clear(); // the drip's: its connection was closed
                }
            });
        }
    }

    @Test
    void aClientThatDoesNotReadCannotHoldAHandlerByItsLastWord() throws Exception {
        var handler = new CompletableFuture<Greenlet<?>>();
        byte[] much = new byte[1 << 20];
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), socket -> {
            handler.complete(Loomlet.current().orElseThrow());
            Loomlet.withTimeout(Duration.ofMillis(200), () -> {
                for (;;) {
                    socket.getOutputStream().write(much);
                }
            }, "the client does not read");
        })) {
            Loomlet.run(() -> {
                try (SSLSocket socket = connect(client(), server, "localhost")) {
                    socket.startHandshake();
                    assertThat(handler.get().join(Duration.ofSeconds(20))).as("has ended").isTrue();
                    assertThat(server.connections()).isZero();
                }
            });
        }
    }

    @Test
    void whatIsNoTlsIsTheClientsFaultAndNoErrorOfTheServer() throws Exception {
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), StreamServerTest::upper)) {
            Loomlet.run(() -> {
                try (Socket socket = Sockets.connect(server.address())) {
                    socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    socket.setSoTimeout(20_000);
                    socket.getInputStream().readAllBytes();
                } catch (java.net.SocketException e) {
                    assertThat(e).hasMessage("Connection reset");
                }
                assertThat(server.failedHandshakes()).isEqualTo(1);
            });
        }
    }

    @Test
    void aTimeoutOrAKillAtAReadCostsNeitherTheConnectionNorAByte() throws Exception {
        assumeTrue(Sockets.fast()); // a kill is an interrupt at the JDK's sockets, which closes them
        try (StreamServer server = serve(Tls.ofKeyStore(store, PASSWORD), socket -> {
            byte[] bytes = new byte[3];
            while (socket.getInputStream().readNBytes(bytes, 0, 3) == 3) {
                Loomlet.sleep(Duration.ofMillis(5));
                socket.getOutputStream().write(bytes);
            }
        })) {
            Loomlet.run(() -> {
                try (SSLSocket socket = connect(client(), server, "localhost")) {
                    socket.setSoTimeout(1);
                    assertThatExceptionOfType(SocketTimeoutException.class)
                            .isThrownBy(() -> socket.getInputStream().read());
                    socket.setSoTimeout(0);
                    for (int round = 0; round < 20; round++) {
                        socket.getOutputStream().write(new byte[] {1, 2, (byte) round});
                        Greenlet<Integer> reader = Loomlet.spawn(() -> socket.getInputStream().read());
                        Loomlet.yieldNow();
                        reader.kill();
                        assertThat(reader.isCancelled()).isTrue();
                        assertThat(socket.getInputStream().readNBytes(3)).containsExactly(1, 2, round);
                    }
                }
            });
        }
    }

    @Test
    void clientsAreAskedWhoTheyAre() throws Exception {
        Tls tls = Tls.ofKeyStore(store, PASSWORD).clientAuthentication(Tls.ClientAuthentication.NEEDED);
        try (StreamServer server = serve(tls, StreamServerTest::upper)) {
            Loomlet.run(() -> assertThatExceptionOfType(SSLException.class).isThrownBy(() -> {
                try (SSLSocket socket = connect(client(), server, "localhost")) {
                    ask(socket, "x");
                }
            }));
        }
    }
}
