package dev.loomlet.http;

import dev.loomlet.http.WebSocket.Binary;
import dev.loomlet.http.WebSocket.Message;
import dev.loomlet.http.WebSocket.Text;
import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.util.zip.DataFormatException;
import org.java_websocket.framing.CloseFrame;
import org.jspecify.annotations.Nullable;

/**
 * The message that a WebSocket is receiving, frame by frame and within a frame as the bytes come. What makes it none is found
 * at the first byte that shows it, however much was announced: characters, compression, length.
 */
final class Incoming implements AutoCloseable {
    private final int most;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(0);
    private final @Nullable Utf8 text; // of a text, instead of bytes
    private final Deflate.@Nullable Inflation inflation;
    private int size; // when it is no longer compressed
    private long received;
    private boolean lastFrame;
    private long left; // of the frame
    private int mask; // its next byte is the first

    Incoming(boolean text, boolean deflated, int most) {
        this.most = most;
        this.text = text ? new Utf8() : null;
        this.inflation = deflated ? new Deflate.Inflation() : null;
    }

    /** The next frame begins. */
    void frame(boolean last, long length, int key) throws Refused {
        long room = inflation == null ? most : most + (most >>> 10) + 64L; // what cannot be compressed becomes longer
        if (length > room - received) {
            throw tooBig();
        }
        lastFrame = last;
        left = length;
        received += length;
        mask = key;
    }

    /** How many bytes of the frame are still to come. */
    long left() {
        return left;
    }

    boolean isWhole() {
        return lastFrame && left == 0;
    }

    /** Takes what there is of the frame, from so many bytes, and says how many that was. */
    int take(byte[] array, int from, int remaining) throws Refused {
        int n = (int) Math.min(left, remaining);
        for (int i = from; i < from + n; i++) {
            array[i] ^= (byte) (mask >>> 24);
            mask = Integer.rotateLeft(mask, 8);
        }
        left -= n;
        if (inflation == null) {
            add(array, from, n);
            return n;
        }
        try {
            inflation.add(array, from, n, this::add);
        } catch (DataFormatException e) {
            throw notCompressed();
        }
        return n;
    }

    private void add(byte[] array, int from, int n) throws Refused {
        if (n > most - size) {
            throw tooBig();
        }
        size += n;
        if (text == null) {
            bytes.write(array, from, n);
            return;
        }
        try {
            text.add(array, from, n);
        } catch (CharacterCodingException e) {
            throw notUtf8();
        }
    }

    /** The whole. */
    Message message() throws Refused {
        if (inflation != null) {
            try {
                inflation.end(this::add);
            } catch (DataFormatException e) {
                throw notCompressed();
            }
        }
        if (text == null) {
            return new Binary(bytes.toByteArray());
        }
        try {
            return new Text(text.end());
        } catch (CharacterCodingException e) {
            throw notUtf8();
        }
    }

    private Refused tooBig() {
        return new Refused(CloseFrame.TOOBIG, "a message of more than " + most + " bytes");
    }

    private static Refused notCompressed() {
        return new Refused(CloseFrame.NO_UTF8, "a message that is not compressed as it should be");
    }

    private static Refused notUtf8() {
        return new Refused(CloseFrame.NO_UTF8, "a text that is not UTF-8");
    }

    @Override
    public void close() {
        if (inflation != null) {
            inflation.close();
        }
    }
}
