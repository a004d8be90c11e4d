package dev.loomlet.acceptance.clients;

import java.util.List;
import okhttp3.Protocol;

class OkHttp1Test extends OkHttp {
    OkHttp1Test() {
        super(List.of(Protocol.HTTP_1_1), List.of(Protocol.HTTP_1_1), "HTTP/1.1");
    }
}
