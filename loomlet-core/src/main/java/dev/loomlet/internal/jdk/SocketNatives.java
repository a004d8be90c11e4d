package dev.loomlet.internal.jdk;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.Cleaner;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.ProxySelector;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The JDK's own natives for stream sockets ({@code sun.nio.ch.Net}, {@code SocketDispatcher}), on descriptors that do not
 * block. Any thread. Results below zero are {@link #EOF}, {@link #UNAVAILABLE} and {@link #INTERRUPTED}.
 */
public final class SocketNatives {
    public static final int EOF = -1;
    public static final int UNAVAILABLE = -2;
    public static final int INTERRUPTED = -3;

    private static final String OTHER_TYPE = "Protocol wrong type for socket"; // EPROTOTYPE

    public static final int SHUTDOWN_INPUT = 0;
    public static final int SHUTDOWN_OUTPUT = 1;

    /** The most that goes through the temporary buffer at a time; it stays with the thread, outside the heap. */
    private static final int MOST = 64 * 1024;

    private static final Class<?> NET = Access.type("sun.nio.ch.Net");
    private static final Class<?> IO = Access.type("sun.nio.ch.IOUtil");
    private static final Class<?> DISPATCHER = Access.type("sun.nio.ch.SocketDispatcher");
    private static final Class<?> POLLER = Access.type("sun.nio.ch.Poller");
    private static final Class<?> BUFFERS = Access.type("sun.nio.ch.Util");
    private static final Class<?> DIRECT = Access.type("sun.nio.ch.DirectBuffer");
    private static final Class<FileDescriptor> FD = FileDescriptor.class;

    private static final MethodHandle SOCKET = Access.staticMethod(NET, "socket", FD);
    private static final MethodHandle SERVER_SOCKET = Access.staticMethod(NET, "serverSocket", FD);
    private static final MethodHandle BIND =
            Access.staticMethod(NET, "bind", void.class, FD, InetAddress.class, int.class);
    private static final MethodHandle LISTEN = Access.staticMethod(NET, "listen", void.class, FD, int.class);
    private static final MethodHandle CONNECT =
            Access.staticMethod(NET, "connect", int.class, FD, InetAddress.class, int.class);
    private static final MethodHandle CONNECTED = Access.staticMethod(NET, "pollConnectNow", boolean.class, FD);
    private static final MethodHandle ACCEPT =
            Access.staticMethod(NET, "accept", int.class, FD, FD, InetSocketAddress[].class);
    private static final MethodHandle SHUTDOWN = Access.staticMethod(NET, "shutdown", void.class, FD, int.class);
    private static final MethodHandle LOCAL = Access.staticMethod(NET, "localAddress", InetSocketAddress.class, FD);
    private static final MethodHandle SET_OPTION =
            Access.staticMethod(NET, "setSocketOption", void.class, FD, SocketOption.class, Object.class);
    private static final MethodHandle SET_IP_OPTION = Access.staticMethod(NET, "setIpSocketOption", void.class, FD,
            ProtocolFamily.class, SocketOption.class, Object.class);
    private static final MethodHandle GET_OPTION = Access.staticMethod(NET, "getSocketOption", Object.class, FD,
            ProtocolFamily.class, SocketOption.class);
    private static final MethodHandle POLL = Access.staticMethod(NET, "poll", int.class, FD, int.class, long.class);
    private static final MethodHandle AVAILABLE = Access.staticMethod(NET, "available", int.class, FD);
    private static final MethodHandle SEND_URGENT = Access.staticMethod(NET, "sendOOB", int.class, FD, byte.class);
    private static final MethodHandle CONFIGURE_BLOCKING =
            Access.staticMethod(IO, "configureBlocking", void.class, FD, boolean.class);
    private static final MethodHandle FD_VALUE = Access.staticMethod(IO, "fdVal", int.class, FD);
    private static final MethodHandle READ =
            Access.staticMethod(DISPATCHER, "read0", int.class, FD, long.class, int.class);
    private static final MethodHandle WRITE =
            Access.staticMethod(DISPATCHER, "write0", int.class, FD, long.class, int.class);
    private static final MethodHandle BUFFER =
            Access.staticMethod(BUFFERS, "getTemporaryDirectBuffer", ByteBuffer.class, int.class);
    private static final MethodHandle BUFFER_BACK =
            Access.staticMethod(BUFFERS, "offerFirstTemporaryDirectBuffer", void.class, ByteBuffer.class);
    private static final MethodHandle ADDRESS = Access.method(DIRECT, "address", long.class)
            .asType(MethodType.methodType(long.class, ByteBuffer.class));
    private static final MethodHandle POLL_VIRTUAL = Access.staticMethod(POLLER, "poll", void.class, int.class,
            int.class, long.class, BooleanSupplier.class);
    private static final MethodHandle CURRENT_NATIVE =
            Access.staticMethod(Access.type("sun.nio.ch.NativeThread"), "current", long.class);
    private static final MethodHandle PRE_CLOSE;
    private static final MethodHandle CLOSE;
    private static final short POLLIN = (short) Access.staticField(NET, "POLLIN", short.class);
    private static final short POLLOUT = (short) Access.staticField(NET, "POLLOUT", short.class);
    private static final ProtocolFamily FAMILY;
    private static final SocketOption<?> URGENT_INLINE =
            (SocketOption<?>) Access.staticField(Access.type("sun.nio.ch.ExtendedSocketOption"), "SO_OOBINLINE",
                    SocketOption.class);
    private static final Cleaner CLEANER;

    static {
        try {
            Object dispatcher = Access.in(DISPATCHER)
                    .findConstructor(DISPATCHER, MethodType.methodType(void.class)).invoke();
            PRE_CLOSE = MethodHandles.insertArguments(
                    Access.method(DISPATCHER, "preClose", void.class, FD, long.class, long.class), 0, dispatcher);
            CLOSE = MethodHandles.insertArguments(Access.method(DISPATCHER, "close", void.class, FD), 0, dispatcher);
            FAMILY = (boolean) Access.staticMethod(NET, "isIPv6Available", boolean.class).invokeExact()
                    ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET;
            CLEANER = (Cleaner) Access.staticMethod(Access.type("jdk.internal.ref.CleanerFactory"), "cleaner",
                    Cleaner.class).invokeExact();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private SocketNatives() {}

    /** Whether all this is there, in a class apart: where it is not, the initialisation of this one fails. */
    public static final class SelfTest {
        private static final String PROBLEM = Access.problem(() -> {
            var _ = options(false);
            Objects.requireNonNull(Unspecified.FAMILY);
        });

        private SelfTest() {}

        /** What is missing, for people, or an empty string. */
        public static String problem() {
            return PROBLEM;
        }
    }

    /** A new socket that does not block. */
    public static FileDescriptor open(boolean server) throws IOException {
        try {
            FileDescriptor fd =
                    server ? (FileDescriptor) SERVER_SOCKET.invokeExact() : (FileDescriptor) SOCKET.invokeExact();
            CONFIGURE_BLOCKING.invokeExact(fd, false);
            return fd;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Unix domain sockets, and descriptors that came from elsewhere; made at first use. */
    private static final class Others {
        private static final Class<?> UNIX = Access.type("sun.nio.ch.UnixDomainSockets");
        static final MethodHandle SOCKET = Access.staticMethod(UNIX, "socket", FD);
        static final MethodHandle BIND = Access.staticMethod(UNIX, "bind", void.class, FD, Path.class);
        static final MethodHandle CONNECT = Access.staticMethod(UNIX, "connect", int.class, FD, Path.class);
        static final MethodHandle ACCEPT = Access.staticMethod(UNIX, "accept", int.class, FD, FD, String[].class);
        static final MethodHandle LOCAL =
                Access.staticMethod(UNIX, "localAddress", UnixDomainSocketAddress.class, FD);
        static final MethodHandle NEW_FD = Access.staticMethod(IO, "newFD", FD, int.class);
        static final MethodHandle DUP =
                Access.staticMethod(Access.type("sun.nio.fs.UnixNativeDispatcher"), "dup", int.class, int.class);
        static final MethodHandle INT_OPTION = Access.staticMethod(NET, "getIntOption0", int.class, FD, boolean.class,
                int.class, int.class);
        static final MethodHandle CHANNEL_FD = Access.method(Access.type("sun.nio.ch.SelChImpl"), "getFD", FD);
        static final int SOL_SOCKET = 1;
        static final int SO_ACCEPTCONN = 30;
        static final int SO_DOMAIN = 39;
        static final int AF_UNIX = 1;

        private Others() {}
    }

    /** A new Unix domain socket that does not block. */
    public static FileDescriptor openUnix() throws IOException {
        try {
            FileDescriptor fd = (FileDescriptor) Others.SOCKET.invokeExact();
            CONFIGURE_BLOCKING.invokeExact(fd, false);
            return fd;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static void bindUnix(FileDescriptor fd, Path path) throws IOException {
        try {
            Others.BIND.invokeExact(fd, path);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Connects; false if the server's backlog is full: it has to be tried again. */
    public static boolean connectUnix(FileDescriptor fd, Path path) throws IOException {
        try {
            return (int) Others.CONNECT.invokeExact(fd, path) > 0;
        } catch (SocketException e) {
            // EAGAIN, which the JDK tells by its text only, and that may be in any language. The other errors of this class
            // are those of a file that is missing or closed to us, and of a socket of another type.
            if (e.getClass() == SocketException.class && Files.isWritable(path) && !OTHER_TYPE.equals(e.getMessage())) {
                return false;
            }
            throw e;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** As {@link #accept(FileDescriptor, FileDescriptor, InetSocketAddress[])}, at a Unix domain socket. */
    public static int acceptUnix(FileDescriptor fd, FileDescriptor connection, String[] peer) throws IOException {
        try {
            return accepted((int) Others.ACCEPT.invokeExact(fd, connection, peer), connection);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static UnixDomainSocketAddress localUnixAddress(FileDescriptor fd) throws IOException {
        try {
            return (UnixDomainSocketAddress) Others.LOCAL.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Takes over a descriptor that this process was given, if it is one of a listening socket.
     *
     * @throws IOException if it is not
     */
    public static FileDescriptor adoptListening(int descriptor) throws IOException {
        try {
            FileDescriptor fd = (FileDescriptor) Others.NEW_FD.invokeExact(descriptor);
            boolean listening;
            try {
                listening =
                        (int) Others.INT_OPTION.invokeExact(fd, false, Others.SOL_SOCKET, Others.SO_ACCEPTCONN) != 0;
            } catch (IOException e) {
                throw new IOException("descriptor " + descriptor + " is no socket: " + e.getMessage(), e);
            }
            if (!listening) {
                throw new IOException("descriptor " + descriptor + " is a socket that does not listen");
            }
            CONFIGURE_BLOCKING.invokeExact(fd, false);
            return fd;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static boolean isUnix(FileDescriptor fd) throws IOException {
        try {
            return (int) Others.INT_OPTION.invokeExact(fd, false, Others.SOL_SOCKET, Others.SO_DOMAIN)
                    == Others.AF_UNIX;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Another descriptor of the same socket. */
    public static int duplicate(FileDescriptor fd) throws IOException {
        try {
            return (int) Others.DUP.invokeExact(value(fd));
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("cannot duplicate a descriptor: " + e.getMessage(), e);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The descriptor of one of the JDK's channels. */
    public static FileDescriptor descriptor(SelectableChannel channel) {
        try {
            return (FileDescriptor) Others.CHANNEL_FD.invoke(channel);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static int value(FileDescriptor fd) {
        try {
            return (int) FD_VALUE.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static void bind(FileDescriptor fd, InetAddress address, int port) throws IOException {
        try {
            BIND.invokeExact(fd, address, port);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static void listen(FileDescriptor fd, int backlog) throws IOException {
        try {
            LISTEN.invokeExact(fd, backlog);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Begins to connect; true if that was all. */
    public static boolean connect(FileDescriptor fd, InetAddress address, int port) throws IOException {
        try {
            return (int) CONNECT.invokeExact(fd, address, port) > 0;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Whether the connection is there by now; throws if it will never be. */
    public static boolean connected(FileDescriptor fd) throws IOException {
        try {
            return (boolean) CONNECTED.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Takes a connection out of the backlog; it does not block.
     *
     * @param connection filled in
     * @param peer its first element is filled in
     */
    public static int accept(FileDescriptor fd, FileDescriptor connection, InetSocketAddress[] peer)
            throws IOException {
        try {
            return accepted((int) ACCEPT.invokeExact(fd, connection, peer), connection);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static int accepted(int n, FileDescriptor connection) throws Throwable {
        if (n > 0) {
            try {
                CONFIGURE_BLOCKING.invokeExact(connection, false);
            } catch (Throwable t) {
                close(connection);
                throw t;
            }
        }
        return n;
    }

    public static void shutdown(FileDescriptor fd, int how) throws IOException {
        try {
            SHUTDOWN.invokeExact(fd, how);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static InetSocketAddress localAddress(FileDescriptor fd) throws IOException {
        try {
            return (InetSocketAddress) LOCAL.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static void setOption(FileDescriptor fd, SocketOption<?> option, Object value) throws IOException {
        try {
            if (option == StandardSocketOptions.IP_TOS) {
                SET_IP_OPTION.invokeExact(fd, FAMILY, option, value);
            } else {
                SET_OPTION.invokeExact(fd, option, value);
            }
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static Object getOption(FileDescriptor fd, SocketOption<?> option) throws IOException {
        try {
            return GET_OPTION.invoke(fd, option == StandardSocketOptions.IP_TOS ? FAMILY : Unspecified.FAMILY, option);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** {@code SO_OOBINLINE}, which has no public name. */
    public static SocketOption<?> urgentInline() {
        return URGENT_INLINE;
    }

    private static final class Unspecified {
        static final ProtocolFamily FAMILY =
                (ProtocolFamily) Access.staticField(NET, "UNSPEC", ProtocolFamily.class);
    }

    /** What the JDK puts around a socket to send its connections through a SOCKS proxy; made at first use. */
    private static final class Proxies {
        private static final Class<?> SOCKS = Access.type("java.net.SocksSocketImpl");
        static final MethodHandle AROUND;
        static final StackWalker STACK = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

        static {
            try {
                AROUND = Access.in(SOCKS).findConstructor(SOCKS, MethodType.methodType(void.class, SocketImpl.class))
                        .asType(MethodType.methodType(SocketImpl.class, SocketImpl.class));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private Proxies() {}

        /** Whether somebody could want a proxy: the JDK's own selector gives one only if this property is set. */
        static boolean possible() {
            if (System.getProperty("socksProxyHost") != null) {
                return true;
            }
            ProxySelector selector = ProxySelector.getDefault();
            return selector != null && !selector.getClass().getName().equals("sun.net.spi.DefaultProxySelector");
        }

        /**
         * Whether the socket is being made with {@link java.net.Proxy#NO_PROXY}, or for a connection that was accepted.
         * Nothing else tells a factory.
         */
        static boolean unwanted() {
            MethodType withProxy = MethodType.methodType(void.class, java.net.Proxy.class);
            return STACK.walk(frames -> frames.anyMatch(each -> each.getDeclaringClass() == java.net.ServerSocket.class
                    || (each.getDeclaringClass() == java.net.Socket.class && each.getMethodName().equals("<init>")
                            && each.getMethodType().equals(withProxy))));
        }
    }

    /** The socket as {@code new Socket()} would have it: its connections go through a SOCKS proxy if one is set. */
    public static SocketImpl proxied(SocketImpl impl) {
        try {
            return Proxies.possible() && !Proxies.unwanted() ? (SocketImpl) Proxies.AROUND.invokeExact(impl) : impl;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The options that the JDK's own sockets have. */
    @SuppressWarnings("unchecked")
    public static Set<SocketOption<?>> options(boolean server) {
        try {
            Object impl = Access.in(SocketImpl.class).findStatic(SocketImpl.class, "createPlatformSocketImpl",
                    MethodType.methodType(SocketImpl.class, boolean.class)).invoke(server);
            return (Set<SocketOption<?>>) Access.method(SocketImpl.class, "supportedOptions", Set.class).invoke(impl);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The options that the JDK's channels over Unix domain sockets have. */
    public static Set<SocketOption<?>> unixOptions(boolean server) {
        try (NetworkChannel channel = server ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                : SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return channel.supportedOptions();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static int available(FileDescriptor fd) throws IOException {
        try {
            return (int) AVAILABLE.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static int sendUrgent(FileDescriptor fd, byte data) throws IOException {
        try {
            return (int) SEND_URGENT.invokeExact(fd, data);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** The JDK's natives have classes of their own for what its sockets call a {@code SocketException}. */
    private static SocketException broken(IOException e) {
        if (e.getClass() == SocketException.class) {
            return (SocketException) e;
        }
        SocketException told = new SocketException(e.getMessage());
        told.initCause(e);
        return told;
    }

    /** Reads by way of the thread's temporary buffer. */
    public static int read(FileDescriptor fd, byte[] bytes, int offset, int length) throws IOException {
        int size = Math.min(length, MOST);
        try {
            ByteBuffer buffer = (ByteBuffer) BUFFER.invokeExact(size);
            try {
                int n = (int) READ.invokeExact(fd, (long) ADDRESS.invokeExact(buffer), size);
                if (n > 0) {
                    buffer.get(bytes, offset, n);
                }
                return n;
            } finally {
                BUFFER_BACK.invokeExact(buffer);
            }
        } catch (IOException e) {
            throw broken(e);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Writes by way of the thread's temporary buffer; at most what fits into it. */
    public static int write(FileDescriptor fd, byte[] bytes, int offset, int length) throws IOException {
        int size = Math.min(length, MOST);
        try {
            ByteBuffer buffer = (ByteBuffer) BUFFER.invokeExact(size);
            try {
                buffer.put(bytes, offset, size);
                return (int) WRITE.invokeExact(fd, (long) ADDRESS.invokeExact(buffer), size);
            } finally {
                BUFFER_BACK.invokeExact(buffer);
            }
        } catch (IOException e) {
            throw broken(e);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Reads into a direct buffer, from its position on; the position stays. */
    public static int read(FileDescriptor fd, ByteBuffer direct) throws IOException {
        try {
            return (int) READ.invokeExact(fd, (long) ADDRESS.invokeExact(direct) + direct.position(),
                    direct.remaining());
        } catch (IOException e) {
            throw broken(e);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Writes from a direct buffer, from its position on; the position stays. */
    public static int write(FileDescriptor fd, ByteBuffer direct) throws IOException {
        try {
            return (int) WRITE.invokeExact(fd, (long) ADDRESS.invokeExact(direct) + direct.position(),
                    direct.remaining());
        } catch (IOException e) {
            throw broken(e);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Blocks the calling platform thread until there is something to read (or room to write), or a signal comes. */
    public static void pollBlocking(FileDescriptor fd, boolean read, long nanos) throws IOException {
        long millis = nanos < 0 ? -1 : (nanos + 999_999) / 1_000_000;
        try {
            int ignored = (int) POLL.invokeExact(fd, (int) (read ? POLLIN : POLLOUT), millis);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Parks the calling virtual thread, with the JDK's poller, until there is something to read (or room to write). */
    public static void pollParking(int fd, boolean read, long nanos, BooleanSupplier open) throws IOException {
        try {
            POLL_VIRTUAL.invokeExact(fd, (int) (read ? POLLIN : POLLOUT), Math.max(0, nanos), open);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** What {@link #preClose} needs to reach the calling thread. */
    public static long currentThread() {
        try {
            return (long) CURRENT_NATIVE.invokeExact();
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Wakes those who are in {@link #pollBlocking} and {@link #pollParking}; 0 stands for nobody. */
    public static void preClose(FileDescriptor fd, long reader, long writer) throws IOException {
        try {
            PRE_CLOSE.invokeExact(fd, reader, writer);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    public static void close(FileDescriptor fd) throws IOException {
        try {
            CLOSE.invokeExact(fd);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Has {@code action} run once: when told to, or after {@code owner} has become garbage. */
    public static Cleaner.Cleanable cleaner(Object owner, Runnable action) {
        return CLEANER.register(owner, action);
    }
}
