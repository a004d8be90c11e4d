package dev.loomlet.http.guide;

import static dev.loomlet.Loomlet.sleep;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.Signals;
import dev.loomlet.http.AccessLog;
import dev.loomlet.http.EventStream;
import dev.loomlet.http.HttpHandler;
import dev.loomlet.http.HttpServer;
import dev.loomlet.http.Router;
import dev.loomlet.http.StaticFiles;
import dev.loomlet.http.WebSocket;
import dev.loomlet.http.WebSocket.Message;
import dev.loomlet.http.WebSocket.Text;
import dev.loomlet.net.Sockets;
import dev.loomlet.net.Tls;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every Java block of the chapter stands here word for word, which {@link #everyBlockOfTheChapterIsHere} holds. */
@Timeout(60)
@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class HttpGuideTest {
    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private static String find(String room, String language) {
        return room + " in " + language;
    }

    private static String create(String name) {
        return name;
    }

    /** Serves it for as long as something is done with its port. */
    private static void serving(HttpHandler handler, Use use) throws Exception {
        Loomlet.run(() -> {
            try (var server = HttpServer.listen("127.0.0.1:0", handler)) {
                use.of(server.port());
            }
        });
    }

    private interface Use {
        void of(int port) throws Exception;
    }

    private static String ask(int port, String request) throws Exception {
        try (Socket socket = Sockets.connect("127.0.0.1:" + port)) {
            socket.getOutputStream().write(request.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String get(int port, String path) throws Exception {
        return ask(port, "GET " + path + " HTTP/1.1\nHost: test\nConnection: close\n\n");
    }

    @Test
    void hello() throws Exception {
        Action program = () -> {
            try (var server = HttpServer.listen("127.0.0.1:0", (request, response) -> response.send("Hello World"))) {
                server.serveForever();
            }
        };
        Greenlet<Void> running = Loomlet.spawn(program);
        sleep(Duration.ZERO);
        assertThat(running.ready()).isFalse();
        running.kill();
    }

    @Test
    void handlers() throws Exception {
        var rooms = new Router()
                .get("/rooms/{name}",
                        (request, response) -> response
                                .send(find(request.pathParameter("name"), request.parameter("lang").orElse("en"))))
                .post("/rooms", (request, response) -> {
                    String name = create(request.text()); // waits for the body; nobody else does
                    response.status(201).header("Location", "/rooms/" + name).send();
                });
        serving(rooms, port -> {
            assertThat(get(port, "/rooms/blue?lang=de")).endsWith("blue in de");
            assertThat(ask(port, "POST /rooms HTTP/1.1\nHost: test\nConnection: close\nContent-Length: 3\n\nred"))
                    .startsWith("HTTP/1.1 201 ").contains("Location: /rooms/red\r\n");
        });
    }

    @Test
    void streams() throws Exception {
        HttpHandler upperCase = (request, response) -> {
            try (OutputStream out = response.type("text/plain").body()) {
                InputStream in = request.body();
                for (int c; (c = in.read()) >= 0;) {
                    out.write(Character.toUpperCase(c));
                }
            }
        };
        serving(upperCase, port -> assertThat(
                ask(port, "POST / HTTP/1.1\nHost: test\nConnection: close\nContent-Length: 3\n\nabc")).endsWith("ABC"));
    }

    @Test
    void filesAndLimits(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("a.txt"), "a file");
        var log = new ByteArrayOutputStream();
        Loomlet.run(() -> {
            var site = new Router()
                    .get("/rooms", (request, response) -> response.type("application/json").send("[]"))
                    .get("/{path...}", StaticFiles.of(folder).cacheControl("max-age=60"));
            var server = HttpServer.builder("127.0.0.1:0", site)
                    .maxBody(1 << 20)
                    .idleTimeout(ofSeconds(20))
                    .gzip(true)
                    .accessLog(AccessLog.combined(log))
                    .build();
            server.start();
            assertThat(get(server.port(), "/a.txt")).contains("Cache-Control: max-age=60\r\n").endsWith("a file");
            assertThat(get(server.port(), "/rooms")).endsWith("[]");
            server.close();
        });
    }

    @Test
    void https(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("store.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", "key", "-keyalg", "EC", "-dname", "CN=guide",
                "-ext", "SAN=ip:127.0.0.1", "-validity", "10", "-keystore", store.toString(), "-storepass", "secret")
                .inheritIO().start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        Files.writeString(folder.resolve("fullchain.pem"), "-----BEGIN CERTIFICATE-----\n"
                + lines.encodeToString(keys.getCertificate("key").getEncoded()) + "\n-----END CERTIFICATE-----\n");
        Files.writeString(folder.resolve("privkey.pem"), "-----BEGIN PRIVATE KEY-----\n"
                + lines.encodeToString(keys.getKey("key", "secret".toCharArray()).getEncoded())
                + "\n-----END PRIVATE KEY-----\n");
        keys.setCertificateEntry("trusted", keys.getCertificate("key"));
        try (OutputStream out = Files.newOutputStream(store)) {
            keys.store(out, "secret".toCharArray());
        }
        Tls client = Tls.ofKeyStore(store, "secret".toCharArray());
        HttpHandler site = (request, response) -> response.send(request.scheme());
        Loomlet.run(() -> {
            Tls tls = Tls.ofPem(folder.resolve("fullchain.pem"), folder.resolve("privkey.pem")); // or Tls.ofKeyStore
            var secure = HttpServer.builder("127.0.0.1:0", site).tls(tls).build().start();
            Signals.on("HUP", tls::reload); // for new connections
            try (Socket plain = Sockets.connect("127.0.0.1:" + secure.port());
                    Socket socket = client.connect(plain, "127.0.0.1", secure.port())) {
                socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                        .getBytes(StandardCharsets.UTF_8));
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                        .endsWith("https");
            }
            secure.close();
        });
    }

    @Test
    void eventsAndSockets() throws Exception {
        List<WebSocket> room = new ArrayList<>();
        var live = new Router()
                .get("/clock", (request, response) -> {
                    try (var events = EventStream.open(response)) {
                        for (;;) {
                            events.send(Instant.now().toString());
                            sleep(ofSeconds(1));
                        }
                    }
                })
                .get("/chat", WebSocket.handler(socket -> {
                    room.add(socket);
                    try {
                        for (Optional<Message> next; (next = socket.receive()).isPresent();) {
                            if (next.get() instanceof Text(String text)) {
                                for (WebSocket each : List.copyOf(room)) {
                                    each.send(text);
                                }
                            }
                        }
                    } finally {
                        room.remove(socket);
                    }
                }));
        serving(live, port -> {
            try (Socket socket = Sockets.connect("127.0.0.1:" + port)) {
                socket.getOutputStream()
                        .write("GET /clock HTTP/1.1\r\nHost: test\r\n\r\n".getBytes(StandardCharsets.UTF_8));
                StringBuilder seen = new StringBuilder();
                while (seen.indexOf("data: 2") < 0) {
                    seen.append((char) socket.getInputStream().read());
                }
            }
            try (Socket socket = Sockets.connect("127.0.0.1:" + port)) {
                socket.getOutputStream()
                        .write(("GET /chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                                .getBytes(StandardCharsets.UTF_8));
                StringBuilder seen = new StringBuilder();
                while (seen.indexOf("\r\n\r\n") < 0) {
                    seen.append((char) socket.getInputStream().read());
                }
                socket.getOutputStream().write(new byte[] {(byte) 0x81, (byte) 0x82, 0, 0, 0, 0, 'h', 'i'});
                assertThat(new String(socket.getInputStream().readNBytes(4), StandardCharsets.ISO_8859_1))
                        .isEqualTo("\u0081\u0002hi");
            }
        });
    }

    @Test
    void everyBlockOfTheChapterIsHere() throws Exception {
        Path root = Path.of("..").toAbsolutePath(); // tests run in their module
        String chapter = Files.readString(root.resolve("docs/guide/http.md"));
        String here = squeezed(Files.readString(root.resolve(
                "loomlet-http/src/test/java/dev/loomlet/http/guide/HttpGuideTest.java")));
        Matcher blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(chapter);
        int count = 0;
        while (blocks.find()) {
            assertThat(here).contains(squeezed(blocks.group(1)));
            count++;
        }
        assertThat(count).isEqualTo(7);
    }

    private static String squeezed(String text) {
        return text.replaceAll("\\s+", "");
    }
}
