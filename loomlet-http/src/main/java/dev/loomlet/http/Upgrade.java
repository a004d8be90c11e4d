package dev.loomlet.http;

import java.io.InputStream;
import java.io.OutputStream;

/** What becomes of a connection that has left HTTP, see {@link Response#upgrade}. */
@FunctionalInterface
public interface Upgrade {
    /**
     * Speaks the new protocol. Called in the greenlet of the connection, which ends with it.
     *
     * @param in what the client sends from now on; waits without a limit of time
     * @param out goes to the client at once, without a buffer
     * @throws Exception whatever goes wrong; it is reported to the hub's error handler
     */
    void run(InputStream in, OutputStream out) throws Exception;
}
