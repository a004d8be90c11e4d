package dev.loomlet.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * A request. What its head says can be kept; its body can be read until the handler returns, in the greenlet that the
 * handler was called in.
 */
public final class Request {
    /** What an unread body may still have for the connection to be used again. */
    private static final int WORTH_READING = 64 * 1024;

    private final Connection connection;
    private final Workspace work;
    private final String method;
    private final String target;
    private final boolean http11;
    private final Headers headers;
    private final boolean hasBody;
    private final long contentLength;
    private final boolean expectsContinue;
    private @Nullable Response response;
    private @Nullable RequestBody body;
    private @Nullable Map<String, List<String>> parameters;
    private @Nullable Map<String, String> pathParameters;
    private long maxBody;
    private boolean ended;
    private @Nullable Headers trailers; // once the workspace is somebody else's

    Request(Connection connection, Workspace work) {
        this.connection = connection;
        this.work = work;
        method = work.method;
        target = work.target;
        http11 = work.http11;
        headers = work.headers;
        contentLength = work.bad != 0 || work.chunked ? -1 : Math.max(work.parser.getContentLength(), 0);
        hasBody = contentLength != 0;
        expectsContinue = work.expectsContinue;
        maxBody = connection.server.maxBody();
    }

    void answeredBy(Response newResponse) {
        response = newResponse;
    }

    /** The method, such as {@code GET}. */
    public String method() {
        return method;
    }

    /** What was asked for, as it was sent: a path with its query, hardly ever a whole URI, or {@code *}. */
    public String target() {
        return target;
    }

    /** The path, as it was sent: without the query, with percent signs. */
    public String rawPath() {
        int start = target.startsWith("/") || target.equals("*") ? 0 : Workspace.pathOf(target);
        int question = target.indexOf('?', start);
        String path = target.substring(start, question < 0 ? target.length() : question);
        return path.isEmpty() ? "/" : path;
    }

    /**
     * The path, decoded. It may hold anything, also {@code ..}: do not make a file name of it, that is what
     * {@link StaticFiles} is for.
     *
     * @throws HttpException 400 if it has a percent sign without two hexadecimal digits, or is not UTF-8
     */
    public String path() {
        return Percent.decode(rawPath(), false);
    }

    /** The query, as it was sent. */
    public Optional<String> query() {
        int question = target.indexOf('?');
        return question < 0 ? Optional.empty() : Optional.of(target.substring(question + 1));
    }

    /** The first value of a parameter of the query, decoded. */
    public Optional<String> parameter(String name) {
        List<String> values = parameters().get(name);
        return values == null ? Optional.empty() : Optional.of(values.getFirst());
    }

    /**
     * The parameters of the query, decoded, in the order in which they came.
     *
     * @throws HttpException 400 if it has a percent sign without two hexadecimal digits, or is not UTF-8
     */
    public Map<String, List<String>> parameters() {
        Map<String, List<String>> known = parameters;
        if (known == null) {
            known = new LinkedHashMap<>();
            for (String each : query().orElse("").split("&")) {
                if (!each.isEmpty()) {
                    int equals = each.indexOf('=');
                    String name = Percent.decode(equals < 0 ? each : each.substring(0, equals), true);
                    String value = equals < 0 ? "" : Percent.decode(each.substring(equals + 1), true);
                    known.computeIfAbsent(name, _ -> new ArrayList<>(1)).add(value);
                }
            }
            parameters = known;
        }
        return known;
    }

    /**
     * What stands in the path for a name in the braces of a {@link Router}'s pattern, decoded.
     *
     * @throws IllegalArgumentException if the pattern has no such name
     */
    public String pathParameter(String name) {
        Map<String, String> known = pathParameters;
        String value = known == null ? null : known.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no {" + name + "} in the pattern that " + rawPath() + " was found by");
        }
        return value;
    }

    void pathParameters(Map<String, String> values) {
        pathParameters = values;
    }

    /** The version of HTTP, {@code HTTP/1.1} or {@code HTTP/1.0}. */
    public String protocol() {
        return http11 ? "HTTP/1.1" : "HTTP/1.0";
    }

    boolean isHttp11() {
        return http11;
    }

    /** The header fields. */
    public Headers headers() {
        return headers;
    }

    /** The value of the first header field of that name, in whatever case. */
    public Optional<String> header(String name) {
        return headers.first(name);
    }

    /** Who asks. */
    public InetSocketAddress remote() {
        return connection.remote();
    }

    /** Where the connection arrived. */
    public InetSocketAddress local() {
        return connection.local();
    }

    /** {@code https} if the connection is encrypted, else {@code http}. */
    public String scheme() {
        return tls().isPresent() ? "https" : "http";
    }

    /** What was agreed on with the client, and who it has proved to be, if the connection is encrypted. */
    public Optional<SSLSession> tls() {
        return connection.tls();
    }

    // --- the body

    /** How long the body is, if the head says so: not when it comes in chunks. */
    public Optional<Long> contentLength() {
        return contentLength < 0 ? Optional.empty() : Optional.of(contentLength);
    }

    /** Lets this body be longer, or makes it shorter, than the server allows in general. Before it is read. */
    public Request maxBody(long bytes) {
        maxBody = bytes;
        RequestBody now = body;
        if (now != null) {
            now.limit(bytes);
        }
        return this;
    }

    /**
     * The body, as it comes. Its end is the end of the body, not of the connection. Closing it is not needed.
     *
     * <p>Reading throws {@link HttpException}: 413 for a body that is too long, 408 for one that does not come, 400 for one
     * in chunks that are none.
     *
     * @throws HttpException 413 if its length is known and too long
     */
    public InputStream body() {
        RequestBody now = body;
        if (now == null) {
            Response answer = response;
            if (answer == null || ended) {
                throw new IllegalStateException(this + " has been answered; its body is gone");
            }
            if (contentLength > maxBody) {
                answer.closeAfter();
                throw new HttpException(413, "the body of the request is longer than " + maxBody + " bytes");
            }
            now = new RequestBody(connection, work, answer, maxBody);
            body = now;
        }
        return now;
    }

    /** The whole body. */
    public byte[] bytes() throws IOException {
        return body().readAllBytes();
    }

    /** The whole body as text, which is taken to be UTF-8. */
    public String text() throws IOException {
        return new String(bytes(), StandardCharsets.UTF_8);
    }

    /** The fields that followed the body; none before its end was read. */
    public Headers trailers() {
        Headers all = work.headers == headers ? work.trailers : trailers;
        return all == null ? new Headers() : all;
    }

    boolean expectsContinue() {
        return expectsContinue;
    }

    boolean hasBody() {
        return hasBody;
    }

    boolean isRead() {
        return work.bodyDone;
    }

    /** Reads what the handler has left of the body, if that is little; false if the connection is of no use any more. */
    boolean drain() throws ClientGone {
        if (work.bodyDone) {
            return true;
        }
        Response answer = response;
        if (answer == null || (expectsContinue && !answer.hasContinued())) {
            return !hasBody && endOfHead();
        }
        if (!hasBody) {
            return endOfHead();
        }
        try {
            RequestBody rest = body == null ? new RequestBody(connection, work, answer, Long.MAX_VALUE) : body;
            return rest.skipRest(WORTH_READING);
        } catch (ClientGone e) {
            throw e;
        } catch (IOException | HttpException e) {
            return false;
        }
    }

    private boolean endOfHead() {
        work.parseBody(); // the parser's last step
        return work.bodyDone;
    }

    /** The handler has returned. */
    void end() {
        RequestBody now = body;
        if (now != null) {
            now.end();
        }
        ended = true;
        trailers = work.trailers;
    }

    @Override
    public String toString() {
        return method + " " + target;
    }
}
