package dev.loomlet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * The same calls on the JDK's sockets and on ours, put under {@link Socket} and {@link ServerSocket} as
 * {@link FastSockets#install} does: values, states, exceptions and their messages are the same, in a greenlet as in a virtual
 * thread, and in a thread of no hub as in any thread.
 */
@Timeout(60)
class LikeTheJdksSocketsTest {
    /** Whose sockets. */
    private interface Kit {
        Socket socket() throws IOException;

        ServerSocket server() throws IOException;
    }

    /** All that a scenario has made: closed after it. */
    private static final Queue<Closeable> MADE = new ConcurrentLinkedQueue<>();

    private static <T extends Closeable> T made(T socket) {
        MADE.add(socket);
        return socket;
    }

    private static void closeAll() throws IOException {
        for (Closeable each = MADE.poll(); each != null; each = MADE.poll()) {
            each.close();
        }
    }

    private static final Kit JDK = new Kit() {
        @Override
        public Socket socket() {
            return made(new Socket());
        }

        @Override
        public ServerSocket server() throws IOException {
            return made(new ServerSocket() {
                @Override
                public Socket accept() throws IOException {
                    return made(super.accept());
                }
            });
        }
    };

    /** What {@code new Socket()} is once ours are installed. */
    private static final class PlainSocket extends Socket {
        PlainSocket(SocketImpl impl) throws SocketException {
            super(impl);
        }
    }

    private static final class PlainServerSocket extends ServerSocket {
        PlainServerSocket(SocketImpl impl) {
            super(impl);
        }

        @Override
        public Socket accept() throws IOException {
            if (isClosed()) {
                throw new SocketException("Socket is closed");
            }
            if (!isBound()) {
                throw new SocketException("Socket is not bound yet");
            }
            Socket socket = made(new PlainSocket(new FastSocketImpl(false, false)));
            implAccept(socket);
            return socket;
        }
    }

    private static final Kit OURS = new Kit() {
        @Override
        public Socket socket() throws IOException {
            return made(new PlainSocket(new FastSocketImpl(false, false)));
        }

        @Override
        public ServerSocket server() {
            return made(new PlainServerSocket(new FastSocketImpl(true, false)));
        }
    };

    private interface Scenario {
        Object on(Kit kit) throws Exception;
    }

    private interface Step {
        @Nullable
        Object run() throws Exception;
    }

    private interface Action {
        void run() throws Exception;
    }

    /** What becomes of each step, in one text. */
    private static String each(Step... steps) {
        StringJoiner all = new StringJoiner("\n");
        for (Step step : steps) {
            all.add(outcome(step));
        }
        return all.toString();
    }

    private static String outcome(Step step) {
        try {
            return tidy(String.valueOf(step.run()));
        } catch (NullPointerException e) {
            return "NullPointerException"; // what else it says are names of the source
        } catch (Throwable t) {
            return tidy(t.getClass().getName() + ": " + t.getMessage());
        }
    }

    /** Without what differs from one socket to the next. */
    private static String tidy(String text) {
        return text.replaceAll("(port=|:)[1-9]\\d{3,4}\\b", "$1N").replaceAll("Plain(Server)?Socket", "$1Socket")
                .replaceAll("@[0-9a-f]+", "@");
    }

    private static String did(Action action) throws Exception {
        action.run();
        return "done";
    }

    /** Two ends of a connection. */
    private record Ends(Socket a, Socket b) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try (a) {
                b.close();
            }
        }
    }

    private interface Talk {
        Object with(Socket a, Socket b) throws Exception;
    }

    private static ServerSocket listening(Kit kit) throws IOException {
        ServerSocket server = kit.server();
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        return server;
    }

    private static Ends ends(Kit kit) throws IOException {
        try (ServerSocket server = listening(kit)) {
            Socket a = kit.socket();
            a.connect(server.getLocalSocketAddress());
            return new Ends(a, server.accept());
        }
    }

    private static Scenario talk(Talk talk) {
        return kit -> {
            try (Ends ends = ends(kit)) {
                return talk.with(ends.a, ends.b);
            }
        };
    }

    private static Scenario socket(Talk1 talk) {
        return kit -> {
            try (Socket socket = kit.socket()) {
                return talk.with(socket);
            }
        };
    }

    private interface Talk1 {
        Object with(Socket socket) throws Exception;
    }

    private interface TalkServer {
        Object with(ServerSocket server) throws Exception;
    }

    private static Scenario server(TalkServer talk) {
        return kit -> {
            try (ServerSocket server = kit.server()) {
                return talk.with(server);
            }
        };
    }

    private static Scenario bound(TalkServer talk) {
        return kit -> {
            try (ServerSocket server = listening(kit)) {
                return talk.with(server);
            }
        };
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean blocked(Thread thread) {
        if (thread.isVirtual()) {
            return thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING;
        }
        StackTraceElement[] stack = thread.getStackTrace();
        return stack.length > 0 && stack[0].isNativeMethod() && stack[0].getClassName().startsWith("sun.nio.ch.");
    }

    private static boolean waits(Thread thread) {
        return thread.getState() == Thread.State.WAITING || blocked(thread);
    }

    /** What becomes of {@code step} when another thread does {@code action} while it waits. */
    private static String meanwhile(Step step, Action action) throws Exception {
        return meanwhile(step, _ -> action.run());
    }

    private interface OnThread {
        void run(Thread thread) throws Exception;
    }

    private static String meanwhile(Step step, OnThread action) throws Exception {
        Thread self = Thread.currentThread();
        CompletableFuture<String> acted = new CompletableFuture<>();
        Thread actor = new Thread(() -> {
            try {
                for (int looks = 0; looks < 3; looks = blocked(self) ? looks + 1 : 0) {
                    Thread.sleep(1); // a call that does not block is short: not found three times over
                }
                action.run(self);
                acted.complete("acted");
            } catch (Throwable t) {
                acted.completeExceptionally(t);
            }
        });
        actor.start();
        String outcome = outcome(step);
        boolean interrupted = Thread.interrupted();
        return outcome + "\ninterrupted: " + interrupted + "\n" + acted.get();
    }

    private static Step reading(Socket socket) throws IOException {
        InputStream in = socket.getInputStream(); // asked of a closed socket, it gives another error
        return in::read;
    }

    private static String readToTheError(Socket socket) {
        int[] read = new int[1];
        String end = outcome(() -> {
            InputStream in = socket.getInputStream();
            byte[] part = new byte[100];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                read[0] += n;
            }
            return "the end";
        });
        return read[0] + " bytes, " + end;
    }

    private static Object writeForEver(Socket socket) throws IOException {
        byte[] much = new byte[1 << 20];
        for (;;) {
            socket.getOutputStream().write(much);
        }
    }

    private interface TalkAddress {
        Object with(Kit kit, SocketAddress full) throws Exception;
    }

    /** With the address of somebody who takes no connection and does not refuse one either. */
    private static Scenario full(TalkAddress talk) {
        return kit -> {
            List<Socket> waiting = new ArrayList<>();
            try (ServerSocket server = new ServerSocket()) {
                server.bind(loopback(0), 1);
                for (;;) {
                    Socket socket = new Socket();
                    waiting.add(socket);
                    try {
                        socket.connect(server.getLocalSocketAddress(), 200);
                    } catch (SocketTimeoutException e) {
                        break;
                    }
                }
                return talk.with(kit, server.getLocalSocketAddress());
            } finally {
                for (Socket each : waiting) {
                    each.close();
                }
            }
        };
    }

    private static String states(Socket s) {
        return each(s::isBound, s::isConnected, s::isClosed, s::isInputShutdown, s::isOutputShutdown,
                () -> s.getPort() > 0 ? "port" : s.getPort(),
                s::getInetAddress, s::getRemoteSocketAddress, s::getLocalSocketAddress, s::getLocalAddress, s::toString,
                s::getChannel, () -> s.getLocalPort() > 0 ? "port" : s.getLocalPort());
    }

    private static String options(Socket s) {
        return each(s::getSoTimeout, s::getTcpNoDelay, s::getKeepAlive, s::getReuseAddress, s::getSoLinger,
                s::getOOBInline, s::getTrafficClass, s::getSendBufferSize, s::getReceiveBufferSize,
                () -> s.supportedOptions().stream().map(Object::toString).sorted().toList());
    }

    private static String calls(Socket s) {
        return each(s::getInputStream, s::getOutputStream, () -> did(s::shutdownInput), () -> did(s::shutdownOutput),
                () -> did(() -> s.sendUrgentData(1)), () -> did(() -> s.setSoTimeout(1)),
                () -> did(() -> s.setTcpNoDelay(true)), () -> did(() -> s.setKeepAlive(true)),
                () -> did(() -> s.setSoLinger(true, 1)), () -> did(() -> s.setReuseAddress(true)),
                () -> did(() -> s.setTrafficClass(8)), () -> did(() -> s.setOOBInline(true)),
                () -> did(() -> s.setReceiveBufferSize(4096)), () -> did(() -> s.setSendBufferSize(4096)),
                () -> did(() -> s.setPerformancePreferences(1, 2, 3)),
                () -> did(() -> s.setOption(StandardSocketOptions.SO_KEEPALIVE, true)),
                () -> s.getOption(StandardSocketOptions.SO_KEEPALIVE));
    }

    private static String states(ServerSocket s) {
        return each(s::isBound, s::isClosed, s::getInetAddress, s::getLocalSocketAddress, s::toString, s::getChannel,
                () -> s.getLocalPort() > 0 ? "port" : s.getLocalPort(), s::getSoTimeout, s::getReuseAddress,
                s::getReceiveBufferSize,
                () -> s.supportedOptions().stream().map(Object::toString).sorted().toList());
    }

    private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

    static {
        var all = SCENARIOS;
        all.put("a new socket", socket(s -> states(s) + options(s)));
        all.put("calls on a new socket", socket(LikeTheJdksSocketsTest::calls));
        all.put("a connected socket", talk((a, _) -> states(a) + options(a)));
        all.put("an accepted socket", talk((_, b) -> states(b) + options(b)));
        all.put("calls on a connected socket", talk((a, _) -> calls(a) + options(a) + states(a) + calls(a)));
        all.put("a closed socket", socket(s -> {
            s.close();
            s.close();
            return states(s) + options(s) + calls(s);
        }));
        all.put("a socket closed after it was connected", talk((a, _) -> {
            InputStream in = a.getInputStream();
            OutputStream out = a.getOutputStream();
            a.close();
            return states(a) + options(a) + calls(a) + each(in::read, in::available, () -> in.read(new byte[0]),
                    () -> did(() -> out.write(1)), () -> did(() -> out.write(new byte[0])), () -> did(out::flush),
                    () -> did(in::close), () -> did(out::close), () -> did(() -> a.connect(loopback(1))),
                    () -> did(() -> a.bind(null)));
        }));
        all.put("a socket closed after the end was read", talk((a, b) -> {
            InputStream in = a.getInputStream();
            b.close();
            String before = each(in::read, in::available);
            a.close();
            return before + each(in::read, in::available, () -> in.read(new byte[0]), () -> in.read(new byte[3]),
                    () -> did(in::close), in::read);
        }));
        all.put("a socket closed after its input was shut", talk((a, b) -> {
            InputStream of1 = a.getInputStream();
            InputStream of2 = b.getInputStream();
            a.shutdownInput();
            b.shutdownInput();
            String before = each(of1::read);
            a.close();
            b.close();
            return before + each(of1::read, of2::read);
        }));
        all.put("a socket closed after it was reset", talk((a, b) -> {
            InputStream in = a.getInputStream();
            b.setSoLinger(true, 0);
            b.close();
            String before = each(in::read, in::read);
            a.close();
            return before + each(in::read, in::available);
        }));
        all.put("bad values of options", socket(s -> each(() -> did(() -> s.setSoTimeout(-1)),
                () -> did(() -> s.setReceiveBufferSize(0)), () -> did(() -> s.setSendBufferSize(-1)),
                () -> did(() -> s.setTrafficClass(256)), () -> did(() -> s.setTrafficClass(-1)),
                () -> did(() -> s.setSoLinger(true, -1)), () -> did(() -> s.setSoLinger(true, 70_000)),
                s::getSoLinger, () -> did(() -> s.setSoLinger(false, -5)), s::getSoLinger,
                () -> did(() -> s.setOption(StandardSocketOptions.SO_LINGER, -7)), s::getSoLinger,
                () -> did(() -> s.setOption(StandardSocketOptions.SO_RCVBUF, -1)),
                () -> did(() -> s.setOption(StandardSocketOptions.IP_TOS, 300)),
                () -> did(() -> s.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 1)),
                () -> s.getOption(StandardSocketOptions.IP_MULTICAST_LOOP))));
        all.put("options that were set", socket(s -> each(() -> did(() -> s.setSoTimeout(1234)),
                () -> did(() -> s.setTcpNoDelay(true)), () -> did(() -> s.setKeepAlive(true)),
                () -> did(() -> s.setReuseAddress(true)), () -> did(() -> s.setSoLinger(true, 7)),
                () -> did(() -> s.setOOBInline(true)), () -> did(() -> s.setTrafficClass(16)),
                () -> did(() -> s.setSendBufferSize(20_000)), () -> did(() -> s.setReceiveBufferSize(30_000)),
                () -> did(() -> s.setOption(StandardSocketOptions.SO_REUSEPORT, true)),
                () -> s.getOption(StandardSocketOptions.SO_REUSEPORT)) + options(s)));
        all.put("null as an option", socket(s -> each(() -> s.getOption(null),
                () -> did(() -> s.setOption(null, null)),
                () -> did(() -> s.setOption(StandardSocketOptions.SO_KEEPALIVE, null)))));
        all.put("addresses that are none", kit -> each(
                () -> did(() -> kit.socket().connect(null)),
                () -> did(() -> kit.socket().connect(loopback(1), -1)),
                () -> did(() -> kit.socket().connect(UnixDomainSocketAddress.of("/nowhere"))),
                () -> did(() -> kit.socket().bind(UnixDomainSocketAddress.of("/nowhere"))),
                () -> did(() -> kit.socket().bind(InetSocketAddress.createUnresolved("no.such.host.invalid", 1))),
                () -> did(() -> kit.server().bind(UnixDomainSocketAddress.of("/nowhere"))),
                () -> did(() -> kit.server().bind(InetSocketAddress.createUnresolved("no.such.host.invalid", 1)))));
        all.put("a name that is not resolved", socket(s -> each(
                () -> did(() -> s.connect(InetSocketAddress.createUnresolved("no.such.host.invalid", 80))),
                () -> states(s))));
        all.put("nobody listens", kit -> {
            int port;
            try (ServerSocket gone = listening(kit)) {
                port = gone.getLocalPort();
            }
            try (Socket s = kit.socket()) {
                return each(() -> did(() -> s.connect(loopback(port))), () -> states(s),
                        () -> did(() -> s.connect(loopback(port))), () -> calls(s));
            }
        });
        all.put("port 0", socket(s -> each(() -> did(() -> s.connect(loopback(0))), () -> states(s))));
        all.put("connected twice", talk((a, b) -> each(() -> did(() -> a.connect(b.getLocalSocketAddress())),
                () -> did(() -> a.bind(loopback(0))), () -> did(() -> b.bind(null)), () -> states(a))));
        all.put("bound by hand", kit -> {
            try (ServerSocket server = listening(kit); Socket s = kit.socket()) {
                return each(() -> did(() -> s.bind(loopback(0))), () -> states(s), () -> did(() -> s.bind(loopback(0))),
                        () -> did(() -> s.connect(server.getLocalSocketAddress())), () -> states(s),
                        () -> server.accept().getPort() == s.getLocalPort());
            }
        });
        all.put("bound to no address in particular", socket(s -> each(() -> did(() -> s.bind(null)),
                () -> states(s))));
        all.put("bound where somebody is", kit -> {
            try (ServerSocket server = listening(kit);
                    Socket s = kit.socket();
                    ServerSocket other = kit.server()) {
                return each(() -> did(() -> s.bind(server.getLocalSocketAddress())), () -> states(s),
                        () -> did(() -> other.bind(server.getLocalSocketAddress())), () -> states(other),
                        () -> did(() -> other.bind(loopback(0))), () -> states(other),
                        () -> did(() -> s.bind(loopback(0))), () -> states(s));
            }
        });
        all.put("bound to an address of another machine", kit -> each(
                () -> did(() -> kit.socket().bind(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 0))),
                () -> did(() -> kit.server().bind(new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 0)))));
        all.put("connected to the wildcard", bound(server -> {
            try (Socket s = server instanceof PlainServerSocket ? OURS.socket() : JDK.socket()) {
                return each(() -> did(() -> s.connect(new InetSocketAddress(server.getLocalPort()))),
                        () -> states(s));
            }
        }));
        all.put("IPv6", kit -> {
            try (ServerSocket server = kit.server(); Socket s = kit.socket()) {
                return each(() -> did(() -> server.bind(new InetSocketAddress(InetAddress.ofLiteral("::1"), 0))),
                        () -> states(server),
                        () -> did(() -> s.connect(server.getLocalSocketAddress())), () -> states(s),
                        () -> states(server.accept()));
            }
        });
        all.put("IPv6 with a scope that is none", kit -> {
            byte[] linkLocal = new byte[16];
            linkLocal[0] = (byte) 0xfe;
            linkLocal[1] = (byte) 0x80;
            linkLocal[15] = 1;
            InetAddress nowhere = Inet6Address.getByAddress(null, linkLocal, 77);
            try (Socket s = kit.socket()) {
                return each(() -> did(() -> s.connect(new InetSocketAddress(nowhere, 9), 200)));
            }
        });

        all.put("a new server", server(s -> states(s) + each(s::accept, () -> did(() -> s.setSoTimeout(-1)),
                () -> did(() -> s.setReceiveBufferSize(0)), () -> did(() -> s.setPerformancePreferences(1, 1, 1)),
                () -> s.getOption(StandardSocketOptions.TCP_NODELAY))));
        all.put("a bound server", bound(s -> states(s) + each(() -> did(() -> s.bind(loopback(0))),
                () -> did(() -> s.bind(null)), () -> did(() -> s.setReuseAddress(false)), s::getReuseAddress)));
        all.put("a closed server", bound(s -> {
            s.close();
            s.close();
            return states(s) + each(s::accept, () -> did(() -> s.bind(loopback(0))), () -> did(() -> s.setSoTimeout(1)),
                    () -> did(() -> s.setReuseAddress(true)), () -> did(() -> s.setReceiveBufferSize(4096)));
        }));
        all.put("a server bound to no address in particular", server(s -> each(() -> did(() -> s.bind(null)),
                () -> states(s))));
        all.put("a server with a strange backlog", kit -> {
            try (ServerSocket zero = kit.server(); ServerSocket less = kit.server(); Socket s = kit.socket()) {
                return each(() -> did(() -> zero.bind(loopback(0), 0)), () -> did(() -> less.bind(loopback(0), -1)),
                        () -> did(() -> s.connect(less.getLocalSocketAddress())), () -> states(less.accept()));
            }
        });
        all.put("an accept that times out, and one that does not", kit -> {
            try (ServerSocket server = listening(kit); Socket s = kit.socket()) {
                server.setSoTimeout(20);
                String first = outcome(server::accept);
                s.connect(server.getLocalSocketAddress());
                server.setSoTimeout(0);
                return first + states(server.accept()) + server.getSoTimeout();
            }
        });
        all.put("accepting into a socket that is in use", kit -> {
            class Accepting extends ServerSocket {
                Accepting(@Nullable SocketImpl impl) throws IOException {
                    super(impl == null ? new FastSocketImpl(true, false) : impl);
                }

                void into(Socket socket) throws IOException {
                    implAccept(socket);
                }
            }
            if (kit == JDK) {
                return "done\n1"; // of JDK sockets only the JDK itself can make one
            }
            try (Accepting server = new Accepting(null); Socket client = kit.socket(); Socket other = kit.socket()) {
                server.bind(loopback(0));
                client.connect(server.getLocalSocketAddress());
                return each(() -> did(() -> server.into(other)), () -> {
                    client.getOutputStream().write(1);
                    return other.getInputStream().read();
                });
            }
        });

        all.put("reads of nothing, and outside of the array", talk((a, b) -> {
            InputStream in = a.getInputStream();
            OutputStream out = b.getOutputStream();
            byte[] four = new byte[4];
            out.write(bytes("xy"));
            return each(() -> in.read(four, 0, 0), () -> in.read(four, 4, 0), () -> in.read(four, 5, 0),
                    () -> in.read(four, -1, 1), () -> in.read(four, 0, 5), () -> in.read(four, 3, 2),
                    () -> in.read(four, 0, -1), () -> in.read(null, 0, 1), () -> in.read(null),
                    () -> in.read(new byte[0]), () -> did(() -> out.write(four, 0, 5)),
                    () -> did(() -> out.write(four, -1, 1)), () -> did(() -> out.write(null)),
                    () -> did(() -> out.write(four, 4, 0)), () -> in.readNBytes(2).length, in::markSupported);
        }));
        all.put("what is available", talk((a, b) -> {
            InputStream in = a.getInputStream();
            String none = outcome(in::available);
            b.getOutputStream().write(bytes("12345"));
            int first = in.read();
            String four = outcome(in::available);
            long skipped = in.skip(2);
            b.close();
            return none + first + four + skipped + each(() -> in.readAllBytes().length, in::available, in::read,
                    () -> in.read(new byte[0]), in::read, () -> states(a));
        }));
        all.put("the input is shut", talk((a, b) -> {
            InputStream in = a.getInputStream();
            b.getOutputStream().write(bytes("lost"));
            in.read();
            a.shutdownInput();
            return each(in::read, in::available, () -> in.read(new byte[0]), () -> did(a::shutdownInput),
                    a::getInputStream, () -> states(a), () -> did(() -> a.getOutputStream().write(1)),
                    () -> b.getInputStream().read());
        }));
        all.put("the output is shut", talk((a, b) -> {
            OutputStream out = a.getOutputStream();
            a.shutdownOutput();
            return each(() -> did(() -> out.write(1)), () -> did(() -> out.write(new byte[0])), a::getOutputStream,
                    () -> did(a::shutdownOutput), () -> did(() -> a.sendUrgentData(1)), () -> b.getInputStream().read(),
                    () -> did(() -> b.getOutputStream().write(7)), () -> a.getInputStream().read(), () -> states(a));
        }));
        all.put("urgent data out of the line", talk((a, b) -> {
            a.getOutputStream().write(1);
            a.sendUrgentData(2);
            a.getOutputStream().write(3);
            a.shutdownOutput();
            return List.of(b.getInputStream().read(), b.getInputStream().read(), b.getInputStream().read());
        }));
        all.put("urgent data in the line", talk((a, b) -> {
            b.setOOBInline(true);
            a.getOutputStream().write(1);
            a.sendUrgentData(258);
            a.getOutputStream().write(3);
            a.shutdownOutput();
            return java.util.Arrays.toString(b.getInputStream().readAllBytes());
        }));
        all.put("a peer that resets", talk((a, b) -> {
            b.setSoLinger(true, 0);
            b.close();
            InputStream in = a.getInputStream();
            return each(in::read, in::read, in::available, () -> in.read(new byte[0]),
                    () -> did(() -> a.getOutputStream().write(1)), () -> states(a), () -> did(a::shutdownInput),
                    () -> did(a::shutdownOutput));
        }));
        all.put("a peer that writes and resets", talk((a, b) -> {
            b.getOutputStream().write(new byte[1000]);
            b.setSoLinger(true, 0);
            b.close();
            return readToTheError(a) + each(() -> a.getInputStream().available(), () -> a.getInputStream().read());
        }));
        all.put("a peer that writes and resets, which is seen when something is written to it", talk((a, b) -> {
            b.getOutputStream().write(new byte[1000]);
            b.setSoLinger(true, 0);
            b.close();
            String writing = outcome(() -> writeForEver(a));
            return writing + readToTheError(a) + each(() -> did(() -> a.getOutputStream().write(1)));
        }));
        all.put("the time limit of a server is not that of its connections", bound(server -> {
            server.setSoTimeout(1234);
            try (Socket s = server instanceof PlainServerSocket ? OURS.socket() : JDK.socket()) {
                s.connect(server.getLocalSocketAddress());
                return server.accept().getSoTimeout();
            }
        }));
        all.put("the longest time limits", bound(server -> {
            server.setSoTimeout(Integer.MAX_VALUE);
            try (Socket s = server instanceof PlainServerSocket ? OURS.socket() : JDK.socket()) {
                s.connect(server.getLocalSocketAddress(), Integer.MAX_VALUE);
                s.setSoTimeout(Integer.MAX_VALUE);
                Socket accepted = server.accept();
                return meanwhile(reading(s), () -> accepted.getOutputStream().write(9));
            }
        }));
        all.put("a read that times out, and one that does not", talk((a, b) -> {
            a.setSoTimeout(20);
            InputStream in = a.getInputStream();
            String first = each(in::read, () -> in.read(new byte[0]), () -> states(a));
            b.getOutputStream().write(9);
            return first + in.read();
        }));
        all.put("a stream that is closed", talk((a, b) -> {
            a.getInputStream().close();
            b.getOutputStream().close();
            return states(a) + states(b);
        }));
        all.put("a connect that times out", full((kit, address) -> {
            try (Socket s = kit.socket()) {
                return each(() -> did(() -> s.connect(address, 50)), () -> states(s),
                        () -> did(() -> s.connect(address, 50)));
            }
        }));

        all.put("closed while it reads", talk((a, _) -> meanwhile(reading(a), a::close)
                + states(a)));
        all.put("closed while it reads with a timeout", talk((a, _) -> {
            a.setSoTimeout(50_000);
            return meanwhile(reading(a), a::close);
        }));
        all.put("closed while it writes", talk((a, _) -> meanwhile(() -> writeForEver(a), a::close)));
        all.put("closed while many read", talk((a, _) -> {
            List<Thread> threads = new ArrayList<>();
            Queue<String> ends = new ConcurrentLinkedQueue<>();
            for (int i = 0; i < 100; i++) {
                Step read = reading(a);
                threads.add((Thread.currentThread().isVirtual() ? Thread.ofVirtual() : Thread.ofPlatform())
                        .start(() -> ends.add(outcome(read))));
            }
            for (int looks = 0; looks < 3; looks = threads.stream().allMatch(LikeTheJdksSocketsTest::waits) ? looks + 1
                    : 0) {
                Thread.sleep(1); // one of them reads, the others wait for their turns
            }
            a.close();
            for (Thread each : threads) {
                each.join();
            }
            return List.copyOf(ends);
        }));
        all.put("closed while it accepts", bound(s -> meanwhile(s::accept, s::close) + states(s)));
        all.put("closed while it accepts with a timeout", bound(s -> {
            s.setSoTimeout(50_000);
            return meanwhile(s::accept, s::close);
        }));
        all.put("closed while it connects", full((kit, address) -> {
            Socket s = kit.socket();
            return meanwhile(() -> did(() -> s.connect(address)), s::close) + states(s);
        }));
        all.put("closed while it connects with a timeout", full((kit, address) -> {
            Socket s = kit.socket();
            return meanwhile(() -> did(() -> s.connect(address, 50_000)), s::close) + states(s);
        }));
        all.put("the input shut while it reads", talk((a, _) -> meanwhile(reading(a),
                a::shutdownInput) + states(a)));
        all.put("the output shut while it writes", talk((a, _) -> meanwhile(() -> writeForEver(a),
                a::shutdownOutput)));
        all.put("reset while it reads", talk((a, b) -> meanwhile(reading(a), () -> {
            b.setSoLinger(true, 0);
            b.close();
        })));
        all.put("the peer ends while it reads", talk((a, b) -> meanwhile(reading(a), b::close)));
        all.put("the peer ends while it writes", talk((a, b) -> {
            String outcome = meanwhile(() -> writeForEver(a), b::close);
            return outcome.contains("Connection reset") || outcome.contains("Broken pipe") ? "it fails" : outcome;
        }));
        interrupts(all);
    }

    /** Of a virtual thread: an interrupt closes the socket. A platform thread is not disturbed, so the socket is closed. */
    private static void interrupts(Map<String, Scenario> all) {
        all.put("interrupted while it reads", talk((a, _) -> meanwhile(reading(a),
                self -> interrupt(self, a)) + states(a)));
        all.put("interrupted while it reads with a timeout", talk((a, _) -> {
            a.setSoTimeout(50_000);
            return meanwhile(reading(a), self -> interrupt(self, a));
        }));
        all.put("interrupted while it writes", talk((a, _) -> meanwhile(() -> writeForEver(a),
                self -> interrupt(self, a)) + states(a)));
        all.put("interrupted while it accepts", bound(s -> meanwhile(s::accept, self -> interrupt(self, s))
                + states(s)));
        all.put("interrupted while it accepts with a timeout", bound(s -> {
            s.setSoTimeout(50_000);
            return meanwhile(s::accept, self -> interrupt(self, s));
        }));
        all.put("interrupted while it connects", full((kit, address) -> {
            Socket s = kit.socket();
            return meanwhile(() -> did(() -> s.connect(address)), self -> interrupt(self, s)) + states(s);
        }));
        all.put("interrupted before it reads", talk((a, b) -> {
            b.getOutputStream().write(bytes("xy"));
            InputStream in = a.getInputStream();
            in.read();
            Thread.currentThread().interrupt();
            String outcome = each(in::read, Thread::interrupted);
            return outcome + states(a);
        }));
        all.put("interrupted before it waits for something to read", talk((a, _) -> {
            if (!Thread.currentThread().isVirtual()) {
                return "waits";
            }
            Thread.currentThread().interrupt();
            return each(() -> a.getInputStream().read(), Thread::interrupted) + states(a);
        }));
    }

    private static void interrupt(Thread thread, AutoCloseable socket) throws Exception {
        thread.interrupt();
        if (!thread.isVirtual()) {
            socket.close();
        }
    }

    private static String after(Scenario scenario, Kit kit) throws IOException {
        String outcome = outcome(() -> scenario.on(kit));
        closeAll();
        return outcome;
    }

    private static String inThread(Thread.Builder builder, Callable<String> task) throws Exception {
        FutureTask<String> future = new FutureTask<>(task);
        builder.start(future);
        return future.get();
    }

    @TestFactory
    List<DynamicTest> inAGreenletAsInAVirtualThread() {
        return alike(Thread::ofVirtual, scenario -> {
            try (Hub hub = Hub.current()) {
                hub.onError((_, _) -> {
                    // what happens is in the outcome
                });
                return Loomlet.spawn(() -> after(scenario, OURS)).get();
            }
        });
    }

    @TestFactory
    List<DynamicTest> inAThreadOfNoHubAsInAnyThread() {
        return alike(Thread::ofPlatform, scenario -> inThread(Thread.ofPlatform(), () -> after(scenario, OURS)));
    }

    @TestFactory
    List<DynamicTest> inAVirtualThreadOfNoHubAsInOneOfTheJdk() {
        return alike(Thread::ofVirtual, scenario -> inThread(Thread.ofVirtual(), () -> after(scenario, OURS)));
    }

    private interface Ours {
        String outcomeOf(Scenario scenario) throws Exception;
    }

    /** A test for each scenario: the JDK's sockets in a thread from {@code jdks} tell what is expected of {@code ours}. */
    private static List<DynamicTest> alike(Supplier<Thread.Builder> jdks, Ours ours) {
        List<DynamicTest> tests = new ArrayList<>();
        SCENARIOS.forEach((name, scenario) -> tests.add(DynamicTest.dynamicTest(name, () -> {
            assumeTrue(Sockets.fast());
            String expected = inThread(jdks.get(), () -> after(scenario, JDK));
            assertThat(ours.outcomeOf(scenario)).isEqualTo(expected);
        })));
        return tests;
    }
}
