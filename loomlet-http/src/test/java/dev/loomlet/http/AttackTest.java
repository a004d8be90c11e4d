package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Crowds of bad clients beside a good one, who must not be kept waiting. The crowd is larger with {@code -Pattack}. */
@Timeout(300)
class AttackTest extends ServerTest {
    private static final int CROWD = Integer.getInteger("loomlet.attack.crowd", 300);
    private static final int IDLE = Integer.getInteger("loomlet.attack.idle", CROWD);
    private static final int QUESTIONS = Integer.getInteger("loomlet.attack.questions", 300);

    /** What a good client may wait at most, beside all the bad ones, on a machine that does other things as well. */
    private static final Duration BOUND = Duration.ofSeconds(1);

    private static final byte[] LARGE = new byte[8 << 20];

    private static final HttpHandler HANDLER = (request, response) -> {
        switch (request.rawPath()) {
            case "/large" -> response.body().write(LARGE);
            case "/echo" -> response.send(request.bytes());
            default -> response.send("fine");
        }
    };

    private static HttpServer.Builder settings(HttpServer.Builder builder) {
        Duration long_ = Duration.ofMinutes(5);
        return builder.backlog(4096).firstByteTimeout(long_).headTimeout(long_).bodyTimeout(long_).writeTimeout(long_)
                .idleTimeout(long_);
    }

    /** Asks again and again; the longest that an answer took. */
    private static Duration ask(HttpServer server) throws Exception {
        long longest = 0;
        try (Client client = new Client(server)) {
            for (int i = 0; i < QUESTIONS; i++) {
                long start = System.nanoTime();
                assertThat(client.get("/").read().text()).isEqualTo("fine");
                longest = Math.max(longest, System.nanoTime() - start);
            }
        }
        return Duration.ofNanos(longest);
    }

    private void besides(int crowded, String... words) throws Exception {
        HttpServer server = serve(HANDLER, AttackTest::settings);
        run(() -> {
            Deque<Client> crowd = new ArrayDeque<>();
            try {
                for (int i = 0; i < crowded; i++) {
                    Client client = new Client(server);
                    crowd.add(client);
                    client.send(words[i % words.length]);
                }
                awaitConnections(server, crowded);
                assertThat(ask(server)).isLessThan(BOUND);
            } finally {
                for (Client each : crowd) {
                    each.close();
                }
            }
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    /** Both ends of each are ours. */
    private static int mostConnections() {
        var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return (int) (system.getMaxFileDescriptorCount() - system.getOpenFileDescriptorCount() - 200) / 2;
    }

    @Test
    void idleConnectionsHoldNobodyUp() throws Exception {
        besides(Math.min(IDLE, mostConnections()), "");
    }

    @Test
    void slowHeadsAndSlowBodiesHoldNobodyUp() throws Exception {
        besides(CROWD, "GET / HT", "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc",
                "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    }

    @Test
    void clientsThatDoNotReadHoldNobodyUp() throws Exception {
        besides(Math.min(CROWD, 300), "GET /large HTTP/1.1\r\nHost: test\r\n\r\n"); // the kernel holds megabytes for each
    }

    @Test
    void aStormOfResetsHoldsNobodyUp() throws Exception {
        HttpServer server = serve(HANDLER, AttackTest::settings);
        run(() -> {
            Greenlet<Void> storm = Loomlet.spawn(() -> {
                Random random = new Random(1);
                for (int i = 0; i < 2 * CROWD; i++) {
                    try (Client client = new Client(server)) {
                        client.socket.setSoLinger(true, 0); // closing it is a reset
                        switch (random.nextInt(3)) {
                            case 0 -> client.get("/large");
                            case 1 -> client.send("GET / HTTP/1.1\r\n");
                            default -> Loomlet.yieldNow();
                        }
                    }
                }
            });
            assertThat(ask(server)).isLessThan(BOUND);
            storm.get();
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }

    @Test
    void killsOfRandomConnectionsCostOnlyThese() throws Exception {
        List<Greenlet<?>> serving = new ArrayList<>();
        HttpServer server = serve((request, response) -> {
            Greenlet<?> own = Loomlet.current().orElseThrow();
            if (!request.target().equals("/")) {
                serving.add(own);
                Loomlet.sleep(Duration.ofMillis(2));
                serving.remove(own);
            }
            response.send("fine");
        }, AttackTest::settings);
        run(() -> {
            Random random = new Random(2);
            Greenlet<Void> killer = Loomlet.spawn(() -> {
                for (;;) {
                    Loomlet.sleep(Duration.ofMillis(1));
                    if (!serving.isEmpty()) {
                        serving.remove(random.nextInt(serving.size())).kill();
                    }
                }
            });
            int[] ended = new int[2];
            List<Greenlet<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(Loomlet.spawn(() -> {
                    for (int n = 0; n < CROWD / 10; n++) {
                        try (Client client = new Client(server)) {
                            client.get("/slow").read();
                            ended[0]++;
                        } catch (java.io.IOException e) {
                            ended[1]++;
                        }
                    }
                }));
            }
            assertThat(ask(server)).isLessThan(BOUND);
            Loomlet.joinAll(clients);
            for (Greenlet<Void> each : clients) {
                each.get();
            }
            killer.kill();
            assertThat(Arrays.stream(ended).sum()).isEqualTo(20 * (CROWD / 10));
            assertThat(ended[1]).as("connections that were killed").isPositive();
            assertNobodyIsLeft(server);
            assertThat(reported).isEmpty();
        });
    }
}
