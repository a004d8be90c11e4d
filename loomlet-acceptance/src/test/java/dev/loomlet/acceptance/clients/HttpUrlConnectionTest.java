package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;

class HttpUrlConnectionTest extends WebClient {
    @Override
    protected Library library() {
        return Library.client("HttpURLConnection", HttpURLConnection.class, WebPeer.name());
    }

    @Override
    String get(String url) throws IOException {
        try (InputStream in = URI.create(url).toURL().openConnection().getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
