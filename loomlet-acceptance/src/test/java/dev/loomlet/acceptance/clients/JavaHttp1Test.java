package dev.loomlet.acceptance.clients;

import java.net.http.HttpClient;

class JavaHttp1Test extends JavaHttpClient {
    JavaHttp1Test() {
        super(HttpClient.Version.HTTP_1_1, "HTTP/1.1");
    }
}
