package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/** java.net.http with its handlers on the hub. */
abstract class JavaHttpClient extends WebClient {
    private final HttpClient.Version version;
    private final String spoken;
    private @Nullable HttpClient client;

    JavaHttpClient(HttpClient.Version version, String spoken) {
        this.version = version;
        this.spoken = spoken;
    }

    @Override
    protected Library library() {
        return Library.client("java.net.http, " + spoken, HttpClient.class, WebPeer.name())
                .with("none; `HttpClient.Builder.executor(hub.executor())` has body handlers run on the hub");
    }

    @Override
    String protocol() {
        return spoken;
    }

    @Override
    void make() {
        client = closeLater(HttpClient.newBuilder().version(version).executor(hub().executor()).build());
    }

    @Override
    String get(String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return java.util.Objects.requireNonNull(client).send(request, info -> {
            seen();
            return HttpResponse.BodySubscribers.ofString(java.nio.charset.StandardCharsets.UTF_8);
        }).body();
    }
}
