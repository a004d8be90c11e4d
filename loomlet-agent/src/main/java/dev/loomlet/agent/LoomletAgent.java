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
        StartedProgram program = StartedProgram.find();
        ThreadMode mode = ThreadMode.APP;
        SocketMode sockets = SocketMode.AUTO;
        boolean report = false;
        for (String each : (options == null ? "" : options).split(",", -1)) {
            switch (each) {
                case "" -> {}
                case "report" -> report = true;
                case "threads=app" -> mode = ThreadMode.APP;
                case "threads=all" -> mode = ThreadMode.ALL;
                case "threads=none" -> mode = ThreadMode.NONE;
                case "sockets=fast" -> sockets = SocketMode.FAST;
                case "sockets=jdk" -> sockets = SocketMode.JDK;
                default -> {
                    System.err.println("loomlet: the agent has no option \"" + each
                            + "\"; it takes threads=app|all|none, sockets=fast|jdk and report, with commas between them");
                    System.exit(2);
                }
            }
        }
        new ProgramRun(mode, sockets, program.own(), report).await(program);
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
