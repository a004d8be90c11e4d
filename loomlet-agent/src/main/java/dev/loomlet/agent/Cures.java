package dev.loomlet.agent;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.CodeModel;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import org.jspecify.annotations.Nullable;

/**
 * Known places in libraries that go round and round for what another thread is doing, changed so that they wait for it.
 * {@code -Dloomlet.cures=false} leaves them alone.
 *
 * <p><b>commons-pool2.</b> A pool that is exhausted while connections are being opened waits for those in
 * {@code BaseGenericObjectPool.wait(Object, Duration)} for the rest of the maximum wait. Without a maximum that rest is
 * negative, and the method returns at once: the caller spins, and on a hub the greenlet that opens the connection never has
 * its turn. The method is given a wait of {@value #MILLIS} ms for that case. Whoever has opened a connection notifies, so it
 * ends as soon as there is news; if the maximum wait is over, the borrower learns it so much later.
 */
final class Cures {
    private static final long MILLIS = 10;
    private static final boolean ON = !System.getProperty("loomlet.cures", "true").equals("false");
    private static final String POOLS = "org/apache/commons/pool2/impl/";
    private static final ClassDesc DURATION = ClassDesc.of("java.time.Duration");
    private static final MethodTypeDesc WAIT = MethodTypeDesc.of(CD_void, CD_Object, DURATION);

    private Cures() {}

    /** The class cured, or null if it needs no cure. */
    static byte @Nullable [] transform(String name, byte[] bytes, @Nullable ClassLoader loader) {
        if (!ON || !name.startsWith(POOLS)) {
            return null;
        }
        ClassFile classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
                (loader == null ? ClassHierarchyResolver.defaultResolver()
                        : ClassHierarchyResolver.ofResourceParsing(loader)
                                .orElse(ClassHierarchyResolver.defaultResolver()))
                        .cached()));
        var model = classFile.parse(bytes);
        if (model.methods().stream().noneMatch(Cures::isWait)) {
            return null;
        }
        return classFile.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && isWait(method)) {
                int lock = method.flags().has(AccessFlag.STATIC) ? 0 : 1;
                builder.transformMethod(method, (m, part) -> {
                    if (part instanceof CodeModel code) {
                        m.withCode(c -> {
                            c.aload(lock + 1).invokevirtual(DURATION, "isNegative", MethodTypeDesc.of(CD_boolean))
                                    .ifThen(late -> late.aload(lock).loadConstant(MILLIS)
                                            .invokevirtual(CD_Object, "wait", MethodTypeDesc.of(CD_void, CD_long))
                                            .return_());
                            code.forEach(c);
                        });
                    } else {
                        m.with(part);
                    }
                });
            } else {
                builder.with(element);
            }
        });
    }

    private static boolean isWait(MethodModel method) {
        return method.methodName().equalsString("wait") && method.methodTypeSymbol().equals(WAIT)
                && method.code().isPresent();
    }
}
