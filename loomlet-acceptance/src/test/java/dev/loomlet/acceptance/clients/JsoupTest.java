package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.WebPeer;
import java.io.IOException;
import org.jsoup.Jsoup;

class JsoupTest extends WebClient {
    @Override
    protected Library library() {
        return Library.client("jsoup", Jsoup.class, WebPeer.name());
    }

    /** It uses java.net.http where there is one. */
    @Override
    String protocol() {
        return "HTTP/2.0";
    }

    @Override
    String get(String url) throws IOException {
        return Jsoup.connect(url).ignoreContentType(true).execute().parse().text();
    }
}
