package dev.loomlet.http;

import dev.loomlet.Loomlet;
import dev.loomlet.net.Sockets;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client that sends what it is told to, byte for byte, and takes answers apart. */
final class Client implements AutoCloseable {
    final Socket socket;
    private final InputStream in;

    /** An answer. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Answer(String line, Headers headers, byte[] body, Headers trailers) {
        int status() {
            return Integer.parseInt(line.substring(9, 12));
        }

        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        String header(String name) {
            return headers.first(name).orElse("(none)");
        }
    }

    Client(HttpServer server) throws IOException {
        this(Sockets.connect("127.0.0.1:" + server.port()));
    }

    Client(Socket socket) throws IOException {
        this.socket = socket;
        in = socket.getInputStream();
    }

    Client send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    /** A byte at a time, so that the server sees it in as many parts as can be brought about. */
    Client drip(String text) throws IOException {
        for (int i = 0; i < text.length(); i++) {
            send(text.substring(i, i + 1));
            Loomlet.yieldNow();
            Loomlet.yieldNow();
        }
        return this;
    }

    Client get(String target) throws IOException {
        return send("GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
    }

    Answer read() throws IOException {
        return read(false);
    }

    /** @param head whether it answers a HEAD, so has no body */
    Answer read(boolean head) throws IOException {
        String line = line();
        Headers headers = fields();
        int status = Integer.parseInt(line.substring(9, 12));
        byte[] body = new byte[0];
        Headers trailers = new Headers();
        if (!head && status >= 200 && status != 204 && status != 304) {
            String length = headers.first("Content-Length").orElse("");
            if (headers.lists("Transfer-Encoding", "chunked")) {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                for (int size; (size = Integer.parseInt(line(), 16)) > 0;) {
                    all.write(exactly(size));
                    if (!line().isEmpty()) {
                        throw new IOException("no line break after a chunk");
                    }
                }
                trailers = fields();
                body = all.toByteArray();
            } else if (length.isEmpty()) {
                body = in.readAllBytes();
            } else {
                body = exactly(Integer.parseInt(length));
            }
        }
        return new Answer(line, headers, body, trailers);
    }

    private byte[] exactly(int size) throws IOException {
        byte[] bytes = in.readNBytes(size);
        if (bytes.length < size) {
            throw new EOFException("the body ended after " + bytes.length + " of " + size + " bytes");
        }
        return bytes;
    }

    private Headers fields() throws IOException {
        Headers fields = new Headers();
        for (String each; !(each = line()).isEmpty();) {
            int colon = each.indexOf(':');
            fields.add(each.substring(0, colon), each.substring(colon + 1).strip());
        }
        return fields;
    }

    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c; (c = in.read()) != '\n';) {
            if (c < 0) {
                throw new EOFException("the connection ended after \"" + line + "\"");
            }
            line.append((char) c);
        }
        if (line.isEmpty() || line.charAt(line.length() - 1) != '\r') {
            throw new IOException("a line that does not end with CR LF: " + line);
        }
        line.setLength(line.length() - 1);
        return line.toString();
    }

    /** Whether the server has closed the connection; waits until it says or does something. */
    boolean isAtEnd() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException e) {
            return true;
        }
    }

    byte[] readAll() throws IOException {
        return in.readAllBytes();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
