package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.io.IOException;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

class HttpClient4Test extends WebClient {
    private final PoolingHttpClientConnectionManager connections = new PoolingHttpClientConnectionManager();
    private final CloseableHttpClient client = HttpClients.custom().setConnectionManager(connections).build();

    @Override
    protected Library library() {
        return Library.client("Apache HttpClient 4", HttpClients.class, WebPeer.name());
    }

    @Override
    void make() {
        connections.setMaxTotal(CALLS);
        connections.setDefaultMaxPerRoute(CALLS);
        closeLater(client);
    }

    @Override
    String get(String url) throws IOException {
        return client.execute(new HttpGet(url), response -> {
            seen();
            return EntityUtils.toString(response.getEntity());
        });
    }

    @Override
    protected int held() {
        return connections.getTotalStats().getLeased();
    }
}
