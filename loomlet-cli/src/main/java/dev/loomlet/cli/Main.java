package dev.loomlet.cli;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code loomlet} command. Each subcommand is a class of its own, registered in {@link #commandLine()}. */
@Command(
        name = "loomlet",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = "gevent for the JVM: runs blocking Java programs as greenlets on one thread.",
        synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {

    /** What the process ends with after a mistake in the command line. */
    public static final int USAGE_ERROR = CommandLine.ExitCode.USAGE;

    @Spec private @Nullable CommandSpec spec;

    private Main() {}

    /**
     * Runs the command and ends the process with its exit code.
     *
     * @param args the command line: a subcommand and its arguments
     */
    public static void main(String[] args) {
        int exitCode = commandLine().execute(args);
        System.out.flush();
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    /**
     * The command with all its subcommands.
     *
     * @return a command line that is ready to {@link CommandLine#execute execute}
     */
    public static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new Main());
        // Subcommands are registered here, in the order in which --help lists them.
        commandLine.addSubcommand(new ServeCommand());
        return commandLine.setParameterExceptionHandler(Main::explainUsageError);
    }

    /** Without a subcommand there is nothing to do: that is a usage error, not a help page. */
    @Override
    public void run() {
        CommandLine commandLine = java.util.Objects.requireNonNull(spec).commandLine();
        throw new ParameterException(commandLine, "which command? `loomlet --help` lists them");
    }

    /** One clear line, no stack trace, and no page of help that would push it off the screen. */
    private static int explainUsageError(ParameterException error, String[] args) {
        PrintWriter err = error.getCommandLine().getErr();
        err.println("loomlet: " + error.getMessage());
        err.flush();
        return USAGE_ERROR;
    }

    /** Reads the version from the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            @Nullable String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"loomlet " + (version == null ? "(unpackaged)" : version)};
        }
    }
}
