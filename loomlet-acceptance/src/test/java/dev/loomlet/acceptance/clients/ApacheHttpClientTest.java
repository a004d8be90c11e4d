package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.io.IOException;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;

class ApacheHttpClientTest extends WebClient {
    private final PoolingHttpClientConnectionManager connections = PoolingHttpClientConnectionManagerBuilder.create()
            .setMaxConnPerRoute(CALLS).setMaxConnTotal(CALLS).build();
    private final CloseableHttpClient client = HttpClients.custom().setConnectionManager(connections).build();

    @Override
    protected Library library() {
        return Library.client("Apache HttpClient", HttpClients.class, WebPeer.name());
    }

    @Override
    void make() {
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
