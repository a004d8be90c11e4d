package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.WebPeer;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A client of HTTP, which has to get a page. */
abstract class WebClient extends ClientOnHub {
    static {
        Certificate.install(); // before anybody asks for the JDK's default context
    }

    private @Nullable WebPeer peer;
    private String address = "";

    /** The text of a page. */
    abstract String get(String url) throws Exception;

    /** What the peer says of the version of the protocol. */
    String protocol() {
        return "HTTP/1.1";
    }

    /** Makes the client. */
    void make() throws Exception {}

    /** Makes another client for TLS, if the one there is will not do. */
    void makeTls() throws Exception {}

    @Override
    protected final void open() throws Exception {
        peer = closeLater(new WebPeer());
        address = peer.address(false);
        make();
    }

    @Override
    protected final void openTls() throws Exception {
        makeTls();
        address = peer().address(true);
    }

    @Override
    protected final int inside() {
        return peer().inside();
    }

    private WebPeer peer() {
        return java.util.Objects.requireNonNull(peer);
    }

    @Override
    protected final void rightResults() throws Exception {
        for (String word : new String[] {"hub", "greenlet", "x".repeat(3000)}) {
            assertThat(get(address + "/upper?" + word)).isEqualTo(word.toUpperCase(Locale.ROOT) + " " + protocol());
        }
    }

    @Override
    protected final void slowCall(int number, Duration latency) throws Exception {
        assertThat(get(address + "/slow?" + latency.toMillis())).isEqualTo("at last " + protocol());
    }
}
