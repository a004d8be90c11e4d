package dev.loomlet.internal.jdk;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** How the running VM was started. Use only where {@link Access#granted()}. */
public final class RunningVm {
    private RunningVm() {}

    /**
     * Whether nobody else may have changed the JDK's classes: the VM was started without {@code --patch-module} and without
     * an agent, in Java or native code, other than the one in a jar. False also where this cannot be found out.
     */
    public static boolean hasOnlyAgent(Path jar) {
        try {
            MethodHandle arguments = Access.staticMethod(Access.type("jdk.internal.misc.VM"), "getRuntimeArguments",
                    String[].class);
            String @Nullable [] given = (String @Nullable []) arguments.invokeExact();
            if (given == null) { // the VM's way to say that there were none
                return true;
            }
            for (String each : given) {
                if (each.startsWith("-agent") || each.startsWith("-Xrun") || each.startsWith("--patch-module")
                        || each.startsWith("-Xbootclasspath") || each.startsWith("--upgrade-module-path")
                        || each.startsWith("-javaagent:") && !isAgent(each, jar)) {
                    return false;
                }
            }
            return true;
        } catch (Access.MissingInternal e) {
            return false;
        } catch (Throwable t) {
            throw Access.sneak(t);
        }
    }

    private static boolean isAgent(String argument, Path jar) {
        int options = argument.indexOf('=');
        String name = argument.substring("-javaagent:".length(), options < 0 ? argument.length() : options);
        try {
            return Files.isSameFile(Path.of(name), jar);
        } catch (IOException | InvalidPathException e) {
            return false;
        }
    }
}
