package dev.loomlet;

import dev.loomlet.internal.loop.Wrapper;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where a greenlet was spawned.
 *
 * <p>Walking the stack at each spawn would cost more than the spawn. But a lambda has a class of its own for each place in
 * the source, so the stack is walked at the first spawn of each such class and remembered with it: a site costs a lookup.
 * (A lambda that is kept in a variable and spawned from several places shows the first of them.) For tasks of named
 * classes, which say less about the place, the stack is walked each time.
 */
final class SpawnSite {
    private static final int FRAMES = 4;
    private static final Pattern OURS =
            Pattern.compile(
                    "dev\\.loomlet(\\.(pool|sync|net|process|inspect|coroutine|agent|cli|(cli|internal)\\..*))?");
    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);
    private static final ClassValue<SpawnSite> SITES = new ClassValue<>() {
        @Override
        protected SpawnSite computeValue(Class<?> type) {
            return walk();
        }
    };

    private final List<StackTraceElement> frames;

    private SpawnSite(List<StackTraceElement> frames) {
        this.frames = frames;
    }

    static SpawnSite of(Object task) {
        Class<?> type = (task instanceof Wrapper wrapper ? wrapper.wrapped() : task).getClass();
        return type.isHidden() ? SITES.get(type) : walk();
    }

    private static SpawnSite walk() {
        return new SpawnSite(WALKER.walk(frames -> frames.dropWhile(each -> ours(each.getDeclaringClass()))
                .limit(FRAMES).map(StackWalker.StackFrame::toStackTraceElement).toList()));
    }

    /** Frames between the user and the stack's top: ours, and the JDK's that lead to us. */
    private static boolean ours(Class<?> type) {
        String name = type.getName();
        return type.getModule() == Object.class.getModule()
                || (OURS.matcher(type.getPackageName()).matches() && !name.contains("Test"));
    }

    static boolean ours(StackTraceElement frame) {
        String type = frame.getClassName();
        return "java.base".equals(frame.getModuleName()) || (type.lastIndexOf('.') > 0 && !type.contains("Test")
                && OURS.matcher(type.substring(0, type.lastIndexOf('.'))).matches());
    }

    Optional<StackTraceElement> top() {
        return frames.stream().findFirst();
    }

    List<StackTraceElement> frames() {
        return frames;
    }

    @Override
    public String toString() {
        return top().map(StackTraceElement::toString).orElse("an unknown place");
    }
}
