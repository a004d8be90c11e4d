package dev.loomlet.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A listening socket that gives {@link StreamSocket}s. */
final class FastServerSocket extends ServerSocket {
    private final FastSocketImpl impl;
    private final boolean ready; // bound and listening from the beginning, which the superclass knows nothing of
    private final @Nullable SocketAddress unixAddress; // also when it is closed

    FastServerSocket() {
        this(new FastSocketImpl(true, false), false);
    }

    private FastServerSocket(FastSocketImpl impl, boolean ready) {
        super(impl);
        this.impl = impl;
        this.ready = ready;
        this.unixAddress = ready && impl.isUnix() ? impl.unixAddress(false) : null;
    }

    static FastServerSocket listening(UnixDomainSocketAddress address, int backlog) throws IOException {
        return new FastServerSocket(FastSocketImpl.listening(address, backlog), true);
    }

    static FastServerSocket listening(int descriptor) throws IOException {
        return new FastServerSocket(FastSocketImpl.listening(descriptor), true);
    }

    FastServerSocket share() throws IOException {
        if (!isBound()) {
            throw new SocketException("Socket is not bound yet");
        }
        return new FastServerSocket(impl.share(), true);
    }

    static Socket connect(UnixDomainSocketAddress address, @Nullable Duration timeout) throws IOException {
        FastSocketImpl dialling = FastSocketImpl.dialling(address);
        if (timeout != null) {
            dialling.limit(Sockets.millis(timeout));
        }
        StreamSocket socket = new StreamSocket();
        new FastServerSocket(dialling, true).implAccept(socket);
        return socket;
    }

    @Override
    public Socket accept() throws IOException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
        if (!isBound()) {
            throw new SocketException("Socket is not bound yet");
        }
        StreamSocket socket = new StreamSocket();
        implAccept(socket);
        return socket;
    }

    @Override
    public boolean isBound() {
        return ready || super.isBound();
    }

    @Override
    public void bind(SocketAddress address, int backlog) throws IOException {
        if (ready) {
            throw new SocketException("Already bound");
        }
        super.bind(address, backlog);
    }

    @Override
    public void close() throws IOException {
        super.close();
        if (ready) {
            impl.close();
        }
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return !ready ? super.getLocalSocketAddress() : unixAddress != null ? unixAddress : impl.inetAddress();
    }

    @Override
    public int getLocalPort() {
        return !ready ? super.getLocalPort() : unixAddress != null ? -1 : impl.inetAddress().getPort();
    }

    @Override
    public InetAddress getInetAddress() {
        return ready && unixAddress == null ? impl.inetAddress().getAddress() : super.getInetAddress();
    }

    @Override
    public String toString() {
        return "ServerSocket[" + (isBound() ? Addresses.format(getLocalSocketAddress()) : "unbound") + "]";
    }
}
