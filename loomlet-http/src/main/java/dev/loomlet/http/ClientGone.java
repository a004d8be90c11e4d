package dev.loomlet.http;

import java.io.IOException;

/** The connection is of no use any more, by the client's doing: it ends, and nobody needs to be told. */
final class ClientGone extends IOException {
    private static final long serialVersionUID = 1;

    ClientGone(String message) {
        super(message);
    }

    ClientGone(String message, IOException cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
