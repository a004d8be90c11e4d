package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.loomlet.http.Client.Answer;
import java.util.List;
import org.junit.jupiter.api.Test;

class RouterTest extends ServerTest {
    private static final HttpHandler NONE = (request, response) -> response.send();

    @Test
    void findsTheHandlerByMethodAndPath() throws Exception {
        HttpServer server = serve(new Router()
                .get("/", (request, response) -> response.send("root"))
                .get("/rooms/main", (request, response) -> response.send("main"))
                .get("/rooms/{name}", (request, response) -> response.send("room " + request.pathParameter("name")))
                .put("/rooms/{name}", (request, response) -> response.send("put " + request.pathParameter("name")))
                .get("/rooms/{name}/{number}", (request, response) -> response
                        .send(request.pathParameter("name") + request.pathParameter("number")))
                .get("/all/{rest...}", (request, response) -> response.send("all " + request.pathParameter("rest"))));
        run(() -> {
            try (Client client = new Client(server)) {
                record Case(String target, String text) {}
                for (Case each : List.of(new Case("/", "root"), new Case("/rooms/main", "main"),
                        new Case("/rooms/a%2Fb?c", "room a/b"), new Case("/rooms/x/7", "x7"),
                        new Case("/all/a/b/c", "all a/b/c"),
                        new Case("/all/", "all "), new Case("/all", "all "))) {
                    assertThat(client.get(each.target).read().text()).as(each.target).isEqualTo(each.text);
                }
                for (String each : List.of("/rooms", "/rooms/", "/rooms/x/7/8", "/x", "//")) {
                    assertThat(client.get(each).read().status()).as(each).isEqualTo(404);
                }
                assertThat(
                        client.send("PUT /rooms/q HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n").read().text())
                        .isEqualTo("put q");
                Answer wrong = client.send("DELETE /rooms/q HTTP/1.1\r\nHost: test\r\n\r\n").read();
                assertThat(wrong.status() + wrong.header("Allow")).isEqualTo("405GET, HEAD, OPTIONS, PUT");
                Answer options = client.send("OPTIONS /rooms/q HTTP/1.1\r\nHost: test\r\n\r\n").read();
                assertThat(options.status() + options.header("Allow")).isEqualTo("204GET, HEAD, OPTIONS, PUT");
                assertThat(client.send("HEAD /rooms/main HTTP/1.1\r\nHost: test\r\n\r\n").read(true)
                        .header("Content-Length")).isEqualTo("4");
                assertThat(client.send("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n").read().status()).isEqualTo(404);
            }
        });
    }

    @Test
    void aPatternThatIsNoneIsRefused() {
        for (String each : List.of("rooms", "/{", "/{a b}", "/x{a}", "/{a...}/b", "/{}")) {
            assertThatIllegalArgumentException().as(each).isThrownBy(() -> new Router().get(each, NONE));
        }
    }
}
