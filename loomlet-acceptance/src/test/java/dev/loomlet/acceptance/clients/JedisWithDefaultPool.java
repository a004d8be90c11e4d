package dev.loomlet.acceptance.clients;

import dev.loomlet.acceptance.Library;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.RedisClient;

/** Its pool goes round and round until a connection is made, if nobody tells it how long to wait at most. */
class JedisWithDefaultPool extends JedisTest {
    @Override
    protected Library library() {
        return Library.client("Jedis, pool without a longest wait", RedisClient.class, "Redis").underAgent();
    }

    @Override
    ConnectionPoolConfig pool() {
        return new ConnectionPoolConfig();
    }
}
