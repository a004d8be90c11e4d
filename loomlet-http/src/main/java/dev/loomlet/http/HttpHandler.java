package dev.loomlet.http;

/** What an {@link HttpServer} does with each request. Called in the greenlet of the connection. */
@FunctionalInterface
public interface HttpHandler {
    /**
     * Answers one request. Blocking code is right: a wait holds up nobody else. Without a word to {@code response} the
     * answer is an empty 200.
     *
     * @throws HttpException for an answer that is an error of the client's, such as 404
     * @throws Exception whatever goes wrong; the client gets a 500 (or, when part of the answer is on its way, the end of
     *     the connection), and the hub's error handler is told
     */
    void handle(Request request, Response response) throws Exception;
}
