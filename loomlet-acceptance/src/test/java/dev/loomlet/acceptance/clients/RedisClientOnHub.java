package dev.loomlet.acceptance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.acceptance.ClientOnHub;
import dev.loomlet.acceptance.peers.Certificate;
import dev.loomlet.acceptance.peers.Redis;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** A client of Redis. */
abstract class RedisClientOnHub extends ClientOnHub {
    static {
        Certificate.install(); // before anybody asks for the JDK's default context
    }

    private @Nullable Redis peer;
    private @Nullable Jedis watcher;

    /** Makes the client. */
    abstract void make(int port, boolean tls);

    abstract void set(String key, String value);

    abstract @Nullable String get(String key);

    /** Waits for an item in a list that stays empty. */
    abstract Optional<?> pop(String key, Duration timeout) throws Exception;

    @Override
    protected final void open() throws Exception {
        peer = closeLater(new Redis());
        watcher = closeLater(new Jedis("127.0.0.1", peer.port(false)));
        make(peer.port(false), false);
    }

    @Override
    protected final void openTls() {
        make(Objects.requireNonNull(peer).port(true), true);
    }

    @Override
    protected final void rightResults() {
        for (String value : new String[] {"hub", "Łódź 東京", "x".repeat(100_000)}) {
            set("key", value);
            assertThat(get("key")).isEqualTo(value);
        }
        assertThat(get("nothing")).isNull();
    }

    @Override
    protected final void slowCall(int number, Duration latency) throws Exception {
        assertThat(pop("empty-" + number, latency)).isEmpty();
    }

    @Override
    protected final int inside() {
        String clients = Objects.requireNonNull(watcher).info("clients");
        return Integer.parseInt(clients.replaceAll("(?s).*blocked_clients:(\\d+).*", "$1"));
    }
}
