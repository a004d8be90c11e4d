package dev.loomlet.acceptance.clients;

import java.util.List;
import okhttp3.Protocol;

class OkHttp2Test extends OkHttp {
    OkHttp2Test() {
        super(List.of(Protocol.H2_PRIOR_KNOWLEDGE), List.of(Protocol.HTTP_2, Protocol.HTTP_1_1), "HTTP/2.0");
    }
}
