package dev.loomlet.acceptance.servers;

import dev.loomlet.acceptance.ServerOnHub;
import dev.loomlet.acceptance.peers.Certificate;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A server of HTTP/1.1 whose handlers answer the body of a request. It is asked by java.net.http. */
abstract class WebServer extends ServerOnHub {
    static {
        Certificate.install(); // before anybody asks for the JDK's default context
    }

    private @Nullable HttpClient client;
    private String address = "";

    /** Starts it on 127.0.0.1, and sees to its end. Gives its port. */
    abstract int serve(boolean tls) throws Exception;

    @Override
    protected final void serve() throws Exception {
        client = closeLater(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build());
        address = "http://127.0.0.1:" + serve(false);
    }

    @Override
    protected final void openTls() throws Exception {
        address = "https://127.0.0.1:" + serve(true);
    }

    @Override
    protected final String ask(String question) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + "/"))
                .POST(HttpRequest.BodyPublishers.ofString(question)).timeout(PATIENCE).build();
        HttpResponse<String> response = Objects.requireNonNull(client).send(request,
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (response.statusCode() != 200) {
            throw new IOException("status " + response.statusCode());
        }
        return response.body();
    }

    /** Answers a body with a body. */
    final byte[] answer(byte[] question) throws InterruptedException {
        return answer(new String(question, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
    }
}
