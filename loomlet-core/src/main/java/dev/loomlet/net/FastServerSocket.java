package dev.loomlet.net;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;

/** A listening socket that gives {@link StreamSocket}s. */
final class FastServerSocket extends ServerSocket {
    FastServerSocket() {
        super(new FastSocketImpl(true, false));
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
}
