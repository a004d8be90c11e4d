package dev.loomlet.http;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;

/** A text that comes in pieces, whose characters may be cut; refused at the first byte that no text can go on with. */
final class Utf8 {
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final StringBuilder text = new StringBuilder();
    private final byte[] begun = new byte[3]; // of a character whose other bytes are still to come
    private int beginning;

    void add(byte[] bytes, int from, int length) throws CharacterCodingException {
        decode(ByteBuffer.wrap(bytes, from, length), false);
    }

    /** The text, if it does not end within a character. */
    String end() throws CharacterCodingException {
        decode(ByteBuffer.allocate(0), true);
        return text.toString();
    }

    private void decode(ByteBuffer piece, boolean last) throws CharacterCodingException {
        ByteBuffer in = beginning == 0 ? piece
                : ByteBuffer.allocate(beginning + piece.remaining()).put(begun, 0, beginning).put(piece).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining());
        CoderResult result = decoder.decode(in, out, last);
        if (result.isError()) {
            result.throwException();
        }
        text.append(out.array(), 0, out.position());
        beginning = in.remaining();
        in.get(begun, 0, beginning);
        if (beginning == 2 && begun[0] == (byte) 0xed && (begun[1] & 0xe0) == 0xa0) {
            throw new MalformedInputException(1); // a surrogate, which the decoder would see a byte later
        }
    }
}
