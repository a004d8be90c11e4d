package dev.loomlet.testing;

import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The threads that are alive, platform and virtual, without those that the JVM, JUnit and Surefire run on. */
final class LiveThreads {

    /** The JDK starts its own helpers in these. */
    private static final Set<String> SYSTEM_GROUPS = Set.of("system", "InnocuousThreadGroup", "CarrierThreads");

    private static final Pattern SYSTEM_NAMES = Pattern.compile("SubPoller-\\d+" // virtual, so without a group
            + "|ForkJoinPool\\.commonPool-worker-\\d+"
            + "|DestroyJavaVM"
            + "|Attach Listener"
            + "|JFR .*"
            + "|junit-.*"
            + "|surefire-.*"
            + "|loomlet-dns-\\d+"); // of the JVM's one resolver; they end when idle

    /** {@code jdk.internal.vm.ThreadContainers.root()}: the only place where virtual threads can be listed. */
    private static final @Nullable Object ROOT_CONTAINER = rootContainer();

    private LiveThreads() {}

    static Set<Thread> all() {
        Set<Thread> live = new HashSet<>();
        ThreadGroup root = Thread.currentThread().getThreadGroup();
        for (ThreadGroup parent = root.getParent(); parent != null; parent = root.getParent()) {
            root = parent;
        }
        // No stack traces here, unlike in Thread.getAllStackTraces(): this runs twice for each test.
        Thread[] platform = new Thread[64];
        int count = root.enumerate(platform);
        while (count == platform.length) {
            platform = new Thread[2 * platform.length];
            count = root.enumerate(platform);
        }
        for (int i = 0; i < count; i++) {
            live.add(platform[i]);
        }
        if (ROOT_CONTAINER != null) {
            addVirtual(ROOT_CONTAINER, live);
        }
        live.removeIf(LiveThreads::isInfrastructure);
        return live;
    }

    static String describe(Thread thread) {
        StringBuilder text = new StringBuilder(thread.isVirtual() ? "virtual thread" : "thread")
                .append(" \"").append(thread.getName()).append("\" #").append(thread.threadId())
                .append(thread.isDaemon() ? " daemon " : " ").append(thread.getState()).append('\n');
        for (StackTraceElement frame : thread.getStackTrace()) {
            text.append("    at ").append(frame).append('\n');
        }
        return text.toString();
    }

    private static boolean isInfrastructure(Thread thread) {
        if (SYSTEM_NAMES.matcher(thread.getName()).matches()) {
            return true;
        }
        ThreadGroup group = thread.getThreadGroup();
        return !thread.isVirtual() && group != null && SYSTEM_GROUPS.contains(group.getName());
    }

    private static void addVirtual(Object container, Set<Thread> live) {
        try {
            // Through the abstract class: the containers' own classes are in packages that are not open.
            Class<?> type = Class.forName("jdk.internal.vm.ThreadContainer");
            try (Stream<?> threads = (Stream<?>) type.getMethod("threads").invoke(container);
                    Stream<?> children = (Stream<?>) type.getMethod("children").invoke(container)) {
                threads.map(Thread.class::cast).filter(Thread::isVirtual).forEach(live::add);
                children.forEach(child -> addVirtual(child, live));
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK keeps its list of virtual threads elsewhere", e);
        }
    }

    private static @Nullable Object rootContainer() {
        if (!Object.class.getModule().isOpen("java.lang", LiveThreads.class.getModule())) {
            return null; // --add-opens java.base/java.lang=ALL-UNNAMED is missing: only platform threads are seen
        }
        try {
            Method open = Module.class.getDeclaredMethod("implAddOpensToAllUnnamed", String.class);
            open.setAccessible(true);
            open.invoke(Object.class.getModule(), "jdk.internal.vm");
            return Class.forName("jdk.internal.vm.ThreadContainers").getMethod("root").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK keeps its list of virtual threads elsewhere", e);
        }
    }
}
