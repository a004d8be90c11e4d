package dev.loomlet.net;

import java.net.Socket;

/** What a {@link StreamServer} does with each connection. Called in a greenlet of its own. */
@FunctionalInterface
public interface ConnectionHandler {
    /**
     * Serves one connection. Blocking code is right: a wait holds up nobody else.
     *
     * @param socket the connection; closed by the server when this returns, in whatever way
     * @throws Exception whatever goes wrong; it ends this connection only, and is reported to the hub's error handler
     */
    void handle(Socket socket) throws Exception;
}
