package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Action;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.sync.Event;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** What tests of the server share: a hub, a server, and what the hub's error handler was told. */
@Timeout(60)
abstract class ServerTest {
    Hub hub;
    final List<String> reported = new ArrayList<>();
    private @Nullable HttpServer server;

    ServerTest() {
        hub = Hub.current();
    }

    @BeforeEach
    void listenToErrors() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> reported.add(greenlet.name() + ": " + error));
    }

    @AfterEach
    void stopServer() {
        if (server != null) {
            server.close();
        }
        hub.close();
    }

    HttpServer serve(HttpHandler handler) throws IOException {
        return serve(handler, builder -> builder);
    }

    HttpServer serve(HttpHandler handler, UnaryOperator<HttpServer.Builder> settings) throws IOException {
        HttpServer made = settings.apply(HttpServer.builder("127.0.0.1:0", handler)).build().start();
        server = made;
        return made;
    }

    /** What a client does. */
    @FunctionalInterface
    interface Asking {
        void ask(Client client) throws Exception;
    }

    /** Serves, and asks as one client. */
    void ask(HttpHandler handler, Asking asking) throws Exception {
        HttpServer made = serve(handler);
        run(() -> {
            try (Client client = new Client(made)) {
                asking.ask(client);
            }
        });
    }

    /** Answers {@code /slow} when it is told to, and all else at once. */
    static HttpHandler slow(Event asked, Event answer) {
        return (request, response) -> {
            if (request.target().equals("/slow")) {
                asked.set();
                answer.await();
            }
            response.send("done");
        };
    }

    /** Answers for ever, and notes what ends it. */
    static HttpHandler endless(int piece, List<Throwable> ends) {
        return (request, response) -> {
            try (OutputStream out = response.body()) {
                for (;;) {
                    out.write(new byte[piece]);
                }
            } catch (Throwable t) {
                ends.add(t);
                throw t;
            }
        };
    }

    /** Runs it as a greenlet. */
    static void run(Action action) throws Exception {
        Loomlet.run(action);
    }

    /** Waits until all greenlets that are ready have had their turns, so that errors have been reported. */
    void settle() {
        for (int i = 0; i < 5; i++) {
            Loomlet.yieldNow();
        }
    }

    /** Waits until so many have been accepted. */
    static void awaitConnections(HttpServer of, int count) {
        for (int i = 0; i < 5000 && of.connections() < count; i++) {
            Loomlet.sleep(java.time.Duration.ofMillis(1));
        }
        assertThat(of.connections()).as("connections that were accepted").isEqualTo(count);
    }

    /** What remains when all clients are gone. */
    void assertNobodyIsLeft(HttpServer of) {
        for (int i = 0; i < 1000 && of.connections() > 0; i++) {
            Loomlet.sleep(java.time.Duration.ofMillis(2));
        }
        assertThat(of.connections()).as("connections that are left").isZero();
    }
}
