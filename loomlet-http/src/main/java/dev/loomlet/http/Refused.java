package dev.loomlet.http;

/** The client of a WebSocket does not keep to the protocol: it is told why, and that is the end. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1;
    final int code;

    Refused(int code, String reason) {
        super(reason);
        this.code = code;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
