package dev.loomlet.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code loomlet serve WHAT}: small servers to try things with. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = "Runs a small server on one thread, until Ctrl-C.",
        synopsisSubcommandLabel = "WHAT",
        subcommands = ServeUpperCommand.class)
final class ServeCommand implements Runnable {
    @Spec private @Nullable CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(java.util.Objects.requireNonNull(spec).commandLine(),
                "serve what? `loomlet serve --help` lists it");
    }
}
