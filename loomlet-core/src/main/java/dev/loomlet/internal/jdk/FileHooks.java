package dev.loomlet.internal.jdk;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_byte;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_void;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Finds the places in which the JDK reads and writes files, FIFOs, terminals and the pipes of processes, in native code, and
 * puts calls before and after them. The native methods themselves cannot be changed; every call of one in its class is.
 *
 * <p>The calls go through the same generated class as those of {@link ThreadHooks}, by types of {@code java.util.function}.
 */
public final class FileHooks {
    /** The classes of the JDK that are changed. */
    static final Set<Class<?>> PATCHED = Set.of(FileInputStream.class, FileOutputStream.class, RandomAccessFile.class,
            FileDescriptor.class, Access.type("sun.nio.ch.FileChannelImpl"), Access.type("jdk.internal.misc.Blocker"));

    /** What may be written to a pipe at once if it says that it can be written: the least that it then has room for. */
    private static final int PIPE_ROOM = 4096;

    private static final ClassDesc HOOK = ThreadHooks.HOOK;
    private static final ClassDesc DESCRIPTOR = ClassDesc.of("java.io.FileDescriptor");
    private static final ClassDesc TO_INT = ClassDesc.of("java.util.function.ToIntFunction");
    private static final ClassDesc INT_CONSUMER = ClassDesc.of("java.util.function.IntConsumer");
    private static final ClassDesc INT_SUPPLIER = ClassDesc.of("java.util.function.IntSupplier");
    private static final ClassDesc PREDICATE = ClassDesc.of("java.util.function.Predicate");
    private static final ClassDesc CONSUMER = ClassDesc.of("java.util.function.Consumer");
    private static final ClassDesc RUNNABLE = ClassDesc.of("java.lang.Runnable");

    /** Decides what happens around a native call. Called on any thread: those that are no greenlets want nothing. */
    public interface Callbacks {
        /**
         * Data is about to be read or written.
         *
         * @return what {@link #end} is to be given
         */
        int begin(FileDescriptor descriptor, boolean read) throws IOException;

        /** As much is about to be written as there is, by one call. */
        int beginWriteAll(FileDescriptor descriptor) throws IOException;

        /** A file of that name is about to be opened. */
        int beginOpen(String name);

        /** That call is over. */
        void end(int token);

        /** Whether what is written there has to be written in pieces, with a wait before each. */
        boolean pieces(FileDescriptor descriptor);

        /** A descriptor is about to be closed. */
        void closing(FileDescriptor descriptor);

        /** The JDK says that a native call begins that may block. */
        void beginBlocking();

        /** That call is over. */
        void endBlocking();

        /** A method that an offloading rule selects is called. */
        int beginOffloaded();
    }

    /** What the JDK's own natives tell about descriptors. */
    private static final class Natives {
        static final VarHandle NUMBER = Access.field(FileDescriptor.class, "fd", int.class);
        static final VarHandle NOTE = Access.field(FileDescriptor.class, "handle", long.class);
        static final MethodHandle IS_OTHER = Access.staticMethod(Access.type("sun.nio.ch.UnixFileDispatcherImpl"),
                "isOther0", boolean.class, FileDescriptor.class);
        static final Class<?> NET = Access.type("sun.nio.ch.Net");
        static final MethodHandle POLL = Access.staticMethod(NET, "poll", int.class, FileDescriptor.class, int.class,
                long.class);
        static final short IN = (short) Access.staticField(NET, "POLLIN", short.class);
        static final short OUT = (short) Access.staticField(NET, "POLLOUT", short.class);
    }

    private FileHooks() {}

    /** The number of a descriptor, or -1 if it is closed. */
    public static int number(FileDescriptor descriptor) {
        return (int) Natives.NUMBER.get(descriptor);
    }

    /**
     * What was noted about a descriptor, or -1. It lies in the field in which only Windows keeps something, and is taken out
     * by {@link #forget} before the descriptor is closed, since the field is asked whether it is open.
     */
    public static long note(FileDescriptor descriptor) {
        return (long) Natives.NOTE.getOpaque(descriptor);
    }

    public static void note(FileDescriptor descriptor, long note) {
        Natives.NOTE.setOpaque(descriptor, note);
    }

    public static void forget(FileDescriptor descriptor) {
        if ((long) Natives.NOTE.getOpaque(descriptor) != -1) {
            Natives.NOTE.setOpaque(descriptor, -1L);
        }
    }

    /** Whether it is a regular file (or a folder), and not a pipe, a FIFO, a terminal or a device. */
    public static boolean isRegular(FileDescriptor descriptor) {
        try {
            return !(boolean) Natives.IS_OTHER.invokeExact(descriptor);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /** Whether opening a file of that name may wait for somebody: it is there, and neither a regular file nor a folder. */
    public static boolean isSpecial(String name) {
        File file = new File(name);
        return !file.isFile() && !file.isDirectory() && file.exists();
    }

    /** Whether a call would not block now, as far as the system can tell. */
    public static boolean ready(FileDescriptor descriptor, boolean read) {
        try {
            return (int) Natives.POLL.invokeExact(descriptor, (int) (read ? Natives.IN : Natives.OUT), 0L) != 0;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    /**
     * Whether the JDK's code for jars or for loading classes opens a file just now. Other greenlets may need the locks that
     * it holds in a class initialiser, say, where waiting for a lock blocks the hub: it must not give way.
     */
    public static boolean loadsClasses() {
        return StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.anyMatch(each -> loadsClasses(each)));
    }

    private static boolean loadsClasses(StackWalker.StackFrame frame) {
        String type = frame.getClassName();
        return type.startsWith("java.util.zip.ZipFile") || type.startsWith("jdk.internal.loader.")
                || (frame.getMethodName().equals("loadClass")
                        && ClassLoader.class.isAssignableFrom(frame.getDeclaringClass()));
    }

    /** Whether a class of the JDK is one that only measures, as far as we are concerned. */
    public static boolean measures(String type) {
        return type.equals("jdk.internal.misc.Blocker");
    }

    /** Connects the hook class. After {@link ThreadHooks#install}, and before any class is transformed. */
    public static void install(Callbacks callbacks) {
        try {
            MethodHandles.Lookup lookup = Access.in(Thread.class);
            Class<?> hook = lookup.findClass("java.lang.LoomletThreads");
            set(lookup, hook, "READ", ToIntFunction.class,
                    (ToIntFunction<FileDescriptor>) fd -> begin(callbacks, fd, true));
            set(lookup, hook, "WRITE", ToIntFunction.class,
                    (ToIntFunction<FileDescriptor>) fd -> begin(callbacks, fd, false));
            set(lookup, hook, "WRITE_ALL", ToIntFunction.class,
                    (ToIntFunction<FileDescriptor>) fd -> beginWriteAll(callbacks, fd));
            set(lookup, hook, "OPEN", ToIntFunction.class, (ToIntFunction<String>) callbacks::beginOpen);
            set(lookup, hook, "END", IntConsumer.class, (IntConsumer) callbacks::end);
            set(lookup, hook, "PIECES", Predicate.class, (Predicate<FileDescriptor>) callbacks::pieces);
            set(lookup, hook, "CLOSING", Consumer.class, (Consumer<FileDescriptor>) callbacks::closing);
            set(lookup, hook, "BLOCKS", Runnable.class, (Runnable) callbacks::beginBlocking);
            set(lookup, hook, "UNBLOCKS", Runnable.class, (Runnable) callbacks::endBlocking);
            set(lookup, hook, "OFFLOAD", IntSupplier.class, (IntSupplier) callbacks::beginOffloaded);
            ready(FileDescriptor.in, true); // whatever these need is loaded now
            note(FileDescriptor.in);
            number(FileDescriptor.in);
            isRegular(FileDescriptor.in);
            loadsClasses();
            begin(callbacks, FileDescriptor.in, true);
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static int begin(Callbacks callbacks, FileDescriptor descriptor, boolean read) {
        try {
            return callbacks.begin(descriptor, read);
        } catch (IOException e) {
            throw Access.<RuntimeException>sneak(e); // where it arrives, it is expected
        }
    }

    private static int beginWriteAll(Callbacks callbacks, FileDescriptor descriptor) {
        try {
            return callbacks.beginWriteAll(descriptor);
        } catch (IOException e) {
            throw Access.<RuntimeException>sneak(e);
        }
    }

    private static void set(MethodHandles.Lookup lookup, Class<?> hook, String name, Class<?> type, Object value)
            throws Throwable {
        lookup.findStaticVarHandle(hook, name, type).set(value);
    }

    /** The fields of the hook class. */
    static Map<String, ClassDesc> fields() {
        return Map.of("READ", TO_INT, "WRITE", TO_INT, "WRITE_ALL", TO_INT, "OPEN", TO_INT, "END", INT_CONSUMER,
                "PIECES", PREDICATE, "CLOSING", CONSUMER, "BLOCKS", RUNNABLE, "UNBLOCKS", RUNNABLE, "OFFLOAD",
                INT_SUPPLIER);
    }

    // --- bytes

    /** Adds what is changed in the class given with slashes, if it is one of ours. */
    static void changes(String name, Map<String, ThreadHooks.Change> changes) {
        switch (name) {
            case "java/io/FileInputStream" -> {
                changes.put("open(Ljava/lang/String;)V", around("open0", FileHooks::opening));
                changes.put("read()I", around("read0", descriptor(name, "READ")));
                changes.put("traceRead0()I", around("read0", descriptor(name, "READ")));
                changes.put("read([B)I", around("readBytes", descriptor(name, "READ")));
                changes.put("read([BII)I", around("readBytes", descriptor(name, "READ")));
                changes.put("traceReadBytes([BII)I", around("readBytes", descriptor(name, "READ")));
            }
            case "java/io/FileOutputStream" -> {
                changes.put("open(Ljava/lang/String;Z)V", around("open0", FileHooks::opening));
                ThreadHooks.Change one = around("write", descriptor(name, "WRITE"));
                changes.put("write(I)V", one);
                changes.put("traceWrite(IZ)V", one);
                ThreadHooks.Change many = around("writeBytes", descriptor(name, "WRITE"));
                changes.put("write([B)V", (code, original) -> {
                    inPieces(code, false);
                    many.write(code, original);
                });
                changes.put("write([BII)V", (code, original) -> {
                    inPieces(code, true);
                    many.write(code, original);
                });
                changes.put("traceWriteBytes([BIIZ)V", many);
            }
            case "java/io/RandomAccessFile" -> {
                changes.put("read()I", around("read0", descriptor(name, "READ")));
                changes.put("traceRead0()I", around("read0", descriptor(name, "READ")));
                changes.put("readBytes([BII)I", around("readBytes0", descriptor(name, "READ")));
                changes.put("traceReadBytes0([BII)I", around("readBytes0", descriptor(name, "READ")));
                changes.put("implWrite(I)V", around("write0", descriptor(name, "WRITE")));
                changes.put("implWriteBytes([BII)V", around("writeBytes0", descriptor(name, "WRITE")));
            }
            case "java/io/FileDescriptor" -> {
                changes.put("close()V", (code, original) -> {
                    code.getstatic(HOOK, "CLOSING", CONSUMER).aload(0)
                            .invokeinterface(CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_Object));
                    original.forEach(code);
                });
                changes.put("sync()V", around("sync0", c -> c.getstatic(HOOK, "WRITE", TO_INT).aload(0)
                        .invokeinterface(TO_INT, "applyAsInt", MethodTypeDesc.of(CD_int, CD_Object))));
            }
            case "sun/nio/ch/FileChannelImpl" -> {
                ThreadHooks.Change read = around("read", descriptor(name, "READ"));
                ThreadHooks.Change write = around("write", descriptor(name, "WRITE_ALL"));
                changes.put("implRead(Ljava/nio/ByteBuffer;)I", read);
                changes.put("implRead([Ljava/nio/ByteBuffer;II)J", read);
                changes.put("readInternal(Ljava/nio/ByteBuffer;J)I", read);
                changes.put("implWrite(Ljava/nio/ByteBuffer;)I", write);
                changes.put("implWrite([Ljava/nio/ByteBuffer;II)J", write);
                changes.put("writeInternal(Ljava/nio/ByteBuffer;J)I", write);
                changes.put("implForce(Z)V", around("force", descriptor(name, "WRITE")));
                changes.put("transferToFileDescriptor(JILjava/io/FileDescriptor;)J",
                        around("transferTo", descriptor(name, "READ")));
                changes.put("transferFromFileDescriptor(Ljava/io/FileDescriptor;JJ)J",
                        around("transferFrom", descriptor(name, "WRITE")));
            }
            case "jdk/internal/misc/Blocker" -> {
                changes.put("begin()Z", running("BLOCKS"));
                changes.put("end(Z)V", running("UNBLOCKS"));
            }
            default -> {}
        }
    }

    private static ThreadHooks.Change running(String field) {
        return (code, original) -> {
            code.getstatic(HOOK, field, RUNNABLE).invokeinterface(RUNNABLE, "run", MethodTypeDesc.of(CD_void));
            original.forEach(code);
        };
    }

    /** {@code token = FIELD.applyAsInt(this.fd)}. */
    private static Consumer<CodeBuilder> descriptor(String type, String field) {
        return c -> c.getstatic(HOOK, field, TO_INT).aload(0)
                .getfield(ClassDesc.ofInternalName(type), "fd", DESCRIPTOR)
                .invokeinterface(TO_INT, "applyAsInt", MethodTypeDesc.of(CD_int, CD_Object));
    }

    private static void opening(CodeBuilder c) {
        c.getstatic(HOOK, "OPEN", TO_INT).aload(1)
                .invokeinterface(TO_INT, "applyAsInt", MethodTypeDesc.of(CD_int, CD_Object));
    }

    /**
     * Each call of a method of that name becomes {@code token = begin; try { call } finally { END(token) }}. The handler lies
     * beside the call, where the handlers of the original method cover it, and its entry in the table before theirs.
     */
    private static ThreadHooks.Change around(String called, Consumer<CodeBuilder> begin) {
        return (code, original) -> {
            List<Label[]> regions = new ArrayList<>();
            for (CodeElement each : original) {
                if (isCall(each, called)) {
                    Label[] region = {code.newLabel(), code.newLabel(), code.newLabel(), code.newLabel()};
                    code.exceptionCatchAll(region[0], region[1], region[2]);
                    regions.add(region);
                }
            }
            if (regions.isEmpty()) {
                throw new Access.MissingInternal("a call of " + called, new NoSuchMethodException());
            }
            int token = ThreadHooks.freeLocal(original);
            int next = 0;
            for (CodeElement each : original) {
                if (!isCall(each, called)) {
                    code.with(each);
                    continue;
                }
                Label[] region = regions.get(next++);
                begin.accept(code);
                code.istore(token).labelBinding(region[0]).with(each).labelBinding(region[1]).goto_(region[3]);
                code.labelBinding(region[2]);
                end(code, token);
                code.athrow().labelBinding(region[3]);
                end(code, token);
            }
        };
    }

    private static void end(CodeBuilder code, int token) {
        code.getstatic(HOOK, "END", INT_CONSUMER).iload(token)
                .invokeinterface(INT_CONSUMER, "accept", MethodTypeDesc.of(CD_void, CD_int));
    }

    private static boolean isCall(CodeElement element, String name) {
        return element instanceof InvokeInstruction invoke && invoke.name().equalsString(name)
                && invoke.opcode() != Opcode.INVOKEINTERFACE;
    }

    /**
     * <pre>
     * if (length &gt; ROOM &amp;&amp; PIECES.test(fd)) {
     *     checkFromIndexSize(offset, length, b.length);
     *     for (; length &gt; ROOM; offset += ROOM, length -= ROOM) write(b, offset, ROOM);
     * }
     * </pre>
     *
     * before the original; where there is no offset and no length, it hands over to the method that has them.
     */
    private static void inPieces(CodeBuilder code, boolean offsets) {
        ClassDesc stream = ClassDesc.of("java.io.FileOutputStream");
        MethodTypeDesc type = MethodTypeDesc.of(CD_void, CD_byte.arrayType(), CD_int, CD_int);
        Label whole = code.newLabel();
        if (offsets) {
            code.iload(3);
        } else {
            code.aload(1).arraylength();
        }
        code.sipush(PIPE_ROOM).if_icmple(whole)
                .getstatic(HOOK, "PIECES", PREDICATE).aload(0).getfield(stream, "fd", DESCRIPTOR)
                .invokeinterface(PREDICATE, "test", MethodTypeDesc.of(CD_boolean, CD_Object)).ifeq(whole);
        if (offsets) {
            Label loop = code.newLabel();
            code.iload(2).iload(3).aload(1).arraylength()
                    .invokestatic(ClassDesc.of("java.util.Objects"), "checkFromIndexSize",
                            MethodTypeDesc.of(CD_int, CD_int, CD_int, CD_int))
                    .pop()
                    .labelBinding(loop).iload(3).sipush(PIPE_ROOM).if_icmple(whole)
                    .aload(0).aload(1).iload(2).sipush(PIPE_ROOM).invokespecial(stream, "write", type)
                    .iinc(2, PIPE_ROOM).iinc(3, -PIPE_ROOM).goto_(loop);
        } else {
            code.aload(0).aload(1).iconst_0().aload(1).arraylength().invokespecial(stream, "write", type).return_();
        }
        code.labelBinding(whole);
    }
}
