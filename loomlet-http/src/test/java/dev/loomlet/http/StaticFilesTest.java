package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.http.Client.Answer;
import dev.loomlet.http.StaticFiles.Range;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class StaticFilesTest extends ServerTest {
    private static final String DIGITS = "0123456789";
    private static final Instant MODIFIED = Instant.parse("2026-03-01T10:20:30.456Z");
    private static final String MODIFIED_TEXT = "Sun, 01 Mar 2026 10:20:30 GMT";

    @TempDir private Path folder;

    private Path root = Path.of("");

    @BeforeEach
    void makeFiles() throws IOException {
        root = Files.createDirectory(folder.resolve("root"));
        write("digits.txt", DIGITS);
        Files.setLastModifiedTime(root.resolve("digits.txt"), FileTime.from(MODIFIED));
        write("empty.txt", "");
        write("a b&<é>.html", "odd");
        write(".secret", "secret");
        write("page.HTML", "<p>");
        write("noname", "x");
        Files.createDirectories(root.resolve("sub/deep"));
        write("sub/index.html", "the index");
        write("sub/deep/file.txt", "deep");
        Files.writeString(folder.resolve("outside.txt"), "outside");
        Files.createSymbolicLink(root.resolve("inside-link.txt"), root.resolve("digits.txt"));
        Files.createSymbolicLink(root.resolve("outside-link.txt"), folder.resolve("outside.txt"));
        Files.createSymbolicLink(root.resolve("outside-folder"), folder);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(root.resolve(name), text);
    }

    private static Answer get(Client client, String target, String... fields) throws IOException {
        return client.send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" + String.join("", fields) + "\r\n").read();
    }

    @Test
    void servesWhatIsInTheFolder() throws Exception {
        ask(StaticFiles.of(root), client -> {
            Answer digits = get(client, "/digits.txt?query=is-ignored");
            assertThat(digits.text()).isEqualTo(DIGITS);
            assertThat(digits.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
            assertThat(digits.header("Content-Length")).isEqualTo("10");
            assertThat(digits.header("Last-Modified")).isEqualTo(MODIFIED_TEXT);
            assertThat(digits.header("ETag")).matches("\"[0-9a-f]+-a\"");
            assertThat(digits.header("Accept-Ranges")).isEqualTo("bytes");
            assertThat(get(client, "/empty.txt").body()).isEmpty();
            assertThat(get(client, "/sub/").text()).isEqualTo("the index");
            assertThat(get(client, "/sub/deep/file.txt").text()).isEqualTo("deep");
            assertThat(get(client, "/a%20b&%3C%C3%A9%3E.html").text()).isEqualTo("odd");
            assertThat(get(client, "/page.HTML").header("Content-Type")).isEqualTo("text/html; charset=utf-8");
            assertThat(get(client, "/noname").header("Content-Type")).isEqualTo("application/octet-stream");
            Answer redirect = get(client, "/sub?x=y");
            assertThat(redirect.status()).isEqualTo(301);
            assertThat(redirect.header("Location")).isEqualTo("/sub/?x=y");
            Answer head = client.send("HEAD /digits.txt HTTP/1.1\r\nHost: test\r\n\r\n").read(true);
            assertThat(head.header("Content-Length")).isEqualTo("10");
            Answer post =
                    client.send("POST /digits.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").read();
            assertThat(post.status() + post.header("Allow")).isEqualTo("405GET, HEAD");
        });
        assertThat(reported).isEmpty();
    }

    @Test
    void nothingOutsideOfTheFolderIsServed() throws Exception {
        ask(StaticFiles.of(root).listing(true), client -> {
            for (String each : List.of("/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt",
                    "/%2e%2e%2foutside.txt",
                    "/sub/../../outside.txt", "/sub/%2E%2E/%2e./outside.txt", "/.%2e/outside.txt",
                    "/..%5coutside.txt",
                    "/..\\outside.txt", "//digits.txt", "/./digits.txt", "/sub//deep/file.txt", "/digits.txt%00",
                    "/digits.txt%00.html", "/.secret", "/sub/.", "/sub/..", "/outside-link.txt",
                    "/outside-folder/outside.txt",
                    "/outside-folder/", "/nothing", "/digits.txt/", "/digits.txt/x", "/sub%2fdeep%2ffile.txt",
                    "/" + "x".repeat(300), "/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd")) {
                Answer answer = get(client, each);
                assertThat(answer.status()).as(each).isEqualTo(404);
                assertThat(answer.text()).as(each).doesNotContain("outside\n").doesNotContain("root:");
            }
            for (String each : List.of("/%", "/%2", "/%zz", "/%ff", "/%c0%ae%c0%ae/outside.txt")) {
                assertThat(get(client, each).status()).as(each).isEqualTo(400);
            }
            assertThat(get(client, "/inside-link.txt").text()).isEqualTo(DIGITS);
        });
        assertThat(reported).isEmpty();
    }

    @Test
    void symbolicLinksCanBeRefused() throws Exception {
        ask(StaticFiles.of(root).symlinks(false), client -> {
            assertThat(get(client, "/inside-link.txt").status()).isEqualTo(404);
            assertThat(get(client, "/digits.txt").status()).isEqualTo(200);
        });
    }

    @Test
    void aFolderIsListedWhereThatIsWanted() throws Exception {
        HttpServer server = serve(StaticFiles.of(root).listing(true));
        HttpHandler closed = StaticFiles.of(root);
        run(() -> {
            try (Client client = new Client(server)) {
                assertThat(get(client, "/").text()).contains("<a href=\"./digits.txt\">digits.txt</a>")
                        .contains("<a href=\"./sub/\">sub/</a>").doesNotContain("secret")
                        .contains("<a href=\"./a%20b%26%3C%C3%A9%3E.html\">a b&amp;&lt;é&gt;.html</a>");
            }
            server.stop();
            HttpServer other = serve(closed);
            try (Client client = new Client(other)) {
                assertThat(get(client, "/").status()).isEqualTo(404);
            }
        });
    }

    @Test
    void aPartOfASiteCanBeAFolder() throws Exception {
        ask(new Router().get("/a", (request, response) -> response.send("route"))
                .get("/files/{path...}", StaticFiles.of(root).under("/files/")), client -> {
                    assertThat(get(client, "/files/digits.txt").text()).isEqualTo(DIGITS);
                    assertThat(get(client, "/files/sub/").text()).isEqualTo("the index");
                    assertThat(get(client, "/files/%2e%2e/outside.txt").status()).isEqualTo(404);
                    assertThat(get(client, "/a").text()).isEqualTo("route");
                });
    }

    @Test
    void conditionsAreAnswered() throws Exception {
        ask(StaticFiles.of(root), client -> {
            String tag = get(client, "/digits.txt").header("ETag");
            record Case(int status, List<String> fields) {
                Case(int status, String... fields) {
                    this(status, List.of(fields));
                }
            }
            for (Case each : List.of(
                    new Case(304, "If-None-Match: " + tag + "\r\n"),
                    new Case(304, "If-None-Match: \"x\", W/" + tag + "\r\n"),
                    new Case(304, "If-None-Match: \"x\"\r\n", "If-None-Match: " + tag + "\r\n"),
                    new Case(304, "If-None-Match: *\r\n"),
                    new Case(200, "If-None-Match: \"x\"\r\n"),
                    new Case(304, "If-Modified-Since: " + MODIFIED_TEXT + "\r\n"),
                    new Case(304, "If-Modified-Since: Sunday, 01-Mar-26 10:20:30 GMT\r\n"),
                    new Case(304, "If-Modified-Since: Sun Mar  1 10:20:30 2026\r\n"),
                    new Case(200, "If-Modified-Since: Sun, 01 Mar 2026 10:20:29 GMT\r\n"),
                    new Case(200, "If-Modified-Since: yesterday\r\n"),
                    new Case(200, "If-None-Match: \"x\"\r\n", "If-Modified-Since: " + MODIFIED_TEXT + "\r\n"),
                    new Case(412, "If-Match: \"x\"\r\n"),
                    new Case(412, "If-Match: W/" + tag + "\r\n"),
                    new Case(200, "If-Match: \"x\", " + tag + "\r\n"),
                    new Case(412, "If-Unmodified-Since: Sun, 01 Mar 2026 10:20:29 GMT\r\n"),
                    new Case(200, "If-Unmodified-Since: " + MODIFIED_TEXT + "\r\n"),
                    new Case(206, "Range: bytes=0-0\r\n", "If-Range: " + tag + "\r\n"),
                    new Case(200, "Range: bytes=0-0\r\n", "If-Range: \"x\"\r\n"),
                    new Case(200, "Range: bytes=0-0\r\n", "If-Range: W/" + tag + "\r\n"),
                    new Case(206, "Range: bytes=0-0\r\n", "If-Range: " + MODIFIED_TEXT + "\r\n"),
                    new Case(200, "Range: bytes=0-0\r\n", "If-Range: Sun, 01 Mar 2026 10:20:31 GMT\r\n"),
                    new Case(304, "Range: bytes=0-0\r\n", "If-None-Match: " + tag + "\r\n"))) {
                Answer answer = get(client, "/digits.txt", each.fields.toArray(String[]::new));
                assertThat(answer.status()).as(each.fields.toString()).isEqualTo(each.status);
                assertThat(answer.header("ETag")).isEqualTo(tag);
            }
        });
    }

    @Test
    void rangesAreServed() throws Exception {
        ask(StaticFiles.of(root), client -> {
            record Case(String range, int status, String body, String contentRange) {}
            for (Case each : List.of(
                    new Case("bytes=0-3", 206, "0123", "bytes 0-3/10"),
                    new Case("bytes=7-", 206, "789", "bytes 7-9/10"),
                    new Case("bytes=-2", 206, "89", "bytes 8-9/10"),
                    new Case("bytes=-200", 206, DIGITS, "bytes 0-9/10"),
                    new Case("Bytes=5-500", 206, "56789", "bytes 5-9/10"),
                    new Case("bytes=20-30,2-3", 206, "23", "bytes 2-3/10"),
                    new Case("bytes=10-", 416, "", "bytes */10"),
                    new Case("bytes=-0", 416, "", "bytes */10"),
                    new Case("bytes=3-2", 200, DIGITS, "(none)"),
                    new Case("bytes=a-b", 200, DIGITS, "(none)"),
                    new Case("bytes=", 200, DIGITS, "(none)"),
                    new Case("lines=0-1", 200, DIGITS, "(none)"),
                    new Case("bytes=0-9,0-9,0-9", 200, DIGITS, "(none)"),
                    new Case("bytes=" + "0-0,".repeat(200) + "1-1", 200, DIGITS, "(none)"))) {
                Answer answer = get(client, "/digits.txt", "Range: " + each.range + "\r\n");
                assertThat(answer.status() + answer.text() + answer.header("Content-Range")).as(each.range)
                        .isEqualTo(each.status + each.body + each.contentRange);
            }
            assertThat(get(client, "/empty.txt", "Range: bytes=0-\r\n").status()).isEqualTo(416);
        });
    }

    @Test
    void severalRangesComeInParts() throws Exception {
        ask(StaticFiles.of(root), client -> {
            Answer answer = get(client, "/digits.txt", "Range: bytes=0-1, -3\r\n");
            assertThat(answer.status()).isEqualTo(206);
            String type = answer.header("Content-Type");
            assertThat(type).startsWith("multipart/byteranges; boundary=");
            String line = "\r\n--" + type.substring(type.indexOf('=') + 1);
            String head = "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ";
            assertThat(answer.text()).isEqualTo(line + head + "0-1/10\r\n\r\n01" + line + head + "7-9/10\r\n\r\n789"
                    + line + "--\r\n");
            assertThat(get(client, "/digits.txt").text()).isEqualTo(DIGITS);
        });
        assertThat(StaticFiles.ranges("bytes=0-1,2-3", 4)).containsExactly(new Range(0, 1), new Range(2, 3));
    }

    @Test
    void aLargeFileIsServedAsItIsAndInParts() throws Exception {
        byte[] bytes = new byte[1_000_003];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 251);
        }
        Files.write(root.resolve("large.bin"), bytes);
        ask(StaticFiles.of(root), client -> {
            assertThat(get(client, "/large.bin").body()).isEqualTo(bytes);
            assertThat(get(client, "/large.bin", "Range: bytes=100000-299999\r\n").body())
                    .isEqualTo(java.util.Arrays.copyOfRange(bytes, 100_000, 300_000));
        });
    }

    @Test
    void whatBecomesSmallerIsCompressed() throws Exception {
        write("large.txt", "many words ".repeat(10_000));
        HttpServer server = serve(StaticFiles.of(root), builder -> builder.gzip(true));
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = get(client, "/large.txt", "Accept-Encoding: br, gzip;q=0.5\r\n");
                assertThat(answer.header("Content-Encoding")).isEqualTo("gzip");
                assertThat(answer.header("Vary")).isEqualTo("Accept-Encoding");
                assertThat(answer.header("ETag")).startsWith("W/\"");
                assertThat(answer.body().length).isLessThan(5_000);
                assertThat(new String(new GZIPInputStream(new ByteArrayInputStream(answer.body())).readAllBytes(),
                        StandardCharsets.UTF_8)).isEqualTo("many words ".repeat(10_000));
                assertThat(
                        get(client, "/large.txt", "Accept-Encoding: gzip\r\n", "If-None-Match: " + answer.header("ETag")
                                + "\r\n").status())
                        .isEqualTo(304);
                assertThat(get(client, "/large.txt").body()).hasSize(110_000);
                assertThat(get(client, "/large.txt", "Accept-Encoding: gzip;q=0\r\n").body()).hasSize(110_000);
                assertThat(get(client, "/digits.txt", "Accept-Encoding: gzip\r\n").text()).isEqualTo(DIGITS);
                assertThat(get(client, "/large.txt", "Accept-Encoding: gzip\r\n", "Range: bytes=0-3\r\n").text())
                        .isEqualTo("many");
            }
        });
    }
}
