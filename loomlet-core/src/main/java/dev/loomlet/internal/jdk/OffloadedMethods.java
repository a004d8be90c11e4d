package dev.loomlet.internal.jdk;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.function.BiPredicate;

/**
 * Rewrites methods so that a greenlet which calls one moves to a thread of the pool for the call.
 *
 * <p>The original, code untouched, is renamed and made private, and in its place comes
 *
 * <pre>
 * int token = OFFLOAD.getAsInt();
 * try { return loomlet$name(..); } finally { END.accept(token); }
 * </pre>
 *
 * A {@code synchronized} method's lock is taken by the new one, that is, before the greenlet moves: taken after, every place
 * in the pool could be held by greenlets that wait for a lock whose owner waits for a place. A native method is found by
 * the VM under its old name, since the agent has announced the prefix.
 */
public final class OffloadedMethods {
    /** What the names of the originals begin with. */
    public static final String PREFIX = "loomlet$";

    private static final ClassDesc INT_SUPPLIER = ClassDesc.of("java.util.function.IntSupplier");
    private static final ClassDesc INT_CONSUMER = ClassDesc.of("java.util.function.IntConsumer");

    private OffloadedMethods() {}

    /** The class with the methods rewritten that are selected by name and descriptor; constructors are not asked about. */
    public static byte[] transform(byte[] bytes, BiPredicate<String, String> selected) {
        ClassFile classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.defaultResolver().orElse(type -> ClassHierarchyResolver.ClassHierarchyInfo
                        .ofClass(ConstantDescs.CD_Object))));
        ClassModel model = classFile.parse(bytes);
        return classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && mayMove(method)
                    && selected.test(method.methodName().stringValue(), method.methodType().stringValue())) {
                split(builder, model, method);
            } else {
                builder.with(element);
            }
        });
    }

    private static boolean mayMove(MethodModel method) {
        return !method.methodName().stringValue().startsWith("<") && !method.flags().has(AccessFlag.ABSTRACT)
                && !method.flags().has(AccessFlag.BRIDGE);
    }

    private static void split(ClassBuilder builder, ClassModel model, MethodModel method) {
        int flags = method.flags().flagsMask();
        boolean isStatic = (flags & ClassFile.ACC_STATIC) != 0;
        String name = PREFIX + method.methodName().stringValue();
        MethodTypeDesc type = method.methodTypeSymbol();
        builder.withMethod(name, type, flags & (ClassFile.ACC_STATIC | ClassFile.ACC_NATIVE | ClassFile.ACC_STRICT)
                | ClassFile.ACC_PRIVATE | ClassFile.ACC_SYNTHETIC, m -> {
                    for (var each : method) {
                        if (each instanceof CodeModel) {
                            m.with(each);
                        }
                    }
                });
        builder.withMethod(method.methodName(), method.methodType(),
                flags & ~(ClassFile.ACC_NATIVE | ClassFile.ACC_STRICT), m -> {
                    for (var each : method) {
                        if (!(each instanceof CodeModel) && each != method.flags()) {
                            m.with(each);
                        }
                    }
                    m.withFlags(flags & ~(ClassFile.ACC_NATIVE | ClassFile.ACC_STRICT));
                    boolean isInterface = model.flags().has(AccessFlag.INTERFACE);
                    m.withCode(c -> wrapper(c, model.thisClass().asSymbol(), name, type, isStatic, isInterface));
                });
    }

    private static void wrapper(CodeBuilder c, ClassDesc owner, String name, MethodTypeDesc type, boolean isStatic,
            boolean isInterface) {
        int token = c.allocateLocal(TypeKind.INT);
        Label start = c.newLabel();
        Label end = c.newLabel();
        Label failed = c.newLabel();
        c.getstatic(ThreadHooks.HOOK, "OFFLOAD", INT_SUPPLIER)
                .invokeinterface(INT_SUPPLIER, "getAsInt", MethodTypeDesc.of(ConstantDescs.CD_int)).istore(token);
        c.exceptionCatchAll(start, end, failed).labelBinding(start);
        if (!isStatic) {
            c.aload(0);
        }
        for (int i = 0; i < type.parameterCount(); i++) {
            c.loadLocal(TypeKind.from(type.parameterType(i)), c.parameterSlot(i));
        }
        if (isStatic) {
            c.invokestatic(owner, name, type, isInterface);
        } else {
            c.invokespecial(owner, name, type, isInterface);
        }
        c.labelBinding(end);
        end(c, token);
        c.return_(TypeKind.from(type.returnType()));
        c.labelBinding(failed);
        end(c, token);
        c.athrow();
    }

    private static void end(CodeBuilder c, int token) {
        c.getstatic(ThreadHooks.HOOK, "END", INT_CONSUMER).iload(token)
                .invokeinterface(INT_CONSUMER, "accept",
                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
    }
}
