package dev.loomlet.http;

/**
 * An answer that is an error: thrown in a handler, the client gets its status and its message as plain text. It is the
 * client's mistake and nobody else's business, so it is not reported to the hub's error handler.
 *
 * {@snippet :
 * throw new HttpException(404, "no room of that name");
 * }
 */
public final class HttpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    /**
     * With a text for the client.
     *
     * @param status from 400 to 599
     */
    public HttpException(int status, String message) {
        super(message);
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("the status of an error is from 400 to 599, not " + status);
        }
        this.status = status;
    }

    /** The status. */
    public int status() {
        return status;
    }
}
