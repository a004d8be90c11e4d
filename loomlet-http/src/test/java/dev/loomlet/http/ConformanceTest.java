package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.http.Client.Answer;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What RFC 9110 (semantics) and RFC 9112 (HTTP/1.1) ask of a server, in tables: what is sent, byte for byte, and what must
 * come back. What a request must not look like is in {@link SmugglingTest}.
 */
@SuppressWarnings({"StringConcatToTextBlock", "UnusedVariable"}) // line ends are CR LF; sections are for the reader
class ConformanceTest extends ServerTest {
    private static final String DATE =
            "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT";

    /** Tells what it was asked. */
    private static final HttpHandler ECHO = (request, response) -> {
        switch (request.rawPath()) {
            case "/none" -> response.status(204).send();
            case "/same" -> response.status(304).send();
            case "/refuse" -> response.status(403).send("no");
            case "/fails" -> throw new HttpException(404, "nothing here");
            case "/stream" -> {
                for (int i = 0; i < 3; i++) {
                    response.body().write(("part " + i + ";").getBytes(StandardCharsets.US_ASCII));
                    response.body().flush();
                }
            }
            default -> response.send(request.method() + " " + request.target() + " " + request.text()
                    + request.trailers().all("X-T"));
        }
    };

    /** All that comes, until the server closes; the requests of a table say so by themselves. */
    private static List<Answer> talk(HttpServer server, String text) throws IOException {
        List<Answer> answers = new ArrayList<>();
        try (Client client = new Client(server)) {
            client.socket.setSoTimeout(10_000);
            client.send(text);
            client.socket.shutdownOutput();
            boolean head = text.startsWith("HEAD ");
            for (;;) {
                try {
                    answers.add(client.read(head && answers.isEmpty()));
                } catch (EOFException | SocketException e) {
                    return answers;
                }
            }
        }
    }

    private static String statuses(List<Answer> answers) {
        return String.join(" ", answers.stream().map(each -> String.valueOf(each.status())).toList());
    }

    private static final String LAST = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private record Exchange(String section, String request, String statuses) {}

    private static Exchange of(String section, String request, String statuses) {
        return new Exchange(section, request, statuses);
    }

    private static Exchange get(String section, String fields, String statuses) {
        return of(section, "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + LAST, statuses);
    }

    @Test
    void requestsGetTheStatusThatTheyShould() throws Exception {
        String h = " HTTP/1.1\r\nHost: a\r\n";
        List<Exchange> table = List.of(
                // methods and targets
                of("9110 9.1, methods are case-sensitive", "get /" + h + "\r\n" + LAST, "200 200"),
                of("9110 9.1, unknown methods are the handler's", "BREW /" + h + "\r\n" + LAST, "200 200"),
                of("9110 9.3.6, no proxy", "CONNECT a:80" + h + "Connection: close\r\n\r\n", "501"),
                of("9110 9.3.7", "OPTIONS *" + h + "\r\n" + LAST, "200 200"),
                of("9112 3.2.2, absolute form", "GET http://a/x" + h + "\r\n" + LAST, "200 200"),
                of("9112 3.2.2, without a path", "GET http://a?q" + h + "\r\n" + LAST, "200 200"),
                of("9112 3.2.4, asterisk for OPTIONS only", "GET *" + h + "\r\n" + LAST, "400"),
                of("9112 3.2.1, a fragment is no part of a target", "GET /a#b" + h + "\r\n" + LAST, "400"),
                of("9112 3, too long", "GET /" + "x".repeat(9000) + h + "\r\n" + LAST, "414"),
                get("6585 5, too large", "X: " + "y".repeat(40_000) + "\r\n", "431"),
                get("6585 5, too many", "X: y\r\n".repeat(9000), "431"),
                // Host
                of("9112 3.2, Host missing", "GET / HTTP/1.1\r\n\r\n" + LAST, "400"),
                get("9112 3.2, Host twice", "Host: a\r\n", "400"),
                of("9112 3.2, Host invalid", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + LAST, "400"),
                of("9112 3.2, Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n" + LAST, "200 200"),
                of("9112 3.2, HTTP/1.0 needs none", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST,
                        "200 200"),
                // versions
                of("9112 2.3, 0.9", "GET /\r\n" + LAST, "505"),
                of("9110 15.6.6, 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n" + LAST, "505"),
                of("9112 2.3, letters", "GET / HTTP/x.y\r\nHost: a\r\n\r\n" + LAST, "505"),
                // fields
                get("9112 5, no space before the colon", "X : y\r\n", "400"),
                get("9112 5.2, folded", "X: y\r\n z\r\n", "400"),
                get("9112 2.2, bare LF", "X: y\nZ: z\r\n", "400"),
                get("9112 2.2, bare CR", "X: y\rz\r\n", "400"),
                of("9112 2.2, empty lines before a request", "\r\n\r\nGET /" + h + "\r\n" + LAST, "200 200"),
                get("9110 5.5, spaces around a value", "X: \t y \t \r\n", "200 200"),
                get("9110 5.5, an empty value", "X:\r\n", "200 200"),
                get("9110 5.5, beyond ASCII", "X: \u00e9\r\n", "200 200"),
                // bodies
                of("9112 6.2", "POST /" + h + "Content-Length: 3\r\n\r\nabc" + LAST, "200 200"),
                of("9112 6.3, none", "POST /" + h + "\r\n" + LAST, "200 200"),
                of("9110 9.3.1, a body of GET", "GET /" + h + "Content-Length: 3\r\n\r\nabc" + LAST, "200 200"),
                of("9112 6.3, two lengths", "POST /" + h + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd" + LAST,
                        "400"),
                of("9112 6.3, a list of lengths", "POST /" + h + "Content-Length: 3, 3\r\n\r\nabc" + LAST, "400"),
                of("9112 6.1, both", "POST /" + h + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                        + LAST, "400"),
                of("9112 6.1, chunked not last",
                        "POST /" + h + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + LAST,
                        "400"),
                of("9112 6.1, HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + LAST,
                        "400"),
                of("9112 7.1", "POST /" + h + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + LAST,
                        "200 200"),
                of("9112 7.1, hexadecimal in both cases, leading zeros", "POST /" + h
                        + "Transfer-Encoding: chunked\r\n\r\n00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n" + LAST,
                        "200 200"),
                of("9112 7.1, too large a size", "POST /" + h
                        + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nabc\r\n0\r\n\r\n" + LAST, "400"),
                of("9112 7.1.1, extensions", "POST /" + h
                        + "Transfer-Encoding: chunked\r\n\r\n3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n" + LAST, "200 200"),
                of("9112 7.1.2, trailers", "POST /" + h
                        + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: y\r\nContent-Length: 7\r\n\r\n" + LAST,
                        "200 200"),
                // expectations
                of("9110 10.1.1, needless when the body is there", "POST /" + h
                        + "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc" + LAST, "200 200"),
                of("9110 10.1.1, when it is not", "POST /" + h + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                        "100"),
                get("9110 10.1.1, without a body", "Expect: 100-continue\r\n", "200 200"),
                of("9110 10.1.1, of HTTP/1.0", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
                        + "Content-Length: 3\r\n\r\nabc" + LAST, "200 200"),
                of("9110 10.1.1, refused", "POST /refuse" + h + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                        "403"),
                of("9110 15.5.18", "POST /" + h + "Expect: coffee\r\nContent-Length: 3\r\n\r\nabc" + LAST, "417"),
                // the end of a connection
                get("9112 9.3, persistent", "", "200 200"),
                get("9112 9.6", "Connection: close\r\n", "200"),
                get("9112 9.6, in any case, in a list", "Connection: X, CLOSE , y\r\n", "200"),
                get("9112 9.6, in a second field", "Connection: x\r\nConnection: close\r\n", "200"),
                get("9112 9.6, a part of a word is none", "Connection: closed\r\n", "200 200"),
                of("9112 9.3, HTTP/1.0", "GET / HTTP/1.0\r\n\r\n" + LAST, "200"),
                of("9112 9.3, both", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n" + LAST, "200"),
                of("9112 9.3.2, in their order",
                        "GET /1" + h + "\r\nGET /fails" + h + "\r\nGET /none" + h + "\r\n" + LAST,
                        "200 404 204 200"),
                // answers without a body: were there one, what follows could not be read
                of("9110 9.3.2, HEAD", "HEAD /" + h + "\r\n" + LAST, "200 200"),
                of("9110 9.3.2, HEAD of an error", "HEAD /fails" + h + "\r\n" + LAST, "404 200"),
                of("9110 9.3.2, HEAD of a stream", "HEAD /stream" + h + "\r\n" + LAST, "200 200"),
                of("9112 6.3, 204", "GET /none" + h + "\r\n" + LAST, "204 200"),
                of("9112 6.3, 304", "GET /same" + h + "\r\n" + LAST, "304 200"));
        HttpServer server = serve(ECHO);
        run(() -> {
            List<String> wrong = new ArrayList<>();
            for (Exchange each : table) {
                List<Answer> answers = talk(server, each.request);
                String got = statuses(answers);
                if (!got.equals(each.statuses)) {
                    wrong.add(each.section + ": " + got + " instead of " + each.statuses);
                }
                for (Answer answer : answers) {
                    if (answer.status() >= 200 && !answer.header("Date").matches(DATE)) {
                        wrong.add(each.section + ": no Date in " + answer.line());
                    }
                    boolean bodiless = answer.status() < 200 || answer.status() == 204;
                    if (bodiless && (answer.headers().contains("Content-Length")
                            || answer.headers().contains("Transfer-Encoding"))) {
                        wrong.add(each.section + ": a length of nothing in " + answer.line()); // 9110 8.6, 9112 6.1
                    }
                    if (!answer.line().startsWith("HTTP/1.1 ")) {
                        wrong.add(each.section + ": " + answer.line()); // 9112 2.3: the server's own version
                    }
                }
                if (each.statuses.endsWith("200") && !answers.isEmpty()
                        && !answers.getLast().headers().lists("Connection", "close")
                        && !each.request.contains("HTTP/1.0")) {
                    wrong.add(each.section + ": closed without saying so"); // 9112 9.6
                }
            }
            assertThat(wrong).isEmpty();
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void trailersAreNoHeaders() throws Exception {
        HttpServer server = serve((request, response) -> response.send(request.text() + request.trailers().all("Host")
                + request.headers().all("Host") + request.header("X-T").isPresent()));
        run(() -> assertThat(talk(server,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
                        + "Host: b\r\nX-T: y\r\n\r\n" + LAST))
                .extracting(Answer::text).containsExactly("x[b][a]false", "[][a]false"));
    }

    @Test
    void aWriteOfNothingIsNoChunk() throws Exception {
        HttpServer server = serve((request, response) -> {
            for (String each : List.of("", "a", "", "b", "")) {
                response.body().write(each.getBytes(StandardCharsets.US_ASCII));
                response.body().flush();
            }
        });
        run(() -> assertThat(talk(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + LAST))
                .as("9112 7.1: the chunk of size 0 is the last").extracting(Answer::text).containsExactly("ab", "ab"));
    }

    @Test
    void whatHasToBeKnownBeforeTheBodyCannotFollowIt() throws Exception {
        List<String> refused = new ArrayList<>();
        HttpServer server = serve((request, response) -> {
            for (String each : List.of("Content-Length", "transfer-encoding", "Host", "Content-Type", "Set-Cookie",
                    "Cache-Control", "Authorization", "Trailer")) {
                try {
                    response.trailer(each, "1");
                } catch (IllegalArgumentException e) {
                    refused.add(each);
                }
            }
            response.trailer("X-Sum", "7").send("x");
        });
        run(() -> {
            assertThat(talk(server, LAST).getFirst().trailers().toString()).isEqualTo("X-Sum: 7\n");
            assertThat(refused).hasSize(8);
        });
    }

    @Test
    void gzipIsSentToThoseWhoWantItAndTheAnswerSaysThatItDepends(@TempDir Path folder) throws Exception {
        String text = "words and words ".repeat(500);
        Files.writeString(folder.resolve("a.txt"), text);
        Files.write(folder.resolve("a.png"), text.getBytes(StandardCharsets.US_ASCII));
        Files.setLastModifiedTime(folder.resolve("a.txt"), FileTime.from(Instant.parse("2026-03-01T10:20:30Z")));
        HttpServer server = serve(StaticFiles.of(folder), builder -> builder.gzip(true));
        record Case(String accepts, boolean zipped) {}
        run(() -> {
            try (Client client = new Client(server)) {
                for (Case each : List.of(new Case("gzip", true), new Case("GZip", true), new Case("x-gzip", true),
                        new Case("br, gzip", true), new Case("*", true), new Case("gzip;q=0.5", true),
                        new Case("gzip; q=1.000, identity; q=0.5", true), new Case("identity;q=0, gzip;q=0.1", true),
                        new Case("*;q=0, gzip", true), new Case("deflate, br", false), new Case("gzip;q=0", false),
                        new Case("gzip;q=0.000", false), new Case("*;q=0", false), new Case("gzip;q=0, *", false),
                        new Case("identity, gzip;q=0.5", false), new Case("gzip;q=none", false), new Case("", false),
                        new Case("gzipped", false))) {
                    String ask = " /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + each.accepts + "\r\n";
                    Answer answer = client.send("GET" + ask + "\r\n").read();
                    assertThat(answer.header("Content-Encoding")).as(each.accepts)
                            .isEqualTo(each.zipped ? "gzip" : "(none)");
                    assertThat(answer.header("Vary")).as(each.accepts).isEqualTo("Accept-Encoding");
                    byte[] body = each.zipped
                            ? new GZIPInputStream(new ByteArrayInputStream(answer.body())).readAllBytes()
                            : answer.body();
                    assertThat(new String(body, StandardCharsets.US_ASCII)).isEqualTo(text);
                    Answer head = client.send("HEAD" + ask + "\r\n").read(true);
                    for (String name : List.of("Content-Encoding", "Vary", "ETag", "Content-Type", "Accept-Ranges")) {
                        assertThat(head.header(name)).as(each.accepts + ": " + name).isEqualTo(answer.header(name));
                    }
                    Answer same =
                            client.send("GET" + ask + "If-None-Match: " + answer.header("ETag") + "\r\n\r\n").read();
                    assertThat(same.status()).isEqualTo(304);
                    assertThat(same.header("Vary")).as("9110 15.4.5").isEqualTo("Accept-Encoding");
                }
                String zipped = client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").read()
                        .header("ETag");
                String plain = client.get("/a.txt").read().header("ETag");
                assertThat(zipped).as("9110 8.8.3: other bytes, another strong tag, or a weak one")
                        .isEqualTo("W/" + plain);
                assertThat(client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: " + zipped + "\r\n\r\n").read()
                        .status())
                        .as("9110 13.1.1: weak tags never match strongly").isEqualTo(412);
                assertThat(client.get("/a.png").read().headers().contains("Vary")).isFalse();
            }
        });
    }

    @Test
    void preconditionsAreTakenInTheirOrder(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("a.txt"), "0123456789");
        Files.setLastModifiedTime(folder.resolve("a.txt"), FileTime.from(Instant.parse("2026-03-01T10:20:30Z")));
        String then = "Sun, 01 Mar 2026 10:20:30 GMT\r\n";
        String before = "Sun, 01 Mar 2026 10:20:29 GMT\r\n";
        HttpServer server = serve(StaticFiles.of(folder));
        record Case(String fields, int status) {}
        run(() -> {
            try (Client client = new Client(server)) {
                String tag = client.get("/a.txt").read().header("ETag");
                for (Case each : List.of( // 9110 13.2.2
                        new Case("If-Match: *\r\n", 200), new Case("If-Match: " + tag + "\r\n", 200),
                        new Case("If-Match: " + tag + "\r\nIf-Unmodified-Since: " + before, 200),
                        new Case("If-Match: \"x\"\r\nIf-Unmodified-Since: " + then, 412),
                        new Case("If-Match: \"x\"\r\nIf-None-Match: " + tag + "\r\n", 412),
                        new Case("If-Unmodified-Since: " + before + "If-None-Match: " + tag + "\r\n", 412),
                        new Case("If-Unmodified-Since: nonsense\r\n", 200),
                        new Case("If-None-Match: " + tag + "\r\nIf-Modified-Since: " + before, 304),
                        new Case("If-None-Match: \"x\"\r\nIf-Modified-Since: " + then, 200),
                        new Case("If-None-Match: W/" + tag + "\r\n", 304),
                        new Case("If-Match: " + tag + "\r\nIf-None-Match: " + tag + "\r\n", 304),
                        new Case("If-Match: " + tag + "\r\nRange: bytes=0-1\r\n", 206),
                        new Case("If-None-Match: " + tag + "\r\nRange: bytes=0-1\r\n", 304),
                        new Case("If-Match: \"x\"\r\nRange: bytes=100-\r\n", 412),
                        new Case("If-Range: " + tag + "\r\nRange: bytes=100-\r\n", 416),
                        new Case("If-Range: \"x\"\r\nRange: bytes=100-\r\n", 200),
                        new Case("If-Range: " + tag + "\r\n", 200))) {
                    Answer answer = client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n" + each.fields + "\r\n").read();
                    assertThat(answer.status()).as(each.fields).isEqualTo(each.status);
                    Answer head = client.send("HEAD /a.txt HTTP/1.1\r\nHost: a\r\n" + each.fields + "\r\n").read(true);
                    int expected = each.status == 206 || each.status == 416 ? 200 : each.status;
                    assertThat(head.status()).as("9110 14.2, ranges are for GET: " + each.fields).isEqualTo(expected);
                }
            }
        });
    }

    @Test
    void noPathLeadsOutOfTheFolder(@TempDir Path folder) throws Exception {
        Path root = Files.createDirectory(folder.resolve("root"));
        Files.writeString(folder.resolve("secret"), "not for you");
        Files.createDirectory(root.resolve("sub"));
        Files.writeString(root.resolve("sub").resolve("file"), "file");
        Files.createSymbolicLink(root.resolve("link"), folder.resolve("secret"));
        Files.createSymbolicLink(root.resolve("up"), folder);
        HttpServer server = serve(StaticFiles.of(root).listing(true));
        run(() -> {
            for (String each : List.of("/../secret", "/%2e%2e/secret", "/%2E./secret", "/.%2e/secret",
                    "/sub/../../secret",
                    "/sub/%2e%2e/%2e%2e/secret", "/..%2fsecret", "/..%5csecret", "/..\\secret", "/sub/..%2f..%2fsecret",
                    "/%252e%252e/secret", "//../secret", "/./../secret", "/sub/./file", "/sub//file", "/..;/secret",
                    "/%c0%ae%c0%ae/secret", "/%00", "/sub/file%00.txt", "/sub/file%00", "/%", "/%2", "/%zz", "/link",
                    "/up/secret", "/up/", "/%2fetc/passwd", "//etc/passwd", "http://a/../secret", "/%ff", "/..",
                    "/%2e%2e",
                    "/..%00/secret", "/sub/%2e%2e", "/.", "/%u002e%u002e/secret")) {
                List<Answer> answers =
                        talk(server, "GET " + each + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                assertThat(answers).as(each).hasSize(1);
                assertThat(answers.getFirst().status()).as(each).isIn(400, 404);
                assertThat(answers.getFirst().text()).as(each).doesNotContain("not for you").doesNotContain("root:");
            }
            assertThat(
                    talk(server, "GET /sub/fi%6Ce HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").getFirst().text())
                    .isEqualTo("file");
            assertThat(reported).isEmpty();
        });
    }
}
