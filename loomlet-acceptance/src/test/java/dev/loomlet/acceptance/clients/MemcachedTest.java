package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Memcached;
import dev.loomlet.acceptance.peers.SlowLine;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import net.spy.memcached.MemcachedClient;
import org.jspecify.annotations.Nullable;

/** One connection for all, with a thread of the library's own; a slow call goes over a slow line. */
class MemcachedTest extends ClientOnHub {
    private @Nullable SlowLine line;
    private @Nullable MemcachedClient client;

    @Override
    protected Library library() {
        return Library.client("spymemcached", MemcachedClient.class, "memcached");
    }

    @Override
    protected void open() throws Exception {
        Memcached peer = closeLater(new Memcached());
        line = closeLater(new SlowLine(peer.port()));
        MemcachedClient made = new MemcachedClient(new net.spy.memcached.ConnectionFactoryBuilder()
                .setOpTimeout(PATIENCE.toMillis()).build(),
                java.util.List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), line.port())));
        closeLater(() -> made.shutdown(5, java.util.concurrent.TimeUnit.SECONDS));
        client = made;
    }

    @Override
    protected void rightResults() throws Exception {
        Objects.requireNonNull(line).delay(Duration.ZERO);
        MemcachedClient made = Objects.requireNonNull(client);
        for (String value : new String[] {"hub", "Łódź 東京", "x".repeat(100_000)}) {
            assertThat(made.set("key", 0, value).get()).isTrue();
            assertThat(made.get("key")).isEqualTo(value);
        }
        assertThat(made.get("nothing")).isNull();
    }

    @Override
    protected void slowCall(int number, Duration latency) {
        Objects.requireNonNull(line).delay(latency);
        assertThat(Objects.requireNonNull(client).get("nothing-" + number)).isNull();
    }

    @Override
    protected int inside() {
        return Objects.requireNonNull(line).inside();
    }

    @Override
    protected boolean hasTls() {
        return false;
    }
}
