package dev.loomlet.http;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Compression of a WebSocket's messages, RFC 7692. Each message by itself, without what was learnt from those before: so a
 * connection that is silent keeps nothing, where a window each way would be tens of kilobytes.
 */
final class Deflate {
    private static final String NAME = "permessage-deflate";
    private static final byte[] TAIL = {0, 0, (byte) 0xff, (byte) 0xff}; // of each message, and not sent
    private static final int PIECE = 4096;

    private Deflate() {}

    /** What is answered to the first offer that can be taken, if there is one. */
    static Optional<String> agree(Headers asked) {
        for (String line : asked.all("Sec-WebSocket-Extensions")) {
            for (String offer : line.split(",")) {
                Optional<String> answer = answer(offer.split(";"));
                if (answer.isPresent()) {
                    return answer;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> answer(String[] offer) {
        if (!offer[0].trim().equalsIgnoreCase(NAME)) {
            return Optional.empty();
        }
        StringBuilder answer =
                new StringBuilder(NAME).append("; server_no_context_takeover; client_no_context_takeover");
        StringBuilder seen = new StringBuilder(",");
        for (int i = 1; i < offer.length; i++) {
            int equals = offer[i].indexOf('=');
            String name = (equals < 0 ? offer[i] : offer[i].substring(0, equals)).trim().toLowerCase(Locale.ROOT);
            String value = equals < 0 ? "" : offer[i].substring(equals + 1).trim().replace("\"", "");
            boolean known = switch (name) {
                case "server_no_context_takeover", "client_no_context_takeover" -> equals < 0;
                case "client_max_window_bits" -> equals < 0 || value.matches("[89]|1[0-5]"); // we take any
                case "server_max_window_bits" -> value.equals("15"); // the only one that the JDK has
                default -> false;
            };
            if (!known || seen.indexOf("," + name + ",") >= 0) {
                return Optional.empty();
            }
            seen.append(name).append(',');
            if (name.equals("server_max_window_bits")) {
                answer.append("; server_max_window_bits=15");
            }
        }
        return Optional.of(answer.toString());
    }

    static byte[] deflate(byte[] message) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        try {
            deflater.setInput(message);
            ByteArrayOutputStream all = new ByteArrayOutputStream(message.length / 2);
            byte[] piece = new byte[PIECE];
            int n;
            do {
                n = deflater.deflate(piece, 0, piece.length, Deflater.SYNC_FLUSH);
                all.write(piece, 0, n);
            } while (n == piece.length);
            byte[] bytes = all.toByteArray();
            return Arrays.copyOf(bytes, bytes.length - TAIL.length);
        } finally {
            deflater.end();
        }
    }

    /** A message that is inflated as it comes. */
    static final class Inflation implements AutoCloseable {
        private final Inflater inflater = new Inflater(true);

        /** Where a piece goes. */
        @FunctionalInterface
        interface Sink {
            void add(byte[] bytes, int from, int length) throws Refused;
        }

        void add(byte[] compressed, int from, int length, Sink sink) throws DataFormatException, Refused {
            inflater.setInput(compressed, from, length);
            byte[] piece = new byte[PIECE];
            for (int n; (n = inflater.inflate(piece)) > 0;) {
                sink.add(piece, 0, n);
            }
            if (inflater.needsDictionary()) {
                throw new DataFormatException("a dictionary is wanted");
            }
        }

        void end(Sink sink) throws DataFormatException, Refused {
            add(TAIL, 0, TAIL.length, sink);
        }

        @Override
        public void close() {
            inflater.end();
        }
    }
}
