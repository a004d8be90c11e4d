package dev.loomlet.acceptance.clients;

import java.net.http.HttpClient;

class JavaHttp2Test extends JavaHttpClient {
    JavaHttp2Test() {
        super(HttpClient.Version.HTTP_2, "HTTP/2.0");
    }
}
