package dev.loomlet.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.StringEntry;
import java.lang.classfile.instruction.MonitorInstruction;
import java.lang.reflect.AccessFlag;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which code may know which, in the classes of loomlet-core. */
class ArchitectureTest {

    private static final String JDK = "dev.loomlet.internal.jdk..";
    private static final String LOOP = "dev.loomlet.internal.loop..";

    /** From the bottom up: a package may use those of its own line and of the lines above it here. */
    private static final List<List<String>> LAYERS = List.of(
            List.of(JDK),
            List.of(LOOP),
            List.of("dev.loomlet", "dev.loomlet.pool.."),
            List.of("dev.loomlet.coroutine..", "dev.loomlet.sync.."),
            List.of("dev.loomlet.net..", "dev.loomlet.process.."),
            List.of("dev.loomlet.inspect..", "dev.loomlet.internal.inspect.."));

    /** The name of a class or package of the JDK that nobody promises to keep, with dots or with slashes. */
    private static final Pattern JDK_INTERNAL =
            Pattern.compile("(^|[^a-z.])(jdk[./]internal|sun[./](misc|net|nio|security))[./]");

    private static final JavaClasses CORE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.loomlet");

    @Test
    void everyPackageHasItsLayer() {
        assertThat(CORE).as("imported classes").isNotEmpty();
        assertThat(CORE).filteredOn(type -> layerOf(type).isEmpty())
                .extracting(JavaClass::getPackageName)
                .as("packages without a line in LAYERS")
                .isEmpty();
    }

    @Test
    void dependenciesPointOneWay() {
        check(classes().should(dependOnlyDownwards()));
    }

    @Test
    void packagesAreFreeOfCycles() {
        check(slices().matching("dev.loomlet.(**)").should().beFreeOfCycles());
    }

    @Test
    void onlyInternalJdkUsesInternalsOfTheJdk() {
        check(noClasses().that().resideOutsideOfPackage(JDK)
                .should().dependOnClassesThat().resideInAnyPackage("jdk.internal..", "sun.."));
    }

    @Test
    void onlyInternalJdkNamesInternalsOfTheJdk() {
        check(classes().that().resideOutsideOfPackage(JDK).should(haveNoStringLike(JDK_INTERNAL)));
    }

    @Test
    void onlyInternalJdkLooksBehindWhatIsPublic() {
        check(noClasses().that().resideOutsideOfPackage(JDK).should().callMethodWhere(
                describe("reaches classes and members by name", call -> {
                    String method = call.getName();
                    return switch (call.getTargetOwner().getName()) {
                        case "java.lang.Class" -> method.equals("forName") || method.startsWith("getDeclared");
                        case "java.lang.ClassLoader" -> method.equals("loadClass");
                        case "java.lang.invoke.MethodHandles" -> method.equals("privateLookupIn");
                        case "java.lang.Module" -> method.startsWith("add");
                        default -> method.equals("setAccessible") || method.equals("trySetAccessible");
                    };
                })));
    }

    @Test
    void thePublicApiShowsNoInternalType() {
        check(classes().that().resideOutsideOfPackage("dev.loomlet.internal..").and().arePublic()
                .should(showOnly(DescribedPredicate.not(resideInAPackage("dev.loomlet.internal..")))));
    }

    /** A greenlet could hold any lock that the loop takes: then the loop would wait for one of its own greenlets. */
    @Test
    void theLoopTakesNoLock() {
        check(noClasses().that().resideInAPackage(LOOP).should().dependOnClassesThat(
                describe("lock or block", type -> type.isAssignableTo("java.util.concurrent.locks.Lock")
                        || type.isAssignableTo("java.util.concurrent.locks.AbstractOwnableSynchronizer")
                        || type.isAssignableTo("java.util.concurrent.locks.ReadWriteLock")
                        || type.isAssignableTo("java.util.concurrent.BlockingQueue")
                        || type.isAssignableTo("java.util.concurrent.ConcurrentHashMap")
                        || type.isAssignableTo("java.util.concurrent.Semaphore")
                        || type.isAssignableTo("java.util.concurrent.CountDownLatch"))));
    }

    @Test
    void theLoopEntersNoMonitor() {
        check(classes().that().resideInAPackage(LOOP).should(haveNoMonitor()));
    }

    /** Handlers, appenders and {@code System.out} take locks, and may be the user's own code. */
    @Test
    void theLoopDoesNotLog() {
        check(noClasses().that().resideInAPackage(LOOP).should().dependOnClassesThat(
                resideInAnyPackage("java.util.logging..", "org.slf4j..")
                        .or(describe("are a logger", type -> type.getName().startsWith("java.lang.System$Logger")))));
        check(noClasses().that().resideInAPackage(LOOP).should().accessFieldWhere(
                describe("is a standard stream", ArchitectureTest::isStandardStream)));
    }

    private static void check(ArchRule rule) {
        // Empty, because not every package is there yet; everyPackageHasItsLayer sees that there is something.
        rule.allowEmptyShould(true).check(CORE);
    }

    private static boolean isStandardStream(JavaAccess<?> access) {
        return access.getTargetOwner().isEquivalentTo(System.class);
    }

    private static Optional<Integer> layerOf(JavaClass type) {
        return IntStream.range(0, LAYERS.size()).boxed()
                .filter(layer -> resideInAnyPackage(LAYERS.get(layer).toArray(String[]::new)).test(type))
                .findFirst();
    }

    private static ArchCondition<JavaClass> dependOnlyDownwards() {
        return new ArchCondition<>("depend only on their own layer and those below it") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                int own = layerOf(type).orElse(LAYERS.size());
                type.getDirectDependenciesFromSelf().stream()
                        .filter(dependency -> layerOf(dependency.getTargetClass()).orElse(0) > own)
                        .forEach(up -> events.add(SimpleConditionEvent.violated(type, up.getDescription())));
            }
        };
    }

    private static ArchCondition<JavaClass> showOnly(DescribedPredicate<JavaClass> allowed) {
        return new ArchCondition<>("show only types that " + allowed.getDescription()) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                Stream.concat(type.getRawSuperclass().stream(), type.getRawInterfaces().stream())
                        .filter(allowed.negate())
                        .forEach(shown -> add(events, type, "has the supertype " + shown.getName()));
                type.getMembers().stream().filter(ArchitectureTest::isApi)
                        .forEach(member -> member.getAllInvolvedRawTypes().stream()
                                .map(JavaClass::getBaseComponentType)
                                .filter(allowed.negate())
                                .forEach(shown -> add(events, type, member.getName() + " shows " + shown.getName())));
            }
        };
    }

    private static boolean isApi(JavaMember member) {
        return member.getModifiers().contains(JavaModifier.PUBLIC)
                || member.getModifiers().contains(JavaModifier.PROTECTED);
    }

    private static ArchCondition<JavaClass> haveNoStringLike(Pattern forbidden) {
        return new ArchCondition<>("have no string like " + forbidden) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (PoolEntry entry : parse(type).constantPool()) {
                    if (entry instanceof StringEntry string && forbidden.matcher(string.stringValue()).find()) {
                        add(events, type, "has the string \"" + string.stringValue() + '"');
                    }
                }
            }
        };
    }

    private static ArchCondition<JavaClass> haveNoMonitor() {
        return new ArchCondition<>("enter no monitor") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (MethodModel method : parse(type).methods()) {
                    boolean enters = method.flags().has(AccessFlag.SYNCHRONIZED) || method.code().stream()
                            .flatMap(code -> code.elementStream())
                            .anyMatch(MonitorInstruction.class::isInstance);
                    if (enters) {
                        add(events, type, "enters a monitor in " + method.methodName().stringValue());
                    }
                }
            }
        };
    }

    private static ClassModel parse(JavaClass type) {
        try (InputStream in = type.getSource().orElseThrow().getUri().toURL().openStream()) {
            return ClassFile.of().parse(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void add(ConditionEvents events, JavaClass type, String what) {
        events.add(SimpleConditionEvent.violated(type,
                type.getName() + " " + what + " in " + type.getSourceCodeLocation()));
    }
}
