package dev.loomlet.http;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The body of a request, as it comes. */
final class RequestBody extends InputStream {
    // Extensions of chunks have no limit of their own, and nobody uses them.
    private static final int FRAMING = 64 * 1024;
    private static final int FRAMING_SHARE = 8;

    private final Connection connection;
    private final Workspace work;
    private final Response response;
    private long limit;
    private long count;
    private long framing; // bytes that were read, of chunks' heads and all
    private long waited; // nanoseconds, for them
    private boolean closed;

    RequestBody(Connection connection, Workspace work, Response response, long limit) {
        this.connection = connection;
        this.work = work;
        this.response = response;
        this.limit = limit;
    }

    void limit(long bytes) {
        limit = bytes;
    }

    /** Nobody may read it any more. */
    void end() {
        closed = true;
    }

    @Override
    public int read() throws IOException {
        ByteBuffer part = part();
        return part == null ? -1 : part.get() & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        ByteBuffer part = part();
        if (part == null) {
            return -1;
        }
        int n = Math.min(length, part.remaining());
        part.get(bytes, offset, n);
        return n;
    }

    @Override
    public int available() {
        ByteBuffer part = closed ? null : work.chunk;
        return part == null ? 0 : part.remaining();
    }

    /** What there is of it, waiting until there is something; null at its end. */
    private @Nullable ByteBuffer part() throws IOException {
        if (closed) {
            throw new IOException("the request has been answered; its body is gone");
        }
        ByteBuffer part = work.chunk;
        if (part != null && part.hasRemaining()) {
            return part;
        }
        for (;;) {
            work.chunk = null;
            work.parseBody();
            part = work.chunk;
            if (part != null && part.hasRemaining()) {
                count += part.remaining();
                if (count > limit) {
                    response.closeAfter();
                    throw new HttpException(413, "the body of the request is longer than " + limit + " bytes");
                }
                return part;
            }
            if (work.bad != 0) {
                response.closeAfter();
                throw new HttpException(work.bad, work.badReason);
            }
            if (work.bodyDone) {
                return null;
            }
            if (part == null) {
                response.continueIfExpected();
                HttpServer server = connection.server;
                long start = System.nanoTime();
                int n = connection.fill(work, server.patience(server.bodyTimeout(), framing, waited));
                waited += System.nanoTime() - start;
                framing += n;
                if (framing > FRAMING && framing / FRAMING_SHARE > limit) {
                    response.closeAfter();
                    throw new HttpException(413, "the chunks of the body are nearly nothing but heads");
                }
                if (n < 0) {
                    throw connection.gone("the client left in the middle of the body");
                }
                if (n == 0) {
                    response.closeAfter();
                    throw new HttpException(408, "nothing more of the body came for "
                            + server.bodyTimeout().toMillis() + " ms, or less than " + server.minRate()
                            + " bytes per second");
                }
            }
        }
    }

    /** Reads and drops at most so much; whether that was all. */
    boolean skipRest(long most) throws IOException {
        count = 0;
        limit = 2 * most;
        framing = 0;
        waited = 0;
        long left = most;
        for (;;) {
            ByteBuffer part = part();
            if (part == null) {
                return true;
            }
            left -= part.remaining();
            if (left < 0) {
                return false;
            }
            part.position(part.limit());
        }
    }
}
