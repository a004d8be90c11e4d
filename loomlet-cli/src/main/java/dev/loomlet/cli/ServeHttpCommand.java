package dev.loomlet.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code loomlet serve http}: serves the files of a folder. What it needs of HTTP is loaded only when it is called, see
 * {@link HttpService}.
 */
final class ServeHttpCommand extends Command {
    private static final Option DIR = Option.value("--dir", "FOLDER", "what to serve (default: the current folder)");
    private static final Option LOG = Option.flag("--log", "writes a line for each request, in the combined format");
    private static final Option GZIP =
            Option.flag("--gzip", "compresses what becomes smaller, for those who accept it");

    ServeHttpCommand() {
        super("http", "--port N [OPTIONS]", "serves the files of a folder over HTTP");
    }

    @Override
    List<Option> options() {
        return List.of(ServeOptions.PORT, DIR, ServeOptions.HOST, LOG, GZIP, ServeOptions.BACKLOG, ServeOptions.LIMIT);
    }

    @Override
    List<String> details() {
        return List.of("", "Nothing outside of the folder is served, and nothing whose name begins with a dot.",
                "Ctrl-C stops it; the exit code is then 130.");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        invocation.refuseArguments();
        ServeOptions options = ServeOptions.of(invocation);
        Path folder = Path.of(invocation.value(DIR).orElse(""));
        if (!Files.isDirectory(folder)) {
            throw new UsageException(DIR.spelling() + " " + folder + " is no folder");
        }
        return HttpService.files(options, folder, invocation.has(LOG), invocation.has(GZIP));
    }
}
