package dev.loomlet.agent;

import dev.loomlet.internal.jdk.ThreadHooks;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites the calls of static methods that a class makes, by changing its constant pool and nothing else: each method
 * reference in it is one entry, whether an instruction, a method handle or a bootstrap argument uses it. No code is
 * touched, no stack map computed, and a class that has no such entry costs one look at its pool.
 */
final class CallSites {
    private static final int UTF8 = 1;
    private static final int INTEGER = 3;
    private static final int FLOAT = 4;
    private static final int LONG = 5;
    private static final int DOUBLE = 6;
    private static final int CLASS = 7;
    private static final int STRING = 8;
    private static final int METHOD = 10;
    private static final int NAME_AND_TYPE = 12;
    private static final int METHOD_HANDLE = 15;
    private static final int METHOD_TYPE = 16;
    private static final int MODULE = 19;
    private static final int PACKAGE = 20;
    private static final int POOL_START = 10;
    private static final int POOL_LIMIT = 65_000;
    private static final int ADDED = 5; // entries for each method that is called

    private static final String THREAD = "java/lang/Thread";

    /** A static method of {@code Thread}, and the method of the hook class that is called in its place. */
    private record Redirected(String name, String descriptor, String to) {}

    private static final List<Redirected> REDIRECTED = List.of(
            new Redirected("currentThread", "()Ljava/lang/Thread;", "current"),
            new Redirected("onSpinWait", "()V", "spin"));

    private CallSites() {}

    /** The class with its calls of {@code Thread}'s methods rewritten, or null if it has none. */
    static byte @Nullable [] rewrite(byte[] bytes) {
        int count = u2(bytes, 8);
        int[] at = new int[count];
        int position = POOL_START;
        boolean candidate = false;
        for (int i = 1; i < count; i++) {
            at[i] = position;
            int tag = bytes[position];
            switch (tag) {
                case UTF8 -> {
                    int length = u2(bytes, position + 1);
                    candidate |= isName(bytes, position);
                    position += 3 + length;
                }
                case INTEGER, FLOAT -> position += 5;
                case LONG, DOUBLE -> {
                    position += 9;
                    i++;
                }
                case CLASS, STRING, METHOD_TYPE, MODULE, PACKAGE -> position += 3;
                case METHOD_HANDLE -> position += 4;
                default -> position += 5; // fields, methods, name and type, the two dynamic ones
            }
        }
        if (!candidate || count > POOL_LIMIT) {
            return null;
        }
        byte[] result = bytes;
        int pool = count;
        int end = position;
        for (Redirected each : REDIRECTED) {
            List<Integer> calls = new ArrayList<>();
            for (int i = 1; i < count; i++) {
                if (at[i] != 0 && bytes[at[i]] == METHOD && isCallOf(each, bytes, at, at[i])) {
                    calls.add(at[i]);
                }
            }
            if (!calls.isEmpty()) {
                int before = result.length;
                result = redirect(result, pool, end, calls, each);
                pool += ADDED;
                end += result.length - before;
            }
        }
        return pool == count ? null : result;
    }

    private static boolean isName(byte[] bytes, int utf8) {
        for (Redirected each : REDIRECTED) {
            if (is(bytes, utf8, each.name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isCallOf(Redirected callee, byte[] bytes, int[] at, int method) {
        int owner = at[u2(bytes, at[u2(bytes, method + 1)] + 1)];
        int nameAndType = at[u2(bytes, method + 3)];
        return is(bytes, owner, THREAD)
                && is(bytes, at[u2(bytes, nameAndType + 1)], callee.name)
                && is(bytes, at[u2(bytes, nameAndType + 3)], callee.descriptor);
    }

    /** Appends to the pool, which has {@code count} entries and ends at {@code end}, what the calls refer to from now on. */
    private static byte[] redirect(byte[] bytes, int count, int end, List<Integer> calls, Redirected callee) {
        ByteArrayOutputStream result = new ByteArrayOutputStream(bytes.length + 100);
        try (DataOutputStream out = new DataOutputStream(result)) {
            byte[] head = java.util.Arrays.copyOf(bytes, end);
            for (int each : calls) {
                put(head, each + 1, count + 1);
                put(head, each + 3, count + 4);
            }
            put(head, 8, count + ADDED);
            out.write(head);
            out.writeByte(UTF8);
            out.writeUTF(ThreadHooks.HOOK_NAME);
            out.writeByte(CLASS);
            out.writeShort(count);
            out.writeByte(UTF8);
            out.writeUTF(callee.to);
            out.writeByte(UTF8);
            out.writeUTF(callee.descriptor);
            out.writeByte(NAME_AND_TYPE);
            out.writeShort(count + 2);
            out.writeShort(count + 3);
            out.write(bytes, end, bytes.length - end);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return result.toByteArray();
    }

    private static boolean is(byte[] bytes, int utf8, String text) {
        if (bytes[utf8] != UTF8 || u2(bytes, utf8 + 1) != text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (bytes[utf8 + 3 + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int u2(byte[] bytes, int at) {
        return (bytes[at] & 0xFF) << 8 | (bytes[at + 1] & 0xFF);
    }

    private static void put(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >> 8);
        bytes[at + 1] = (byte) value;
    }
}
