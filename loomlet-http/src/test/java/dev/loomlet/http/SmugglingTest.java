package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.http.Client.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What a server behind another one must not understand in its own way, RFC 9112. */
@SuppressWarnings("StringConcatToTextBlock") // line ends are CR LF, or meant to be wrong
class SmugglingTest extends ServerTest {
    private static final String HIDDEN = "GET /hidden HTTP/1.1\r\nHost: test\r\n\r\n";

    private static final List<String> REFUSED = List.of(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabcde",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nabcde",
            "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n",
            "GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: b\u0000c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\u0000: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX(y): c\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n",
            "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u0001 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u007f HTTP/1.1\r\nHost: a\r\n\r\n",
            "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/1.11\r\nHost: a\r\n\r\n",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n",
            "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private static final List<String> BAD_CHUNKS =
            List.of("-1\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n", "g\r\n", " 3\r\nabc\r\n",
                    "3 \r\nabc\r\n", "\r\nabc\r\n", "3\nabc\r\n", "3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabcXX0\r\n",
                    "ffffffffffffffff\r\n",
                    "3\r\nabc\r\n0\r\nX : y\r\n\r\n", "3\r\nabc\r\n0\r\nX\r\n\r\n", "3\r\nabc\r\n0\r\n X: y\r\n\r\n",
                    "3\r\nabc\r\n0\r\n\n", "3\r\nabc\r\n0\nX: y\r\n\r\n", "3;a\nb\r\nabc\r\n", "3\rabc\r\n");

    /** Sends it with a second request behind it, and gives all the answers. */
    private static List<Answer> answers(HttpServer server, String request) throws Exception {
        List<Answer> answers = new ArrayList<>();
        try (Client client = new Client(server)) {
            client.send(request + HIDDEN);
            client.socket.setSoTimeout(2000);
            for (;;) {
                try {
                    answers.add(client.read());
                } catch (java.io.EOFException | java.net.SocketException | java.net.SocketTimeoutException e) {
                    return answers;
                }
                if (answers.size() > 3) {
                    return answers;
                }
            }
        }
    }

    /** Those that are not refused, and what came back instead; also what the handler was asked. */
    private List<String> taken(List<String> requests, Predicate<Answer> refused, List<String> seen) throws Exception {
        List<String> taken = new ArrayList<>();
        HttpServer server = serve((request, response) -> {
            seen.add(request.target());
            response.send(request.bytes());
        });
        run(() -> {
            for (String each : requests) {
                List<Answer> answers = answers(server, each);
                if (answers.size() != 1 || !refused.test(answers.getFirst())) {
                    taken.add(escaped(each) + " -> " + answers.stream().map(Answer::line).toList());
                }
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
        return taken;
    }

    @Test
    void aHeadThatCouldBeReadInTwoWaysIsRefused() throws Exception {
        List<String> seen = new ArrayList<>();
        assertThat(taken(REFUSED, answer -> answer.status() >= 400 && answer.status() < 600
                && answer.header("Connection").equals("close"), seen)).isEmpty();
        assertThat(seen).isEmpty();
    }

    @Test
    void chunksThatAreNoneAreRefused() throws Exception {
        List<String> seen = new ArrayList<>();
        String head = "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        assertThat(taken(BAD_CHUNKS.stream().map(head::concat).toList(), answer -> answer.status() == 400, seen))
                .isEmpty();
        assertThat(seen).containsOnly("/post");
    }

    @Test
    void whatIsNoRequestIsNoneHoweverItIsCutIntoPackets() throws Exception {
        HttpServer server = serve((request, response) -> response.send("x"));
        run(() -> {
            for (String each : List.of("GE\r\nT / HTTP/1.1\r\nHost: a\r\n\r\n", "GET\r\n / HTTP/1.1\r\nHost: a\r\n\r\n",
                    "\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / \r\nHTTP/1.1\r\nHost: a\r\n\r\n")) {
                try (Client client = new Client(server)) {
                    assertThat(client.drip(each).read().status()).as(escaped(each)).isGreaterThanOrEqualTo(400);
                } catch (java.net.SocketException e) {
                    // refused before all of it was there
                }
            }
            try (Client client = new Client(server)) {
                client.drip("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
                assertThat(client.read().status()).isEqualTo(200);
            }
        });
    }

    private static String escaped(String text) {
        return text.replace("\r", "\\r").replace("\n", "\\n").replace("\u0000", "\\0");
    }

    @Test
    void whatIsAllowedIsUnderstood() throws Exception {
        HttpServer server = serve((request, response) -> response.send(request.rawPath() + "|" + request.text()));
        run(() -> {
            record Case(String request, String answer) {}
            for (Case each : List.of(
                    new Case("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "/b|"),
                    new Case("GET http://A:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "/|"),
                    new Case("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*|"),
                    new Case("\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "/b|"),
                    new Case("GET /b HTTP/1.1\r\nHost: [::1]:80\r\nEmpty:\r\n\r\n", "/b|"),
                    new Case("GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/b|"),
                    new Case("GET /b HTTP/1.1\r\nHost:\r\n\r\n", "/b|"),
                    new Case(
                            "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\nA;q=\"x;y\"\r\n0123456789\r\n"
                                    + "0003\r\nabc\r\n000\r\n\r\n",
                            "/b|0123456789abc"),
                    new Case("POST /b HTTP/1.1\r\nHost: a\r\nContent-Length:  005 \r\n\r\nabcde", "/b|abcde"))) {
                List<Answer> answers = new ArrayList<>();
                try (Client client = new Client(server)) {
                    client.send(each.request + HIDDEN.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n"));
                    answers.add(client.read());
                    answers.add(client.read());
                }
                assertThat(answers.getFirst().text()).as(each.request).isEqualTo(each.answer);
                assertThat(answers.getLast().text()).as(each.request).isEqualTo("/hidden|");
            }
        });
    }
}
