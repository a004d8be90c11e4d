package dev.loomlet;

import static dev.loomlet.Loomlet.withTimeout;

import dev.loomlet.net.Sockets;
import dev.loomlet.net.StreamServer;
import dev.loomlet.pool.Pool;
import dev.loomlet.pool.ThreadPool;
import dev.loomlet.process.Child;
import dev.loomlet.process.Processes;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.WaitContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;

/**
 * The contract of waits for those of scopes, pools, sockets, servers and processes. Where a call has no time of its own it
 * gets one from {@code withTimeout}. There is nothing in {@code Signals} that waits.
 */
class WaitsElsewhereTest extends WaitContract {
    private interface Body {
        Object await() throws Exception;
    }

    private interface Closing {
        void close() throws Exception;
    }

    private interface Make {
        Call make() throws Exception;
    }

    private static Wait wait(String name, Make make) {
        return new Wait(name, () -> {
            try {
                return make.make();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    /** A call that waits for ever. */
    private static Call endless(Closing closing, Body body) {
        return new Call() {
            @Override
            public Object await(Duration timeout) throws Exception {
                return withTimeout(timeout, body::await, false);
            }

            @Override
            public int waiters() {
                return 0;
            }

            @Override
            public boolean foreign() {
                return false;
            }

            @Override
            public void close() {
                try {
                    closing.close();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        };
    }

    private static Call ofChild() throws IOException {
        Child child = Processes.start("sleep", "1000");
        return new Call() {
            @Override
            public Object await(Duration timeout) {
                return child.waitFor(timeout);
            }

            @Override
            public boolean isExpiry(Object result) {
                return result.equals(OptionalInt.empty());
            }

            @Override
            public int waiters() {
                return 0;
            }

            @Override
            public void close() {
                child.kill();
                child.waitFor();
                try {
                    child.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        };
    }

    /** A call to somebody whose backlog is full and who accepts nobody. */
    private static Call ofConnect() throws IOException {
        ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        InetSocketAddress address = (InetSocketAddress) busy.getLocalSocketAddress();
        List<Socket> waiting = new ArrayList<>();
        for (boolean full = false; !full && waiting.size() < 20;) {
            Socket socket = new Socket();
            waiting.add(socket);
            try {
                socket.connect(address, 200);
            } catch (SocketTimeoutException e) {
                full = true;
            }
        }
        return endless(() -> {
            for (Socket each : waiting) {
                each.close();
            }
            busy.close();
        }, () -> {
            try (Socket socket = Sockets.connect(address)) {
                return socket;
            }
        });
    }

    @Override
    protected List<Wait> waits() {
        return List.of(
                wait("Scope.join", () -> endless(() -> {}, () -> {
                    try (Scope scope = Scope.open()) {
                        scope.spawn(() -> new Event().await());
                        scope.join();
                        return true;
                    }
                })),
                wait("Scope.close", () -> endless(() -> {}, () -> {
                    Event never = new Event();
                    try (Scope scope = Scope.open()) {
                        scope.spawn(() -> never.await());
                        never.await();
                        return true;
                    }
                })),
                wait("Pool.spawn", () -> {
                    Hub far = Hub.start("far");
                    Pool pool = new Pool(1, far);
                    pool.spawn(() -> new Event().await());
                    return endless(far::close, () -> pool.spawn(() -> 1));
                }),
                wait("Pool.apply", () -> endless(() -> {}, () -> new Pool(1).apply(() -> {
                    new Event().await();
                    return true;
                }))),
                wait("Pool.map", () -> endless(() -> {}, () -> new Pool(1).map(List.of(1, 2), _ -> {
                    new Event().await();
                    return true;
                }))),
                wait("ThreadPool.call", () -> {
                    Hub far = Hub.start("far");
                    ThreadPool threads = new ThreadPool(2, far).interruptAbandoned(true);
                    CountDownLatch never = new CountDownLatch(1);
                    return endless(() -> {
                        never.countDown();
                        threads.close();
                        far.close();
                    }, () -> threads.call(() -> {
                        try {
                            never.await();
                        } catch (InterruptedException e) {
                            return "abandoned";
                        }
                        return true;
                    }));
                }),
                wait("Child.waitFor", WaitsElsewhereTest::ofChild),
                wait("Child.readLine", () -> {
                    Child child = Processes.start("sleep", "1000");
                    return endless(() -> {
                        child.kill();
                        child.waitFor();
                        child.close();
                    }, child::readLine);
                }),
                wait("a socket's read", () -> {
                    Sockets.Pair pair = Sockets.pair();
                    return endless(pair::close, () -> pair.first().getInputStream().read());
                }),
                wait("a socket's write", () -> {
                    Sockets.Pair pair = Sockets.pair();
                    byte[] much = new byte[1 << 16];
                    return endless(pair::close, () -> {
                        for (;;) {
                            pair.first().getOutputStream().write(much);
                        }
                    });
                }),
                wait("a socket's accept", () -> {
                    ServerSocket listener = Sockets.listen("127.0.0.1:0", 10);
                    return endless(listener::close, listener::accept);
                }),
                wait("a socket's connect", WaitsElsewhereTest::ofConnect),
                wait("StreamServer.serveForever", () -> endless(() -> {}, () -> {
                    try (StreamServer server = StreamServer.listen("127.0.0.1:0", _ -> {})) {
                        server.serveForever();
                        return true;
                    }
                })),
                wait("StreamServer.stop", () -> endless(() -> {}, () -> {
                    Event served = new Event();
                    try (StreamServer server = StreamServer.listen("127.0.0.1:0", socket -> {
                        served.set();
                        socket.getInputStream().read();
                    })) {
                        try (Socket client = Sockets.connect("127.0.0.1:" + server.port())) {
                            served.await();
                            server.stop(LONG); // the handler goes on until the client has gone
                            return client;
                        }
                    }
                })));
    }
}
