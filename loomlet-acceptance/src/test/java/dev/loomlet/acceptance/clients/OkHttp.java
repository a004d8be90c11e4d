package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.io.IOException;
import java.util.List;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;

/** OkHttp, which reads HTTP/2 on a thread of its own. */
abstract class OkHttp extends WebClient {
    private OkHttpClient client;
    private final List<Protocol> overTls;
    private final String spoken;

    OkHttp(List<Protocol> protocols, List<Protocol> overTls, String spoken) {
        this.client = new OkHttpClient.Builder().protocols(protocols).addInterceptor(chain -> {
            seen();
            return chain.proceed(chain.request());
        }).build();
        this.overTls = overTls;
        this.spoken = spoken;
    }

    @Override
    protected Library library() {
        return Library.client("OkHttp, " + spoken, OkHttpClient.class, WebPeer.name());
    }

    @Override
    String protocol() {
        return spoken;
    }

    @Override
    void make() {
        closeLater(() -> {
            client.dispatcher().executorService().shutdown();
            client.connectionPool().evictAll();
        });
    }

    @Override
    void makeTls() {
        client = client.newBuilder().protocols(overTls).build(); // shares what is closed at the end
    }

    @Override
    String get(String url) throws IOException {
        try (Response response = client.newCall(new Request.Builder().url(url).build()).execute()) {
            return response.body().string();
        }
    }

    @Override
    protected int held() {
        return spoken.equals("HTTP/1.1")
                ? client.connectionPool().connectionCount() - client.connectionPool().idleConnectionCount()
                : 0; // one connection, which stays
    }
}
