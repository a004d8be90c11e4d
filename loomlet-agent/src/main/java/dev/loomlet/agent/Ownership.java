package dev.loomlet.agent;

import dev.loomlet.internal.jdk.ThreadHooks;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Whose a class is: the program's own, a library's, the JDK's or Loomlet's. */
final class Ownership {
    /** The owners. */
    enum Owner {
        PROGRAM,
        LIBRARY,
        JDK,
        LOOMLET
    }

    private static final StackWalker WALKER = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    private final Predicate<URI> own;
    private final Set<String> names = ConcurrentHashMap.newKeySet();
    private final ClassValue<Owner> owners = new ClassValue<>() {
        @Override
        protected Owner computeValue(Class<?> type) {
            return find(type);
        }
    };

    /** Own are the classes that were loaded from one of these places, however they are written. */
    Ownership(Set<URI> named) {
        Set<URI> own = new HashSet<>(named);
        for (URI each : named) {
            own.add(asLoaded(each));
        }
        this.own = location -> own.contains(location)
                // what a jar that carries jars keeps beside them
                || own.stream().anyMatch(each -> location.toString().contains(each.getPath())
                        && !location.toString().contains("/lib/"));
    }

    /** The JDK's class loader takes "." and symbolic links out of a path before it says that a class is from there. */
    private static URI asLoaded(URI place) {
        try {
            return Path.of(place).toRealPath().toUri();
        } catch (IOException | IllegalArgumentException | FileSystemNotFoundException e) {
            return place; // not there, or no file: nothing but this very place will do
        }
    }

    /** Whose a class is. */
    Owner of(Class<?> type) {
        return owners.get(type);
    }

    private Owner find(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        if (loader == null || loader == ClassLoader.getPlatformClassLoader()) {
            return Owner.JDK;
        }
        if (type.getModule().isNamed() && loader == ClassLoader.getSystemClassLoader()
                && type.getModule().getDescriptor().name().startsWith("jdk.")) {
            return Owner.JDK; // the JDK's own tools
        }
        String name = type.getName();
        if (name.startsWith("dev.loomlet.")) {
            return Owner.LOOMLET;
        }
        return owns(type.getProtectionDomain()) ? Owner.PROGRAM : Owner.LIBRARY;
    }

    /** A class made at run time without saying by whom counts as a library's. */
    private boolean owns(@Nullable ProtectionDomain domain) {
        CodeSource source = domain == null ? null : domain.getCodeSource();
        if (source == null || source.getLocation() == null) {
            return false;
        }
        try {
            return own.test(source.getLocation().toURI());
        } catch (URISyntaxException e) {
            return false;
        }
    }

    /** A class is being loaded; kept by name, for those who see no more than a stack trace. */
    void loads(String name, @Nullable ProtectionDomain domain) {
        if (owns(domain)) {
            names.add(name.replace('/', '.'));
        }
    }

    /** Whether the program has loaded a class of its own by that name. */
    boolean programHas(String name) {
        return names.contains(name);
    }

    /** Who started the action that is under way: the first on the stack that does not act for another. */
    Owner initiator(Owner otherwise) {
        return WALKER.walk(frames -> frames.map(StackWalker.StackFrame::getDeclaringClass)
                .dropWhile(each -> each.getPackageName().startsWith("dev.loomlet.internal")
                        || each.getPackageName().equals("dev.loomlet.agent"))
                .filter(each -> of(each) != Owner.JDK || !ThreadHooks.startsForCaller(each)
                        || ThreadHooks.runsShutdownHooks(each))
                .map(this::of).findFirst().orElse(otherwise));
    }
}
