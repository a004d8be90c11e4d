package dev.loomlet.http;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes a line for each request, in one of the two formats that every tool reads:
 *
 * <pre>
 *   common    127.0.0.1 - - [24/Nov/2026:10:15:30 +0000] "GET /rooms?all HTTP/1.1" 200 1234
 *   combined  the same, then "https://example.com/" "curl/8.5.0": where the client came from, and what it is
 * </pre>
 *
 * <p>What a client sends cannot forge a line: quotes, backslashes and control characters are escaped.
 *
 * <p>Lines are gathered and written by the hub's thread pool, so that a slow disk holds nobody up; only when more than a
 * megabyte waits do requests wait as well. A server writes them from its hub's thread only; use one log for each hub.
 *
 * {@snippet :
 * try (var log = AccessLog.combined(Path.of("access.log"))) {
 *     HttpServer.builder(":8080", handler).accessLog(log).build().serveForever();
 * }
 * }
 */
public final class AccessLog implements AutoCloseable {
    private static final int MOST = 1 << 20;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("'['dd/MMM/yyyy:HH:mm:ss Z']'", Locale.US).withZone(ZoneId.systemDefault());

    private final OutputStream out;
    private final boolean ours;
    private final boolean combined;
    private StringBuilder lines = new StringBuilder();
    private @Nullable Greenlet<Void> writer;
    private String time = "";
    private long timeSecond = -1;

    private AccessLog(OutputStream out, boolean ours, boolean combined) {
        this.out = out;
        this.ours = ours;
        this.combined = combined;
    }

    /** In the Common Log Format. {@link #close} flushes the stream and leaves it open. */
    public static AccessLog common(OutputStream out) {
        return new AccessLog(out, false, false);
    }

    /** In the Common Log Format, at the end of a file. */
    public static AccessLog common(Path file) throws IOException {
        return new AccessLog(open(file), true, false);
    }

    /** In the Combined Log Format. {@link #close} flushes the stream and leaves it open. */
    public static AccessLog combined(OutputStream out) {
        return new AccessLog(out, false, true);
    }

    /** In the Combined Log Format, at the end of a file. */
    public static AccessLog combined(Path file) throws IOException {
        return new AccessLog(open(file), true, true);
    }

    private static OutputStream open(Path file) throws IOException {
        return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** On the hub's thread. */
    void write(Request request, Response response) {
        line(request, response);
        Greenlet<Void> running = writer;
        if (running == null || running.ready()) {
            Hub hub = Hub.current();
            writer = hub.spawn("access log", () -> drain(hub));
        } else if (lines.length() > MOST) {
            running.join();
        }
    }

    private void line(Request request, Response response) {
        StringBuilder text = lines;
        text.append(request.remote().getAddress().getHostAddress()).append(" - - ").append(now()).append(" \"");
        if (request.method().isEmpty()) {
            text.append('-'); // it was no request
        } else {
            escape(text, request.method());
            text.append(' ');
            escape(text, request.target());
            text.append(' ').append(request.protocol());
        }
        text.append("\" ").append(response.status()).append(' ');
        if (response.sent() == 0) {
            text.append('-');
        } else {
            text.append(response.sent());
        }
        if (combined) {
            quoted(text, request.headers().find("Referer"));
            quoted(text, request.headers().find("User-Agent"));
        }
        text.append('\n');
    }

    private String now() {
        long second = System.currentTimeMillis() / 1000;
        if (second != timeSecond) {
            timeSecond = second;
            time = TIME.format(Instant.ofEpochSecond(second));
        }
        return time;
    }

    private static void quoted(StringBuilder text, @Nullable String value) {
        text.append(" \"");
        escape(text, value == null ? "-" : value);
        text.append('"');
    }

    private static void escape(StringBuilder text, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || c >= 127) {
                for (byte b : String.valueOf(c).getBytes(StandardCharsets.UTF_8)) {
                    text.append("\\x").append(Character.forDigit(b >> 4 & 15, 16))
                            .append(Character.forDigit(b & 15, 16));
                }
            } else {
                text.append(c);
            }
        }
    }

    private void drain(Hub hub) throws Exception {
        while (!lines.isEmpty()) {
            byte[] bytes = take();
            hub.threadPool().call(() -> {
                put(bytes);
                return true;
            });
        }
    }

    private byte[] take() {
        StringBuilder full = lines;
        lines = new StringBuilder();
        return full.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void put(byte[] bytes) throws IOException {
        synchronized (out) {
            out.write(bytes);
            out.flush();
        }
    }

    /** Writes what is left, and closes the file if it was opened here. Call it when the server has been stopped. */
    @Override
    public void close() throws IOException {
        Greenlet<Void> running = writer;
        if (running != null) {
            running.join();
        }
        put(take());
        if (ours) {
            out.close();
        }
    }
}
