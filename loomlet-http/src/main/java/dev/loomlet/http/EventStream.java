package dev.loomlet.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Server-sent events: an answer that goes on, an event at a time, which browsers read with {@code EventSource}.
 *
 * {@snippet :
 * var site = new Router().get("/prices", (request, response) -> {
 *     try (var events = EventStream.open(response)) {
 *         for (Price price : prices.following(request.header("Last-Event-ID"))) {
 *             events.send(price.toJson());
 *         }
 *     }
 * });
 * }
 *
 * <p>Each event leaves at once. A client that is gone shows when something is sent, as an {@link IOException}, which the
 * handler lets pass; {@link #comment} finds out when there is no news. In the greenlet of the handler only.
 *
 * <p>The HTML standard, section Server-sent events.
 */
public final class EventStream implements AutoCloseable {
    private final OutputStream out;

    private EventStream(OutputStream out) {
        this.out = out;
    }

    /** Begins: the client knows from now on that it is connected. */
    public static EventStream open(Response response) throws IOException {
        OutputStream out = response.type("text/event-stream").header("Cache-Control", "no-cache")
                .header("X-Accel-Buffering", "no").body();
        out.flush();
        return new EventStream(out);
    }

    /** Sends an event of the type {@code message}. Its data may have several lines. */
    public EventStream send(String data) throws IOException {
        return write("", "", data);
    }

    /** Sends an event of a type of your own. */
    public EventStream send(String type, String data) throws IOException {
        return write("", type, data);
    }

    /**
     * Sends an event with an id, which the client repeats in {@code Last-Event-ID} when it has to connect again.
     *
     * @throws IllegalArgumentException if the id or the type has a line break, or the id a NUL
     */
    public EventStream send(String id, String type, String data) throws IOException {
        if (id.isEmpty()) {
            throw new IllegalArgumentException("an id that is empty");
        }
        return write(id, type, data);
    }

    private EventStream write(String id, String type, String data) throws IOException {
        StringBuilder event = new StringBuilder(data.length() + 32);
        if (!id.isEmpty()) {
            event.append("id: ").append(line(id)).append('\n');
        }
        if (!type.isEmpty()) {
            event.append("event: ").append(line(type)).append('\n');
        }
        for (String each : data.split("\r\n|\r|\n", -1)) {
            event.append("data: ").append(each).append('\n');
        }
        return put(event.append('\n'));
    }

    private static String line(String text) {
        if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0 || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a line break or a NUL in \"" + text + "\"");
        }
        return text;
    }

    /** Sends something that the client does not show: keeps the connection in use, and finds out whether it is. */
    public EventStream comment(String text) throws IOException {
        return put(new StringBuilder(": ").append(line(text)).append("\n\n"));
    }

    /** Tells the client how long to wait before it connects again. */
    public EventStream retry(Duration time) throws IOException {
        return put(new StringBuilder("retry: ").append(time.toMillis()).append("\n\n"));
    }

    private EventStream put(StringBuilder text) throws IOException {
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
        return this;
    }

    /** Ends it. The client connects again, unless it was told not to. */
    @Override
    public void close() throws IOException {
        out.close();
    }
}
