package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.SslOptions;

class JedisTest extends RedisClientOnHub {
    private @Nullable RedisClient client;

    @Override
    protected Library library() {
        return Library.client("Jedis", RedisClient.class, "Redis")
                .with("`poolConfig.setMaxWait(...)`: without a longest wait its pool spins while a connection is made;"
                        + " the agent cures that");
    }

    ConnectionPoolConfig pool() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxWait(Duration.ofSeconds(5));
        return pool;
    }

    @Override
    void make(int port, boolean tls) {
        ConnectionPoolConfig pool = pool();
        pool.setMaxTotal(CALLS);
        pool.setMaxIdle(CALLS);
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder();
        if (tls) {
            config.sslOptions(SslOptions.defaults());
        }
        client = closeLater(RedisClient.builder().hostAndPort("127.0.0.1", port).poolConfig(pool)
                .clientConfig(config.build()).build());
    }

    private RedisClient client() {
        return Objects.requireNonNull(client);
    }

    @Override
    void set(String key, String value) {
        client().set(key, value);
    }

    @Override
    @Nullable
    String get(String key) {
        return client().get(key);
    }

    @Override
    Optional<?> pop(String key, Duration timeout) {
        return Optional.ofNullable(client().blpop(timeout.toMillis() / 1000.0, key));
    }

    @Override
    protected int held() {
        return client().getPool().getNumActive();
    }
}
