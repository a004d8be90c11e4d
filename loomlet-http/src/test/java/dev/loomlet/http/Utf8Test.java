package dev.loomlet.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class Utf8Test {
    private static final int[] ALL = IntStream.range(0, 256).toArray();
    private static final int[] BORDERS = {0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};

    private static boolean takes(byte[] bytes) {
        Utf8 text = new Utf8();
        try {
            for (int i = 0; i < bytes.length; i++) {
                text.add(bytes, i, 1);
            }
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static byte[] bytes(String latin) {
        return latin.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void aByteIsTakenExactlyIfSomeCharacterGoesOnWithIt() throws Exception {
        Set<String> characters = new HashSet<>();
        Set<String> beginnings = new HashSet<>(Set.of(""));
        for (int each = 0; each <= Character.MAX_CODE_POINT; each++) {
            if (each < Character.MIN_SURROGATE || each > Character.MAX_SURROGATE) {
                byte[] encoded = Character.toString(each).getBytes(StandardCharsets.UTF_8);
                String character = new String(encoded, StandardCharsets.ISO_8859_1);
                characters.add(character);
                for (int i = 1; i < encoded.length; i++) {
                    beginnings.add(character.substring(0, i));
                }
            }
        }
        List<String> wrong = new ArrayList<>();
        for (String beginning : beginnings) {
            for (int next : beginning.length() < 2 ? ALL : BORDERS) {
                String longer = beginning + (char) next;
                if (takes(bytes(longer)) != (beginnings.contains(longer) || characters.contains(longer))) {
                    wrong.add(HexFormat.of().formatHex(bytes(longer)));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void aTextIsTheSameHoweverItIsCut() throws Exception {
        byte[] whole = "aé€\ud83d\ude00z".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i <= whole.length; i++) {
            for (int j = i; j <= whole.length; j++) {
                Utf8 text = new Utf8();
                text.add(whole, 0, i);
                text.add(whole, i, j - i);
                text.add(whole, j, whole.length - j);
                assertThat(text.end()).isEqualTo("aé€\ud83d\ude00z");
            }
        }
    }
}
