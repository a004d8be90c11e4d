package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.http.Client.Answer;
import dev.loomlet.sync.Event;
import java.io.EOFException;
import java.io.OutputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF
class HttpServerTest extends ServerTest {
    private static final HttpHandler ECHO = (request, response) -> response.send(request.bytes());
    private static final HttpHandler NAME = (request, response) -> response.send(request.target());

    private static String post(String fields, String body) {
        return "POST / HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n" + body;
    }

    // --- one request after the other

    @Test
    void answersWithWhatTheHandlerSends() throws Exception {
        HttpServer server = serve((request, response) -> response.type("text/plain").send("Hello World"));
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.get("/").read();
                assertThat(answer.line()).isEqualTo("HTTP/1.1 200 OK");
                assertThat(answer.text()).isEqualTo("Hello World");
                assertThat(answer.header("Content-Type")).isEqualTo("text/plain");
                assertThat(answer.header("Content-Length")).isEqualTo("11");
                assertThat(answer.header("Date")).matches("\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT");
                assertThat(answer.headers().contains("Connection")).isFalse();
            }
            assertNobodyIsLeft(server);
        });
    }

    @Test
    void tellsTheHandlerWhatWasAsked() throws Exception {
        List<String> seen = new ArrayList<>();
        HttpServer server = serve((request, response) -> {
            seen.add(request.method() + "|" + request.path() + "|" + request.rawPath() + "|"
                    + request.query().orElse("")
                    + "|" + request.parameters() + "|" + request.protocol() + "|" + request.header("x-a").orElse("")
                    + "|" + request.headers().all("X-A") + "|" + request.remote().getAddress().isLoopbackAddress());
            response.send();
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("PATCH /a%20b/c?x=1&y=%C3%A9+z&x=2 HTTP/1.1\r\nHost: test\r\nX-A: 1\r\nx-a:  2 \r\n\r\n")
                        .read();
                assertThat(seen)
                        .containsExactly("PATCH|/a b/c|/a%20b/c|x=1&y=%C3%A9+z&x=2|{x=[1, 2], y=[é z]}|HTTP/1.1|1"
                                + "|[1, 2]|true");
            }
        });
    }

    @Test
    void keepsTheConnection() throws Exception {
        HttpServer server = serve(NAME);
        run(() -> {
            try (Client client = new Client(server)) {
                for (int i = 0; i < 50; i++) {
                    assertThat(client.get("/" + i).read().text()).isEqualTo("/" + i);
                }
                assertThat(server.connections()).isEqualTo(1);
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"1.1, '', true", "1.1, close, false", "1.1, 'x, Close', false", "1.0, '', false",
        "1.0, keep-alive, true"})
    void closesTheConnectionWhenAsked(String version, String connection, boolean stays) throws Exception {
        HttpServer server = serve(NAME);
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.send("GET /a HTTP/" + version + "\r\nHost: test\r\n"
                        + (connection.isEmpty() ? "" : "Connection: " + connection + "\r\n") + "\r\n").read();
                assertThat(answer.text()).isEqualTo("/a");
                if (stays) {
                    assertThat(client.get("/b").read().text()).isEqualTo("/b");
                } else {
                    assertThat(answer.header("Connection")).isEqualTo("close");
                    assertThat(client.isAtEnd()).isTrue();
                }
            }
        });
    }

    @Test
    void answersRequestsThatComeTogetherInTheirOrder() throws Exception {
        HttpServer server = serve((request, response) -> {
            if (request.target().endsWith("5")) {
                Loomlet.sleep(Duration.ofMillis(1));
            }
            response.send(request.target() + request.text());
        });
        run(() -> {
            try (Client client = new Client(server)) {
                StringBuilder all = new StringBuilder();
                for (int i = 0; i < 2000; i++) {
                    String body = "x".repeat(i % 7);
                    all.append("POST /").append(i).append(" HTTP/1.1\r\nHost: test\r\n")
                            .append(i % 2 == 0 ? "Content-Length: " + body.length() + "\r\n\r\n" + body
                                    : "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
                }
                Greenlet<Client> sender = Loomlet.spawn(() -> client.send(all.toString()));
                for (int i = 0; i < 2000; i++) {
                    assertThat(client.read().text()).isEqualTo("/" + i + (i % 2 == 0 ? "x".repeat(i % 7) : "abc"));
                }
                sender.join();
            }
        });
    }

    @Test
    void anAnswerDoesNotWaitForTheHandlerOfTheNextRequest() throws Exception {
        Event second = new Event();
        HttpServer server = serve((request, response) -> {
            if (request.target().equals("/2")) {
                second.await();
            }
            response.send(request.target());
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("GET /1 HTTP/1.1\r\nHost: test\r\n\r\nGET /2 HTTP/1.1\r\nHost: test\r\n\r\n"
                        + "GET /3 HTTP/1.1\r\nHost: test\r\n\r\n");
                assertThat(client.read().text()).isEqualTo("/1");
                second.set();
                assertThat(client.read().text()).isEqualTo("/2");
                assertThat(client.read().text()).isEqualTo("/3");
            }
        });
    }

    @Test
    void takesARequestThatComesByteByByte() throws Exception {
        HttpServer server = serve(ECHO);
        run(() -> {
            try (Client client = new Client(server)) {
                client.drip(post("Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"));
                assertThat(client.read().text()).isEqualTo("abcde");
                assertThat(client.get("/").read().status()).isEqualTo(200);
            }
        });
    }

    @Test
    void headHasTheHeadOfGetAndNoBody() throws Exception {
        HttpServer server = serve((request, response) -> {
            switch (request.target()) {
                case "/whole" -> response.send("Hello");
                case "/stream" -> response.body().write("Hello".getBytes(StandardCharsets.UTF_8));
                default -> response.body().write(new byte[100_000]);
            }
        });
        run(() -> {
            try (Client client = new Client(server)) {
                for (String each : List.of("/whole", "/stream")) {
                    Answer answer = client.send("HEAD " + each + " HTTP/1.1\r\nHost: test\r\n\r\n").read(true);
                    assertThat(answer.header("Content-Length")).isEqualTo("5");
                }
                Answer answer = client.send("HEAD /long HTTP/1.1\r\nHost: test\r\n\r\n").read(true);
                assertThat(answer.header("Transfer-Encoding")).isEqualTo("chunked");
                assertThat(client.get("/whole").read().text()).isEqualTo("Hello");
            }
        });
    }

    @Test
    void answersWithoutABodyHaveNone() throws Exception {
        HttpServer server =
                serve((request, response) -> response.status(Integer.parseInt(request.target().substring(1)))
                        .send(new byte[] {1, 2, 3}));
        run(() -> {
            try (Client client = new Client(server)) {
                for (int status : new int[] {204, 304}) {
                    Answer answer = client.get("/" + status).read();
                    assertThat(answer.status()).isEqualTo(status);
                    assertThat(answer.headers().contains("Content-Length")).isFalse();
                }
                assertThat(client.get("/299").read().body()).hasSize(3);
            }
        });
    }

    // --- bodies

    @Test
    void streamsBothWays() throws Exception {
        HttpServer server = serve((request, response) -> {
            try (OutputStream out = response.body()) {
                request.body().transferTo(out);
            }
        });
        run(() -> {
            byte[] bytes = new byte[3_000_000];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (i * 31 >> 3);
            }
            for (boolean chunks : new boolean[] {false, true}) {
                try (Client client = new Client(server)) {
                    Greenlet<Void> sender = Loomlet.spawn(() -> {
                        client.send(
                                post(chunks ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 3000000\r\n", ""));
                        OutputStream out = client.socket.getOutputStream();
                        for (int from = 0; from < bytes.length; from += 30_000) {
                            if (chunks) {
                                client.send(Integer.toHexString(30_000) + "\r\n");
                            }
                            out.write(bytes, from, 30_000);
                            if (chunks) {
                                client.send("\r\n");
                            }
                        }
                        if (chunks) {
                            client.send("0\r\n\r\n");
                        }
                    });
                    assertThat(Arrays.equals(client.read().body(), bytes)).isTrue();
                    sender.join();
                    assertThat(client.send(post("Content-Length: 2\r\n", "ab")).read().text()).isEqualTo("ab");
                }
            }
        });
    }

    @Test
    void aStreamIsSentAsItIsWhenItIsFlushed() throws Exception {
        Event more = new Event();
        HttpServer server = serve((request, response) -> {
            OutputStream out = response.body();
            out.write('a');
            out.flush();
            more.await();
            out.write('b');
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/");
                assertThat(client.line()).isEqualTo("HTTP/1.1 200 OK");
                while (!client.line().isEmpty()) {
                    // the head
                }
                assertThat(client.line() + client.line()).isEqualTo("1a");
                more.set();
                assertThat(client.line() + client.line() + client.line() + client.line()).isEqualTo("1b0");
            }
        });
    }

    @Test
    void aSmallStreamHasALength() throws Exception {
        HttpServer server = serve((request, response) -> response.body().write("abc".getBytes(StandardCharsets.UTF_8)));
        run(() -> {
            try (Client client = new Client(server)) {
                assertThat(client.get("/").read().header("Content-Length")).isEqualTo("3");
            }
        });
    }

    @Test
    void aClientOfHttp10GetsAStreamThatEndsWithTheConnection() throws Exception {
        HttpServer server = serve((request, response) -> response.body().write(new byte[50_000]));
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read();
                assertThat(answer.headers().contains("Transfer-Encoding")).isFalse();
                assertThat(answer.header("Connection")).isEqualTo("close");
                assertThat(answer.body()).hasSize(50_000);
            }
        });
    }

    @Test
    void aDeclaredLengthIsKept() throws Exception {
        HttpServer server = serve((request, response) -> {
            OutputStream out = response.length(20_000).body();
            out.write(new byte[Integer.parseInt(request.target().substring(1))]);
        });
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.get("/20000").read();
                assertThat(answer.header("Content-Length")).isEqualTo("20000");
                client.get("/19999");
                assertThatExceptionOfType(EOFException.class).isThrownBy(client::read);
            }
            try (Client client = new Client(server)) {
                assertThat(client.get("/20001").read().status()).isEqualTo(500);
            }
            settle();
            assertThat(reported).hasSize(2).anySatisfy(each -> assertThat(each).contains("only 19999 of the 20000"))
                    .anySatisfy(each -> assertThat(each).contains("more than the 20000"));
        });
    }

    @Test
    void trailersGoBothWays() throws Exception {
        HttpServer server = serve((request, response) -> {
            response.trailer("X-Sum", "9");
            response.send(request.text() + request.trailers().first("X-Check").orElse("none"));
        });
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.send(post("Transfer-Encoding: chunked\r\n",
                        "3\r\nabc\r\n0\r\nX-Check: 7\r\n\r\n")).read();
                assertThat(answer.text()).isEqualTo("abc7");
                assertThat(answer.trailers().first("X-Sum")).contains("9");
                assertThat(client.send(post("Content-Length: 1\r\n", "z")).read().text()).isEqualTo("znone");
            }
        });
    }

    @Test
    void aClientThatAsksIsToldToContinueWhenTheBodyIsWanted() throws Exception {
        HttpServer server = serve((request, response) -> {
            if (request.target().equals("/no")) {
                throw new HttpException(403, "no");
            }
            response.send(request.bytes());
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("PUT /yes HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
                assertThat(client.read().line()).isEqualTo("HTTP/1.1 100 Continue");
                assertThat(client.send("abc").read().text()).isEqualTo("abc");
                client.send("PUT /no HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
                Answer answer = client.read();
                assertThat(answer.status()).isEqualTo(403);
                assertThat(answer.header("Connection")).as("it may or may not send the body").isEqualTo("close");
                assertThat(client.isAtEnd()).isTrue();
            }
        });
    }

    @Test
    void whatAHandlerLeavesOfASmallBodyIsSkipped() throws Exception {
        HttpServer server = serve(NAME);
        run(() -> {
            try (Client client = new Client(server)) {
                assertThat(client.send(post("Content-Length: 20000\r\n", "x".repeat(20_000))).read().text())
                        .isEqualTo("/");
                assertThat(client.get("/next").read().text()).isEqualTo("/next");
                client.send(post("Content-Length: 1000000\r\n", "x".repeat(300_000)));
                assertThat(client.read().text()).as("answered, though it was not read").isEqualTo("/");
                assertThat(client.isAtEnd()).isTrue();
            }
        });
    }

    // --- limits

    @Test
    void whatIsTooLongIsRefused() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.maxTarget(100).maxHead(2000).maxBody(1000));
        run(() -> {
            record Case(String request, int status) {}
            for (Case each : List.of(
                    new Case("GET /" + "x".repeat(200) + " HTTP/1.1\r\nHost: test\r\n\r\n", 414),
                    new Case("GET / HTTP/1.1\r\nHost: test\r\nX: " + "x".repeat(3000) + "\r\n\r\n", 431),
                    new Case("GET / HTTP/1.1\r\nHost: test\r\n" + "X: y\r\n".repeat(1000) + "\r\n", 431),
                    new Case(post("Content-Length: 1001\r\n", "x".repeat(1001)), 413),
                    new Case(post("Content-Length: 99999999999999999999\r\n", ""), 400),
                    new Case(post("Transfer-Encoding: chunked\r\n", "400\r\n" + "x".repeat(1024) + "\r\n0\r\n\r\n"),
                            413))) {
                try (Client client = new Client(server)) {
                    Answer answer = client.send(each.request).read();
                    assertThat(answer.status()).as(each.request.substring(0, 40)).isEqualTo(each.status);
                    assertThat(answer.header("Connection")).isEqualTo("close");
                    assertThat(client.isAtEnd()).isTrue();
                }
            }
            assertNobodyIsLeft(server);
        });
    }

    @Test
    void whatTakesTooLongIsEnded() throws Exception {
        Duration wait = Duration.ofMillis(40);
        HttpServer server = serve(ECHO, builder -> builder.firstByteTimeout(wait).headTimeout(wait).bodyTimeout(wait)
                .idleTimeout(wait));
        run(() -> {
            try (Client silent = new Client(server)) {
                assertThat(silent.isAtEnd()).isTrue();
            }
            try (Client idle = new Client(server)) {
                assertThat(idle.get("/").read().status()).isEqualTo(200);
                assertThat(idle.isAtEnd()).isTrue();
            }
            try (Client slowHead = new Client(server)) {
                Answer answer = slowHead.send("GET / HTTP/1.1\r\nHost:").read();
                assertThat(answer.status()).isEqualTo(408);
                assertThat(slowHead.isAtEnd()).isTrue();
            }
            try (Client slowBody = new Client(server)) {
                assertThat(slowBody.send(post("Content-Length: 10\r\n", "abc")).read().status()).isEqualTo(408);
                assertThat(slowBody.isAtEnd()).isTrue();
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void timeLimitsMayBeAsLongAsADurationCanBe() throws Exception {
        Duration forEver = Duration.ofSeconds(Long.MAX_VALUE);
        HttpServer server = serve(Frames.ECHO, builder -> builder.firstByteTimeout(forEver).headTimeout(forEver)
                .bodyTimeout(forEver).writeTimeout(forEver).idleTimeout(forEver));
        run(() -> {
            try (Client client = new Client(server)) {
                assertThat(client.send(post("Content-Length: 3\r\n", "abc")).read().status()).isEqualTo(405);
                assertThat(client.send(Frames.HELLO + "\r\n").read().status()).isEqualTo(101);
                client.socket.getOutputStream().write(Frames.frame(0x81, "x"));
                assertThat(client.socket.getInputStream().readNBytes(3)).isEqualTo(new byte[] {(byte) 0x81, 1, 'x'});
            }
        });
    }

    @Test
    void aHeadThatDripsIsEndedAfterItsTimeInAll() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.headTimeout(Duration.ofMillis(100)));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send("GET / HTTP/1.1\r\n");
                Greenlet<Void> drip = Loomlet.spawn(() -> {
                    for (int i = 0; i < 1000; i++) {
                        Loomlet.sleep(Duration.ofMillis(5));
                        client.send("X");
                    }
                });
                assertThat(client.read().status()).isEqualTo(408);
                drip.kill();
            }
        });
    }

    @Test
    void aBodyThatDripsIsEndedWhenItIsSlowerThanTheLowestRate() throws Exception {
        HttpServer server = serve(ECHO, builder -> builder.bodyTimeout(Duration.ofMillis(200)).minRate(1000));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send(post("Content-Length: 100000\r\n", "abc"));
                Greenlet<Void> drip = Loomlet.spawn(() -> {
                    for (int i = 0; i < 1000; i++) {
                        Loomlet.sleep(Duration.ofMillis(5)); // far less than the time between bytes
                        client.send("X");
                    }
                });
                Answer answer = client.read();
                assertThat(answer.status()).isEqualTo(408);
                assertThat(answer.text()).contains("less than 1000 bytes per second");
                drip.kill();
            }
            try (Client client = new Client(server)) {
                client.send(post("Content-Length: 5000\r\n", ""));
                for (int i = 0; i < 50; i++) { // twice as fast as it has to be, or more, and longer than bodyTimeout
                    Loomlet.sleep(Duration.ofMillis(10));
                    client.send("x".repeat(100));
                }
                assertThat(client.read().body()).hasSize(5000);
            }
        });
    }

    @Test
    void aClientThatHardlyReadsIsDisconnected() throws Exception {
        HttpServer server = serve(endless(10_000, new ArrayList<>()),
                builder -> builder.writeTimeout(Duration.ofMillis(300)).minRate(100_000_000));
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/");
                long got = 0;
                long most = 2_000_000_000L;
                while (got < most) {
                    int n = client.socket.getInputStream().read(new byte[100_000]);
                    if (n < 0) {
                        break;
                    }
                    got += n;
                    Loomlet.sleep(Duration.ofMillis(5)); // 20 MB per second at most, and never 300 ms of silence
                }
                assertThat(got).isLessThan(most);
            } catch (SocketException e) {
                // reset, as what it has not read is thrown away
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aClientThatDoesNotReadIsDisconnected() throws Exception {
        List<Throwable> thrown = new ArrayList<>();
        HttpServer server = serve(endless(100_000, thrown), builder -> builder.writeTimeout(Duration.ofMillis(50)));
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/");
                awaitConnections(server, 1);
                assertNobodyIsLeft(server);
                assertThat(thrown).singleElement().asString().contains("has not read for 50 ms");
            }
            settle();
            assertThat(reported).isEmpty();
        });
    }

    // --- errors

    @Test
    void anErrorOfTheHandlerIsAnsweredOnceAndReported() throws Exception {
        HttpServer server = serve((request, response) -> {
            response.header("X-Half", "done").type("text/html");
            response.body().write('x');
            throw new IllegalStateException("broken on purpose");
        });
        run(() -> {
            try (Client client = new Client(server)) {
                for (int i = 0; i < 2; i++) {
                    Answer answer = client.get("/a").read();
                    assertThat(answer.status()).isEqualTo(500);
                    assertThat(answer.headers().contains("X-Half")).isFalse();
                    assertThat(answer.text()).doesNotContain("purpose").doesNotContain("x" + "x");
                }
            }
            settle();
            assertThat(reported).hasSize(2).allSatisfy(each -> assertThat(each).startsWith("answering GET /a for ")
                    .endsWith("IllegalStateException: broken on purpose"));
        });
    }

    @Test
    void anErrorInTheMiddleOfAnAnswerEndsTheConnectionWithoutItsEnd() throws Exception {
        HttpServer server = serve((request, response) -> {
            response.body().write(new byte[50_000]);
            throw new StackOverflowError();
        });
        run(() -> {
            try (Client client = new Client(server)) {
                assertThatExceptionOfType(EOFException.class).isThrownBy(client.get("/")::read);
            }
            settle();
            assertThat(reported).hasSize(1);
            assertNobodyIsLeft(server);
        });
    }

    @Test
    void anHttpExceptionIsTheAnswer() throws Exception {
        HttpServer server = serve((request, response) -> {
            throw new HttpException(418, "a teapot");
        });
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.get("/").read();
                assertThat(answer.status()).isEqualTo(418);
                assertThat(answer.text()).isEqualTo("a teapot\n");
                assertThat(client.get("/").read().status()).isEqualTo(418);
            }
            settle();
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aClientThatLeavesIsNobodysError() throws Exception {
        Event entered = new Event();
        Event left = new Event();
        HttpServer server = serve((request, response) -> {
            if (request.target().equals("/body")) {
                request.bytes();
                return;
            }
            entered.set();
            left.await();
            for (int i = 0; i < 100; i++) {
                response.body().write(new byte[100_000]);
            }
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/");
                entered.await();
            }
            left.set();
            try (Client client = new Client(server)) {
                client.send("POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
            }
            try (Client client = new Client(server)) {
                client.send("GET / HT");
            }
            assertNobodyIsLeft(server);
            settle();
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void aHeaderFieldCannotBeForged() throws Exception {
        HttpServer server = serve((request, response) -> {
            assertThatIllegalArgumentException().isThrownBy(() -> response.header("X", "a\r\nSet-Cookie: b"));
            assertThatIllegalArgumentException().isThrownBy(() -> response.header("X: a\r\nY", "b"));
            assertThatIllegalArgumentException().isThrownBy(() -> response.type("a\nb"));
            assertThatIllegalArgumentException().isThrownBy(() -> response.header("X", "snow \u2603"));
            assertThatIllegalArgumentException().isThrownBy(() -> response.header("Transfer-Encoding", "gzip"));
            response.header("X", "caf\u00e9").send("fine");
        });
        run(() -> {
            try (Client client = new Client(server)) {
                Answer answer = client.get("/").read();
                assertThat(answer.text()).isEqualTo("fine");
                assertThat(answer.header("X")).isEqualTo("caf\u00e9");
            }
        });
    }

    @Test
    void whatWasAnsweredCannotBeUsedAnyMore() throws Exception {
        List<Request> requests = new ArrayList<>();
        List<Response> responses = new ArrayList<>();
        HttpServer server = serve((request, response) -> {
            requests.add(request);
            responses.add(response);
            response.send("x");
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.send(post("Content-Length: 3\r\n", "abc")).read();
                client.send(post("Content-Length: 3\r\n", "def")).read();
                assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> requests.getFirst().bytes());
                assertThatExceptionOfType(IllegalStateException.class)
                        .isThrownBy(() -> responses.getFirst().status(201));
                assertThat(requests.getFirst().method()).isEqualTo("POST");
            }
        });
    }

    // --- the end

    @Test
    void stopLetsRequestsBeAnsweredAndClosesWhatIsIdle() throws Exception {
        Event entered = new Event();
        Event leave = new Event();
        HttpServer server = serve(slow(entered, leave));
        run(() -> {
            try (Client idle = new Client(server); Client busy = new Client(server);
                    Client fresh = new Client(server)) {
                idle.get("/").read();
                busy.get("/slow");
                entered.await();
                Greenlet<Void> stop = Loomlet.spawn(() -> server.stop(Duration.ofSeconds(30)));
                assertThat(idle.isAtEnd()).isTrue();
                assertThat(fresh.isAtEnd()).isTrue();
                assertThat(stop.ready()).isFalse();
                leave.set();
                Answer answer = busy.read();
                assertThat(answer.text()).isEqualTo("done");
                assertThat(answer.header("Connection")).isEqualTo("close");
                assertThat(busy.isAtEnd()).isTrue();
                stop.join();
            }
            assertThat(server.connections()).isZero();
            assertThat(server.isStarted()).isFalse();
        });
    }

    @Test
    void stopEndsARequestThatTakesLongerThanTheGrace() throws Exception {
        Event entered = new Event();
        HttpServer server = serve((request, response) -> {
            entered.set();
            Loomlet.sleep(Duration.ofMinutes(1));
        });
        run(() -> {
            try (Client client = new Client(server)) {
                client.get("/");
                entered.await();
                server.stop(Duration.ofMillis(20));
                assertThat(client.isAtEnd()).isTrue();
                assertThat(server.connections()).isZero();
            }
            settle();
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void stopFromAnotherThreadDoesTheSame() throws Exception {
        HttpServer server = serve(NAME);
        run(() -> {
            try (Client idle = new Client(server)) {
                idle.get("/").read();
                Thread other = new Thread(() -> server.stop(Duration.ofSeconds(30)));
                other.start();
                assertThat(idle.isAtEnd()).isTrue();
                while (other.isAlive()) {
                    Loomlet.yieldNow();
                }
            }
        });
    }

    // --- other protocols

    @Test
    void anUpgradeHasTheConnectionForItself() throws Exception {
        HttpServer server = serve((request, response) -> response.header("X-A", "b").upgrade("echo", (in, out) -> {
            byte[] bytes = new byte[100];
            for (int n; (n = in.read(bytes)) > 0;) {
                out.write(bytes, 0, n);
            }
        }));
        run(() -> {
            try (Client client = new Client(server)) {
                client.send(
                        "GET / HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nearly");
                assertThat(client.line()).isEqualTo("HTTP/1.1 101 Switching Protocols");
                assertThat(client.line() + client.line() + client.line() + client.line())
                        .isEqualTo("Connection: UpgradeUpgrade: echoX-A: b");
                assertThat(new String(client.socket.getInputStream().readNBytes(5), StandardCharsets.UTF_8))
                        .isEqualTo("early");
                client.send("later");
                assertThat(new String(client.socket.getInputStream().readNBytes(5), StandardCharsets.UTF_8))
                        .isEqualTo("later");
                client.socket.shutdownOutput();
                assertThat(client.isAtEnd()).isTrue();
            }
            try (Client client = new Client(server)) {
                assertThat(client.get("/").read().status()).isEqualTo(426);
            }
        });
    }
}
