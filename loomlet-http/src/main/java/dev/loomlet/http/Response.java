package dev.loomlet.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request. First what its head says, then {@link #send} with the whole of it or {@link #body} for a stream:
 *
 * {@snippet :
 * response.type("application/json").send(json);
 *
 * response.status(201).header("Location", "/rooms/7").send();
 *
 * try (OutputStream out = response.type("text/csv").body()) {
 *     for (Row row : rows) {
 *         out.write(row.bytes());      // in chunks, as it comes; a slow client makes this wait, and nobody else
 *     }
 * }
 * }
 *
 * <p>A small answer leaves with one write, and with those of the requests that came together with its own. For the greenlet
 * that the handler was called in only.
 */
public final class Response {
    private static final byte[] CONTINUE = ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] CONTENT_LENGTH = ascii("Content-Length: ");
    private static final byte[] CONTENT_TYPE = ascii("Content-Type: ");
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] CLOSE = ascii("Connection: close\r\n");
    private static final byte[] KEEP_ALIVE = ascii("Connection: keep-alive\r\n");
    private static final byte[] CRLF = ascii("\r\n");
    private static final byte[] LAST_CHUNK = ascii("0\r\n");
    private static final byte[][] STATUS_LINES = new byte[600][];
    static final int WORTH_ZIPPING = 1024;

    /** RFC 9110, 6.5.1: framing, routing, conditions, authentication, and how to understand the content. */
    private static final Set<String> NO_TRAILERS = Set.of("content-length", "transfer-encoding", "connection", "host",
            "trailer", "te", "upgrade", "content-type", "content-encoding", "content-range", "authorization",
            "www-authenticate", "set-cookie", "cache-control", "expires", "date", "location", "retry-after", "vary",
            "age");

    private final Connection connection;
    private final Workspace work;
    private final Request request;
    private final boolean head;
    private int status = 200;
    private @Nullable String type;
    private @Nullable Headers headers;
    private @Nullable Headers trailers;
    private long length = -1; // declared
    private boolean persistent;
    private boolean committed;
    private boolean chunked;
    private boolean bodiless;
    private boolean ended;
    private boolean continued;
    private @Nullable Body body;
    private @Nullable OutputStream stream;
    private @Nullable Switch upgrade;
    private long sent;

    /** What the connection is to become. */
    record Switch(Upgrade upgrade) {}

    Response(Connection connection, Workspace work, Request request) {
        this.connection = connection;
        this.work = work;
        this.request = request;
        head = work.method.equals("HEAD");
        persistent = work.bad == 0 && (work.http11 ? !work.close : work.keepAlive && !work.close);
        request.answeredBy(this);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    // --- the head

    /** Sets the status, 200 if this is not called. */
    public Response status(int code) {
        checkOpen();
        if (code < 200 || code > 599) {
            throw new IllegalArgumentException("a final status is from 200 to 599, not " + code);
        }
        status = code;
        return this;
    }

    /** The status. */
    public int status() {
        return status;
    }

    /** Sets {@code Content-Type}. */
    public Response type(String contentType) {
        checkOpen();
        checkValue("Content-Type", contentType);
        type = contentType;
        return this;
    }

    /**
     * Sets a header field, instead of those of that name that were there. {@code Content-Length} is the same as
     * {@link #length}; {@code Connection} can only be {@code close}; how the body is framed is not yours to say.
     *
     * @throws IllegalArgumentException if the name is no name, or the value holds a line break, a NUL, or a character
     *     beyond Latin-1
     */
    public Response header(String name, String value) {
        checkOpen();
        if (!special(name, value)) {
            headers().set(name, value);
        }
        return this;
    }

    /** Adds a header field beside those of that name that are there, such as {@code Set-Cookie}. */
    public Response addHeader(String name, String value) {
        checkOpen();
        if (!special(name, value)) {
            headers().add(name, value);
        }
        return this;
    }

    /** What was set for a header field. */
    public Optional<String> header(String name) {
        if (name.equalsIgnoreCase("Content-Type")) {
            return Optional.ofNullable(type);
        }
        Headers known = headers;
        return known == null ? Optional.empty() : known.first(name);
    }

    private boolean special(String name, String value) {
        checkName(name);
        checkValue(name, value);
        switch (name.length()) {
            case 12 -> {
                if (name.equalsIgnoreCase("Content-Type")) {
                    type = value;
                    return true;
                }
            }
            case 14 -> {
                if (name.equalsIgnoreCase("Content-Length")) {
                    length(Long.parseLong(value));
                    return true;
                }
            }
            case 10 -> {
                if (name.equalsIgnoreCase("Connection")) {
                    if (!value.equalsIgnoreCase("close")) {
                        throw new IllegalArgumentException("Connection can be made to close, not " + value);
                    }
                    persistent = false;
                    return true;
                }
            }
            case 17 -> {
                if (name.equalsIgnoreCase("Transfer-Encoding")) {
                    throw new IllegalArgumentException("Transfer-Encoding is chosen by the server");
                }
            }
            default -> {
                // an ordinary one
            }
        }
        return false;
    }

    private static void checkName(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a header field without a name");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c <= ' ' || c >= 127 || "\"(),/:;<=>?@[\\]{}".indexOf(c) >= 0) {
                throw new IllegalArgumentException("\"" + name + "\" is no name of a header field");
            }
        }
    }

    private static void checkValue(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c == 127 || c > 255) {
                throw new IllegalArgumentException("the value of " + name + " holds the character U+"
                        + Integer.toHexString(0x10000 | c).substring(1) + ", which a header field cannot");
            }
        }
    }

    private Headers headers() {
        Headers known = headers;
        if (known == null) {
            known = new Headers();
            headers = known;
        }
        return known;
    }

    /** Says how long the {@link #body} will be, so that it need not go in chunks. */
    public Response length(long bytes) {
        checkOpen();
        if (bytes < 0) {
            throw new IllegalArgumentException("a length below zero: " + bytes);
        }
        length = bytes;
        return this;
    }

    /**
     * Adds a field that follows the body; it can be called until the body is closed. A client of HTTP/1.0 never sees it.
     * Before the first byte of a body that is not known to go in chunks.
     *
     * @throws IllegalArgumentException as in {@link #header}; also for what has to be known before the body, such as its
     *     length
     */
    public Response trailer(String name, String value) {
        checkName(name);
        checkValue(name, value);
        if (NO_TRAILERS.contains(name.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(name + " cannot follow the body: it has to be known before");
        }
        if (ended || (committed && !chunked && request.isHttp11())) {
            throw new IllegalStateException("no trailer can follow this answer; add it before the body begins");
        }
        Headers all = trailers;
        if (all == null) {
            all = new Headers();
            trailers = all;
        }
        all.add(name, value);
        return this;
    }

    /** Whether the head is on its way, so that nothing in it can be changed. */
    public boolean isCommitted() {
        return committed;
    }

    private void checkOpen() {
        if (committed || ended) {
            throw new IllegalStateException("the head of the answer to " + request + " has been sent already");
        }
    }

    // --- the whole answer

    /** Sends it without a body. */
    public void send() throws IOException {
        send(new byte[0], 0, 0);
    }

    /** Sends a text as UTF-8; as {@code text/plain} if no type was set. */
    public void send(String text) throws IOException {
        if (type == null) {
            type = "text/plain; charset=utf-8";
        }
        send(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends these bytes. The array is not looked at any more when this returns. */
    public void send(byte[] bytes) throws IOException {
        send(bytes, 0, bytes.length);
    }

    /** Sends these bytes. */
    public void send(byte[] bytes, int offset, int count) throws IOException {
        Objects.checkFromIndexSize(offset, count, bytes.length);
        checkOpen();
        if (body != null) {
            throw new IllegalStateException("the answer to " + request + " has a stream already");
        }
        if (trailers != null) {
            try (OutputStream out = body()) {
                out.write(bytes, offset, count);
            }
            return;
        }
        if (count >= WORTH_ZIPPING && zips()) {
            ByteArrayOutputStream zipped = new ByteArrayOutputStream(count / 2);
            try (OutputStream zip = new GZIPOutputStream(zipped)) {
                zip.write(bytes, offset, count);
            }
            whole(zipped.toByteArray(), 0, zipped.size());
        } else {
            whole(bytes, offset, count);
        }
    }

    /** Sends the head of an answer that would be compressed, so that its length is not known, to a HEAD. */
    void sendZippedHead() throws ClientGone {
        zipped();
        commit(-1);
        ended = true;
    }

    private void whole(byte[] bytes, int offset, int count) throws ClientGone {
        if (length >= 0 && length != count && !head) {
            throw new IllegalStateException(
                    count + " bytes instead of the " + length + " that were declared, in the answer to "
                            + request);
        }
        commit(count);
        ended = true;
        if (head || bodiless) {
            return;
        }
        sent = count;
        if (count > Workspace.BODY) {
            connection.flush();
            connection.send(ByteBuffer.wrap(bytes, offset, count));
        } else {
            put(bytes, offset, count);
        }
    }

    /** Sends a redirect, as 302 if no status was set. */
    public void redirect(String location) throws IOException {
        if (status == 200) {
            status(302);
        }
        header("Location", location).send();
    }

    // --- a stream

    /**
     * The body as a stream. What is written is gathered until there is enough of it to be worth sending;
     * {@code flush} sends it at once. Closing it, or returning from the handler, ends the body. Call it when the head says
     * all that it has to say.
     */
    public OutputStream body() throws IOException {
        OutputStream open = stream;
        if (open == null) {
            checkOpen();
            body = new Body();
            boolean zip = length < 0 && zips();
            open = zip ? new GZIPOutputStream(body, 512, true) : body;
            stream = open;
        }
        return open;
    }

    /** Whether a body of that length is going to be compressed; says in the head that it is a question of the client. */
    boolean willZip(long size) {
        if (size < WORTH_ZIPPING || !connection.server.compresses() || type == null || !Gzip.isWorthIt(type)) {
            return false;
        }
        varies();
        return Gzip.isAccepted(request.headers());
    }

    private void varies() {
        Headers known = headers();
        if (!known.lists("Vary", "Accept-Encoding")) {
            known.add("Vary", "Accept-Encoding");
        }
    }

    /** Says so in the head. */
    private void zipped() {
        Headers known = headers();
        known.set("Content-Encoding", "gzip");
        String tag = known.find("ETag");
        if (tag != null && !tag.startsWith("W/")) {
            known.set("ETag", "W/" + tag); // the same thing in other bytes
        }
        known.remove("Accept-Ranges");
    }

    /** Whether the body is to be compressed; says so in the head. */
    private boolean zips() {
        if (!connection.server.compresses() || head || status < 200 || status == 204 || status == 206 || status == 304
                || type == null || !Gzip.isWorthIt(type) || header("Content-Encoding").isPresent()) {
            return false;
        }
        varies();
        if (!Gzip.isAccepted(request.headers())) {
            return false;
        }
        zipped();
        return true;
    }

    /**
     * Gathers, then sends: as a whole if all of it fits, else in chunks or with the declared length; a client of HTTP/1.0
     * is told the end by the end of the connection.
     */
    private final class Body extends OutputStream {
        private byte @Nullable [] gathered = work.body();
        private int end;
        private long written;

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) throws IOException {
            Objects.checkFromIndexSize(offset, count, bytes.length);
            byte[] buffer = gathered;
            if (ended || buffer == null) {
                throw new IOException("the answer to " + request + " has ended");
            }
            written += count;
            if (length >= 0 && written > length) {
                throw new IOException(
                        "more than the " + length + " bytes that were declared, in the answer to " + request);
            }
            if (count > buffer.length - end) {
                emit();
                if (count >= buffer.length) {
                    part(bytes, offset, count);
                    return;
                }
            }
            System.arraycopy(bytes, offset, buffer, end, count);
            end += count;
        }

        /** Sends what was gathered to the connection. */
        private void emit() throws ClientGone {
            byte[] buffer = gathered;
            if (!committed) {
                commit(-1);
            }
            if (end > 0 && buffer != null) {
                int count = end;
                end = 0;
                part(buffer, 0, count);
            }
        }

        private void part(byte[] bytes, int offset, int count) throws ClientGone {
            if (head || bodiless) {
                return;
            }
            sent += count;
            if (chunked) {
                put(ascii(Integer.toHexString(count)));
                put(CRLF);
            }
            if (count > Workspace.BODY) {
                connection.flush();
                connection.send(ByteBuffer.wrap(bytes, offset, count));
            } else {
                put(bytes, offset, count);
            }
            if (chunked) {
                put(CRLF);
            }
        }

        @Override
        public void flush() throws IOException {
            if (!ended) {
                emit();
                connection.flush();
            }
        }

        @Override
        public void close() throws IOException {
            byte[] buffer = gathered;
            if (ended || buffer == null) {
                return;
            }
            gathered = null;
            if (length >= 0 && written < length && !head) {
                int had = end;
                end = 0;
                if (committed) {
                    part(buffer, 0, had);
                }
                throw new IOException(
                        "only " + written + " of the " + length + " bytes that were declared, in the answer to "
                                + request);
            }
            if (!committed && trailers == null) {
                commit(length >= 0 ? length : end);
                ended = true;
                if (!head && !bodiless) {
                    sent += end;
                    put(buffer, 0, end);
                }
                return;
            }
            gathered = buffer;
            emit();
            gathered = null;
            ended = true;
            if (chunked && !head && !bodiless) {
                put(LAST_CHUNK);
                Headers all = trailers;
                if (all != null) {
                    putAll(all);
                }
                put(CRLF);
            }
        }
    }

    // --- another protocol

    /**
     * Leaves HTTP: the client is told with a 101, and when the handler has returned, {@code then} has the connection for
     * itself. Set the header fields that the new protocol needs before.
     *
     * @param protocol what is said in {@code Upgrade}; the client must have asked for it
     * @throws HttpException 426 if it has not
     */
    public void upgrade(String protocol, Upgrade then) throws IOException {
        checkOpen();
        Headers asked = request.headers();
        if (!request.isHttp11() || !asked.lists("Connection", "Upgrade") || !asked.lists("Upgrade", protocol)
                || request.hasBody()) {
            throw new HttpException(426, "this is for those who upgrade to " + protocol);
        }
        putStatus(101);
        put(ascii("Connection: Upgrade\r\nUpgrade: " + protocol + "\r\n"));
        Headers own = headers;
        if (own != null) {
            putAll(own);
        }
        put(CRLF);
        status = 101;
        committed = true;
        ended = true;
        persistent = false;
        upgrade = new Switch(then);
    }

    boolean compresses() {
        return connection.server.compresses();
    }

    Duration idleTimeout() {
        return connection.server.idleTimeout();
    }

    @Nullable
    Switch upgrade() {
        return upgrade;
    }

    // --- for the connection

    /** This connection is not to be used again. */
    void closeAfter() {
        persistent = false;
    }

    boolean isPersistent() {
        return persistent;
    }

    boolean hasContinued() {
        return continued;
    }

    /** How many bytes of the body were sent. */
    long sent() {
        return sent;
    }

    /** The client waits for a word before it sends the body. */
    void continueIfExpected() throws ClientGone {
        if (!continued && !committed && request.expectsContinue()) {
            continued = true;
            put(CONTINUE);
            connection.flush();
        }
    }

    void refuse(int code, String reason) throws ClientGone {
        persistent = false;
        error(code, reason);
    }

    void error(int code, String text) throws ClientGone {
        status = code;
        type = "text/plain; charset=utf-8";
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        whole(bytes, 0, bytes.length);
    }

    /** Something went wrong: says so if it still can, else ends the connection where it is. */
    void fail(int code, String text) throws ClientGone {
        if (committed) {
            persistent = false;
            ended = true;
            return;
        }
        headers = null;
        trailers = null;
        body = null;
        stream = null;
        length = -1;
        error(code, text);
    }

    /** The handler has returned. */
    void finish() throws IOException {
        OutputStream open = stream;
        if (open != null) {
            open.close();
        } else if (!committed) {
            send();
        }
    }

    /** Nobody may use it any more. */
    void end() {
        ended = true;
    }

    private void commit(long count) throws ClientGone {
        if (work != connection.work()) {
            throw new IllegalStateException(request + " has been answered");
        }
        int code = status;
        bodiless = code == 204 || code == 304;
        if (connection.server.isDraining() || (request.expectsContinue() && !continued && !request.isRead())) {
            persistent = false;
        }
        putStatus(code);
        put(connection.server.dateLine());
        String contentType = type;
        if (contentType != null) {
            put(CONTENT_TYPE);
            put(contentType);
            put(CRLF);
        }
        Headers own = headers;
        if (own != null) {
            putAll(own);
        }
        if (!bodiless) {
            long known = length >= 0 ? length : count;
            if (known >= 0 && trailers == null) {
                put(CONTENT_LENGTH);
                putNumber(known);
                put(CRLF);
            } else if (request.isHttp11()) {
                chunked = true;
                put(CHUNKED);
            } else {
                persistent = false;
            }
        }
        if (!persistent) {
            put(CLOSE);
        } else if (!request.isHttp11()) {
            put(KEEP_ALIVE);
        }
        put(CRLF);
        committed = true;
    }

    private void putStatus(int code) throws ClientGone {
        byte[] line = STATUS_LINES[code];
        if (line == null) {
            String reason = HttpStatus.getMessage(code);
            line = ascii("HTTP/1.1 " + code + " " + (reason.equals(Integer.toString(code)) ? "" : reason) + "\r\n");
            STATUS_LINES[code] = line;
        }
        put(line);
    }

    private void putAll(Headers fields) throws ClientGone {
        for (int i = 0; i < fields.end(); i += 2) {
            put(fields.at(i));
            put((byte) ':');
            put((byte) ' ');
            put(fields.at(i + 1));
            put(CRLF);
        }
    }

    private void put(byte b) throws ClientGone {
        if (work.outEnd == work.out.length) {
            connection.flush();
        }
        work.out[work.outEnd++] = b;
    }

    private void put(byte[] bytes) throws ClientGone {
        put(bytes, 0, bytes.length);
    }

    private void put(byte[] bytes, int offset, int count) throws ClientGone {
        for (int from = offset, left = count; left > 0;) {
            int n = Math.min(left, work.out.length - work.outEnd);
            if (n == 0) {
                connection.flush();
                continue;
            }
            System.arraycopy(bytes, from, work.out, work.outEnd, n);
            work.outEnd += n;
            from += n;
            left -= n;
        }
    }

    /** Of Latin-1. */
    private void put(String text) throws ClientGone {
        int length = text.length();
        if (length > work.out.length - work.outEnd) {
            put(text.getBytes(StandardCharsets.ISO_8859_1));
            return;
        }
        byte[] out = work.out;
        int end = work.outEnd;
        for (int i = 0; i < length; i++) {
            out[end + i] = (byte) text.charAt(i);
        }
        work.outEnd = end + length;
    }

    private void putNumber(long number) throws ClientGone {
        if (number > 9_999 || work.out.length - work.outEnd < 4) {
            put(Long.toString(number));
            return;
        }
        int value = (int) number;
        int digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4;
        for (int i = work.outEnd + digits - 1; i >= work.outEnd; i--) {
            work.out[i] = (byte) ('0' + value % 10);
            value /= 10;
        }
        work.outEnd += digits;
    }
}
