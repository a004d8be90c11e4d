package dev.loomlet.agent;

import java.lang.instrument.Instrumentation;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the JVM hands over its {@link Instrumentation}: as {@code -javaagent:} before {@code main}, or by
 * itself when the jar that {@code java -jar} starts names this class as its {@code Launcher-Agent-Class}.
 */
public final class LoomletAgent {

    /** Written once by the JVM's start-up thread, before any of the program's code runs. */
    private static volatile @Nullable Instrumentation instrumentation;

    private LoomletAgent() {}

    /**
     * Called by the JVM for {@code -javaagent:}.
     *
     * @param options what followed {@code =} after the jar's name; may be empty
     * @param granted the JVM's instrumentation service
     */
    public static void premain(@Nullable String options, Instrumentation granted) {
        accept(granted);
        try {
            StartedProgram program = StartedProgram.find();
            new ProgramRun(RunOptions.parse(options == null ? "" : options), program.own()).await(program);
        } catch (UnusableProgram e) {
            System.err.println("loomlet: " + e.getMessage());
            System.exit(2);
        }
    }

    /**
     * Called by the JVM for {@code Launcher-Agent-Class}, and when the agent is attached later.
     *
     * @param options what was given at the attachment; may be empty
     * @param granted the JVM's instrumentation service
     */
    public static void agentmain(@Nullable String options, Instrumentation granted) {
        accept(granted);
    }

    private static void accept(Instrumentation granted) {
        instrumentation = granted;
        // Before anything of ours asks for it: from here on Loomlet needs no flag.
        granted.redefineModule(Object.class.getModule(), Set.of(), Map.of(),
                Map.of("java.lang", Set.of(LoomletAgent.class.getModule())), Set.of(), Map.of());
    }

    /**
     * The JVM's instrumentation service.
     *
     * @return the service, or empty when this JVM was started without the agent
     */
    public static Optional<Instrumentation> instrumentation() {
        return Optional.ofNullable(instrumentation);
    }
}
