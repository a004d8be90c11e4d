package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import dev.loomlet.acceptance.peers.Spares;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.resource.ClientResources;
import io.netty.resolver.DefaultAddressResolverGroup;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** All share one connection, but for commands that block it: each of them gets one of its own. */
class LettuceTest extends RedisClientOnHub {
    private @Nullable StatefulRedisConnection<String, String> shared;
    private @Nullable Spares<StatefulRedisConnection<String, String>> own;

    @Override
    protected Library library() {
        return Library.client("Lettuce", RedisClient.class, "Redis")
                .with("`addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)`: with Netty's own resolver of names a"
                        + " socket was left open after the shutdown at times");
    }

    @Override
    void make(int port, boolean tls) {
        // The JDK's resolver of names. With Netty's own, a socket was left open after the shutdown at times.
        ClientResources resources = ClientResources.builder()
                .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE).build();
        closeLater(() -> resources.shutdown(0, 5, TimeUnit.SECONDS).get(10, TimeUnit.SECONDS));
        RedisClient client = RedisClient.create(resources,
                RedisURI.builder().withHost("127.0.0.1").withPort(port).withSsl(tls).build());
        closeLater(() -> client.shutdownAsync(0, 5, TimeUnit.SECONDS).get(10, TimeUnit.SECONDS));
        shared = closeLater(client.connect());
        own = closeLater(new Spares<>(client::connect));
    }

    @Override
    void set(String key, String value) {
        Objects.requireNonNull(shared).sync().set(key, value);
    }

    @Override
    @Nullable
    String get(String key) {
        return Objects.requireNonNull(shared).sync().get(key);
    }

    @Override
    Optional<?> pop(String key, Duration timeout) throws Exception {
        return Objects.requireNonNull(own)
                .use(connection -> Optional.ofNullable(connection.sync().blpop(timeout.toMillis() / 1000.0, key)));
    }

    @Override
    protected int held() {
        return Objects.requireNonNull(own).held();
    }
}
