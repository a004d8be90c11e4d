package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StreamServerTest {
    private static final String HERE = "127.0.0.1:0";

    private Hub hub;
    private final LinkedBlockingQueue<String> errors = new LinkedBlockingQueue<>();

    @BeforeEach
    void makeHub() {
        hub = Hub.current();
        hub.onError((greenlet, error) -> errors.add(greenlet.name() + ": " + error));
    }

    @AfterEach
    void closeHub() {
        hub.close();
        assertThat(errors).as("errors that no test asked for").isEmpty();
    }

    static void upper(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] bytes = new byte[1024];
        for (int n; (n = in.read(bytes)) > 0;) {
            String text = new String(bytes, 0, n, StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** One question, one answer. */
    private static String ask(Socket socket, String question) throws IOException {
        socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
        byte[] answer = socket.getInputStream().readNBytes(question.length());
        return new String(answer, StandardCharsets.US_ASCII);
    }

    private static Socket connect(StreamServer server) throws IOException {
        return new Socket(server.address().getAddress(), server.port());
    }

    private static boolean atEnd(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() < 0;
        } catch (java.net.SocketException e) {
            return true; // reset: it had sent what nobody read
        }
    }

    @Test
    void servesAllConnectionsAtATimeOnOneThread() throws Exception {
        Set<Greenlet<?>> greenlets = new HashSet<>();
        try (var server = StreamServer.listen(HERE, socket -> {
            greenlets.add(Loomlet.current().orElseThrow());
            upper(socket);
        })) {
            Loomlet.run(() -> {
                List<Socket> clients = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    clients.add(connect(server));
                }
                for (int round = 0; round < 3; round++) {
                    for (Socket each : clients) {
                        assertThat(ask(each, "hello" + round)).isEqualTo("HELLO" + round);
                    }
                }
                assertThat(server.connections()).isEqualTo(20);
                for (Socket each : clients) {
                    each.close();
                }
                while (server.connections() > 0) {
                    Loomlet.sleep(Duration.ofMillis(1));
                }
            });
        }
        assertThat(greenlets).hasSize(20).allSatisfy(each -> assertThat(each.hub()).isSameAs(hub));
    }

    @Test
    void closesTheConnectionWhenTheHandlerReturns() throws Exception {
        try (var server = StreamServer.listen(HERE, socket -> socket.getOutputStream().write('x'))) {
            Loomlet.run(() -> {
                try (Socket client = connect(server)) {
                    assertThat(client.getInputStream().readAllBytes()).containsExactly('x');
                }
            });
        }
    }

    @Test
    void anErrorEndsItsConnectionOnlyAndIsReportedWithThePeersAddress() throws Exception {
        try (var server = StreamServer.listen(HERE, socket -> {
            if (socket.getInputStream().read() == '!') {
                throw new IllegalArgumentException("told to");
            }
            upper(socket);
        })) {
            Loomlet.run(() -> {
                try (Socket good = connect(server); Socket bad = connect(server)) {
                    good.getOutputStream().write('.');
                    bad.getOutputStream().write('!');
                    assertThat(atEnd(bad)).isTrue();
                    assertThat(errors.poll(5, TimeUnit.SECONDS)).isEqualTo("connection from 127.0.0.1:"
                            + bad.getLocalPort() + ": java.lang.IllegalArgumentException: told to");
                    assertThat(ask(good, "still here")).isEqualTo("STILL HERE");
                }
            });
        }
    }

    @Test
    void acceptsNoMoreThanTheLimitAndGoesOnWhenOneLeaves() throws Exception {
        List<Integer> served = new ArrayList<>();
        try (var server = StreamServer.builder(HERE, socket -> {
            served.add(socket.getPort());
            upper(socket);
        }).limit(2).build().start()) {
            Loomlet.run(() -> {
                Socket first = connect(server);
                Socket second = connect(server);
                assertThat(ask(first, "a")).isEqualTo("A");
                assertThat(ask(second, "b")).isEqualTo("B");
                try (first; second; Socket third = connect(server)) { // the kernel holds it
                    third.getOutputStream().write('c');
                    third.setSoTimeout(100);
                    assertThatIOException().isThrownBy(() -> third.getInputStream().read());
                    assertThat(server.isFull()).isTrue();
                    assertThat(served).hasSize(2);
                    third.setSoTimeout(0);
                    first.close();
                    assertThat(third.getInputStream().read()).isEqualTo('C');
                    assertThat(served).hasSize(3);
                }
            });
        }
    }

    @Test
    void stopLetsHandlersFinishInTheirGrace() throws Exception {
        var server = StreamServer.listen(HERE, socket -> {
            socket.getOutputStream().write('1');
            Loomlet.sleep(Duration.ofMillis(50));
            socket.getOutputStream().write('2');
        });
        Loomlet.run(() -> {
            try (Socket client = connect(server)) {
                assertThat(client.getInputStream().read()).isEqualTo('1');
                server.stop(Duration.ofSeconds(20));
                assertThat(server.connections()).isZero();
                assertThat(client.getInputStream().readAllBytes()).containsExactly('2');
            }
        });
    }

    @Test
    void stopKillsTheHandlersThatAreLeftAfterTheirGrace() throws Exception {
        CompletableFuture<Throwable> end = new CompletableFuture<>();
        var server = StreamServer.listen(HERE, socket -> {
            socket.getOutputStream().write('1');
            try {
                Loomlet.sleep(Duration.ofHours(1));
            } catch (Throwable t) {
                end.complete(t);
                throw t;
            }
        });
        Loomlet.run(() -> {
            try (Socket client = connect(server)) {
                assertThat(client.getInputStream().read()).isEqualTo('1');
                server.stop(Duration.ofMillis(20));
                assertThat(end.getNow(null)).isInstanceOf(GreenletExit.class);
                assertThat(atEnd(client)).isTrue();
            }
        });
    }

    @Test
    void stopEndsAlsoHandlersThatCatchTheKill() throws Exception {
        int[] kills = {0};
        var server = StreamServer.listen(HERE, socket -> {
            socket.getOutputStream().write('1');
            try {
                Loomlet.sleep(Duration.ofHours(1));
            } catch (GreenletExit e) {
                kills[0]++;
            }
            assertThat(socket.getInputStream().read()).isEqualTo(-2); // never: its connection is closed under it
        });
        Loomlet.run(() -> {
            try (Socket client = connect(server)) {
                assertThat(client.getInputStream().read()).isEqualTo('1');
                server.stop(Duration.ZERO);
                assertThat(kills[0]).isEqualTo(1);
                assertThat(server.connections()).isZero();
            }
        });
        assertThat(errors.poll(5, TimeUnit.SECONDS)).contains("java.net.SocketException");
    }

    @Test
    void anotherThreadCanStopItAndServeForeverReturns() throws Exception {
        var server = StreamServer.listen(HERE, StreamServerTest::upper);
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread other = new Thread(() -> {
            try (Socket client = connect(server)) {
                answer.complete(ask(client, "ok"));
                server.stop(Duration.ZERO);
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        });
        other.start();
        server.serveForever();
        other.join();
        assertThat(answer.get()).isEqualTo("OK");
        assertThat(server.isStarted()).isFalse();
        assertThatIOException().isThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
    }

    @Test
    void aHandlerCanStopItAndFinish() throws Exception {
        var server = StreamServer.listen(HERE, socket -> {
            // replaced below
        });
        server.close();
        StreamServer[] self = new StreamServer[1];
        self[0] = StreamServer.listen(HERE, socket -> {
            if (socket.getInputStream().read() == 'q') {
                self[0].stop(Duration.ZERO);
                Loomlet.yieldNow();
                socket.getOutputStream().write("bye".getBytes(StandardCharsets.US_ASCII));
            }
        });
        Greenlet<String> client = hub.spawn(() -> {
            try (Socket idle = connect(self[0]); Socket socket = connect(self[0])) {
                socket.getOutputStream().write('q');
                String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
                assertThat(atEnd(idle)).isTrue();
                return text;
            }
        });
        self[0].serveForever();
        assertThat(client.value()).isEqualTo("bye");
    }

    @Test
    void aKillOfTheGreenletThatServesStopsIt() throws Exception {
        var server = StreamServer.builder(HERE, StreamServerTest::upper).build();
        Greenlet<Void> serving = hub.spawn(server::serveForever);
        Loomlet.run(() -> {
            while (!server.isStarted()) {
                Loomlet.yieldNow();
            }
            try (Socket client = connect(server)) {
                assertThat(ask(client, "x")).isEqualTo("X");
                serving.kill();
                assertThat(server.isStarted()).isFalse();
                assertThat(atEnd(client)).isTrue();
            }
        });
    }

    @Test
    void closingTheHubClosesListenerAndConnections() throws Exception {
        Hub own = Hub.start("server");
        StreamServer server = StreamServer.builder(HERE, StreamServerTest::upper).build();
        own.spawn(server::start).get();
        try (Socket client = connect(server)) {
            assertThat(ask(client, "x")).isEqualTo("X");
            own.close();
            assertThat(atEnd(client)).isTrue();
        }
        assertThatIOException().isThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
    }

    @Test
    void closingTheHubBeforeItsFirstTurnClosesTheListener() throws Exception {
        var server = StreamServer.listen(HERE, StreamServerTest::upper);
        hub.close();
        assertThatIOException().isThrownBy(() -> connect(server)).isInstanceOf(ConnectException.class);
        hub = Hub.current();
    }

    @Test
    void startingItTwiceIsHarmlessAndTellsThePort() throws Exception {
        var server = StreamServer.builder(HERE, StreamServerTest::upper).build();
        assertThat(server.port()).isZero();
        assertThat(server.isStarted()).isFalse();
        server.start();
        int port = server.port();
        assertThat(port).isPositive();
        assertThat(server.start().port()).isEqualTo(port);
        assertThat(server.isStarted()).isTrue();
        server.close();
        server.close();
        assertThatIllegalStateException().isThrownBy(server::start);
    }

    @Test
    void anAddressInUseIsNamed() throws Exception {
        try (var server = StreamServer.listen(HERE, StreamServerTest::upper)) {
            assertThatIOException()
                    .isThrownBy(() -> StreamServer.listen("127.0.0.1:" + server.port(), StreamServerTest::upper))
                    .withMessageContaining("cannot listen at 127.0.0.1:" + server.port());
        }
    }

    @Test
    void addressesAreReadAsPeopleWriteThem() throws Exception {
        assertThat(Addresses.format(Addresses.parse("127.0.0.1:80"))).isEqualTo("127.0.0.1:80");
        assertThat(Addresses.format(Addresses.parse("[::1]:80"))).isEqualTo("[0:0:0:0:0:0:0:1]:80");
        assertThat(Addresses.parse(":80").getAddress().isAnyLocalAddress()).isTrue();
        assertThat(Addresses.parse("80").getPort()).isEqualTo(80);
        for (String wrong : List.of("", ":", "::1:80", "[::1]80", "host", "1.2.3.4:65536", "1.2.3.4:-1", "[::1")) {
            assertThatIllegalArgumentException().as(wrong).isThrownBy(() -> Addresses.parse(wrong));
        }
    }
}
