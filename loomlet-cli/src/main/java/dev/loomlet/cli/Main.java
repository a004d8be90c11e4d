package dev.loomlet.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loomlet} command. */
public final class Main extends Group {

    /** The subcommands, in the order in which {@code --help} lists them: each is a class of its own. */
    private static final List<Command> COMMANDS = List.of(
            new RunCommand(),
            new TreeCommand(),
            new DoctorCommand(),
            new Group("serve", "runs a small server on one thread, until Ctrl-C", List.of(
                    new ServeUpperCommand(), new ServeHelloCommand(), new ServeHttpCommand())));

    private static final Option VERSION = Option.flag("--version", "prints the version").or("-V");

    private Main() {
        super("loomlet", "gevent for the JVM: runs blocking Java programs as greenlets on one thread.", COMMANDS);
    }

    /**
     * Runs the command that {@code args} name. When it returns 0, the process goes on for as long as its threads do;
     * else it ends with that exit code.
     *
     * @param args the command line: a subcommand and its arguments
     */
    public static void main(String[] args) {
        int exitCode = run(List.of(args), new Terminal(System.out, System.err));
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    static int run(List<String> args, Terminal terminal) {
        return new Main().execute(args, terminal);
    }

    @Override
    List<Option> options() {
        return List.of(VERSION);
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        if (invocation.has(VERSION)) {
            invocation.terminal().out().println("loomlet " + version() + " on Java " + Runtime.version());
            return 0;
        }
        return super.call(invocation);
    }

    private static String version() {
        @Nullable String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }
}
