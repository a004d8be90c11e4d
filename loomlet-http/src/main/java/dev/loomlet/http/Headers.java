package dev.loomlet.http;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Header fields in the order in which they came, or go. Names are found whatever their case. Not for several threads.
 */
public final class Headers {
    private @Nullable String[] pairs = new @Nullable String[16];
    private int end;

    Headers() {}

    /** How many fields there are; one that was sent twice counts twice. */
    public int size() {
        return end / 2;
    }

    /** The value of the first field of that name. */
    public Optional<String> first(String name) {
        return Optional.ofNullable(find(name));
    }

    /** The values of all fields of that name. */
    public List<String> all(String name) {
        List<String> values = List.of();
        for (int i = indexOf(name, 0); i >= 0; i = indexOf(name, i + 2)) {
            if (values.isEmpty()) {
                values = new ArrayList<>(2);
            }
            values.add(at(i + 1));
        }
        return Collections.unmodifiableList(values);
    }

    /** Whether there is a field of that name. */
    public boolean contains(String name) {
        return indexOf(name, 0) >= 0;
    }

    /** Whether one of the fields of that name has the element in its comma-separated list, in whatever case. */
    public boolean lists(String name, String element) {
        for (int i = indexOf(name, 0); i >= 0; i = indexOf(name, i + 2)) {
            if (listed(at(i + 1), element)) {
                return true;
            }
        }
        return false;
    }

    /** Calls with the name and the value of each field. */
    public void forEach(BiConsumer<String, String> action) {
        for (int i = 0; i < end; i += 2) {
            action.accept(at(i), at(i + 1));
        }
    }

    /** As they look on the wire. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        forEach((name, value) -> text.append(name).append(": ").append(value).append('\n'));
        return text.toString();
    }

    static boolean listed(String list, String element) {
        int length = element.length();
        for (int from = 0; from < list.length();) {
            int comma = list.indexOf(',', from);
            int to = comma < 0 ? list.length() : comma;
            int start = from;
            while (start < to && isSpace(list.charAt(start))) {
                start++;
            }
            int stop = to;
            while (stop > start && isSpace(list.charAt(stop - 1))) {
                stop--;
            }
            if (stop - start == length && list.regionMatches(true, start, element, 0, length)) {
                return true;
            }
            from = to + 1;
        }
        return false;
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }

    // --- within the package

    String at(int index) {
        String text = pairs[index];
        if (text == null) {
            throw new IndexOutOfBoundsException(index);
        }
        return text;
    }

    int end() {
        return end;
    }

    @Nullable
    String find(String name) {
        int i = indexOf(name, 0);
        return i < 0 ? null : pairs[i + 1];
    }

    private int indexOf(String name, int from) {
        for (int i = from; i < end; i += 2) {
            String each = pairs[i];
            if (each == name || (each != null && each.length() == name.length() && each.equalsIgnoreCase(name))) {
                return i;
            }
        }
        return -1;
    }

    void add(String name, String value) {
        if (end == pairs.length) {
            pairs = Arrays.copyOf(pairs, 2 * end);
        }
        pairs[end++] = name;
        pairs[end++] = value;
    }

    void set(String name, String value) {
        int first = indexOf(name, 0);
        if (first < 0) {
            add(name, value);
            return;
        }
        pairs[first + 1] = value;
        for (int i = indexOf(name, first + 2); i >= 0; i = indexOf(name, i)) {
            removeAt(i);
        }
    }

    void remove(String name) {
        for (int i = indexOf(name, 0); i >= 0; i = indexOf(name, i)) {
            removeAt(i);
        }
    }

    private void removeAt(int index) {
        System.arraycopy(pairs, index + 2, pairs, index, end - index - 2);
        end -= 2;
        pairs[end] = null;
        pairs[end + 1] = null;
    }

    void clear() {
        Arrays.fill(pairs, 0, end, null);
        end = 0;
    }
}
