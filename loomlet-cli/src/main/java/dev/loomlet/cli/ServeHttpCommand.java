package dev.loomlet.cli;

import dev.loomlet.net.Tls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Optional;

/**
 * {@code loomlet serve http}: serves the files of a folder. What it needs of HTTP is loaded only when it is called, see
 * {@link HttpService}.
 */
final class ServeHttpCommand extends Command {
    private static final Option DIR = Option.value("--dir", "FOLDER", "what to serve (default: the current folder)");
    private static final Option LOG = Option.flag("--log", "writes a line for each request, in the combined format");
    private static final Option GZIP =
            Option.flag("--gzip", "compresses what becomes smaller, for those who accept it");

    private static final Option TLS = Option.value("--tls", "CERTIFICATE,KEY",
            "serves HTTPS with these two PEM files; the key in PKCS #8 and not encrypted");
    private static final Option KEYSTORE =
            Option.value("--keystore", "FILE", "serves HTTPS with the certificate and key of a PKCS #12 file");
    private static final Option PASSWORD_FILE =
            Option.value("--password-file", "FILE", "the first line is the password of --keystore (default: none)");

    ServeHttpCommand() {
        super("http", "--port N [OPTIONS]", "serves the files of a folder over HTTP or HTTPS");
    }

    @Override
    List<Option> options() {
        return List.of(ServeOptions.PORT, DIR, ServeOptions.HOST, TLS, KEYSTORE, PASSWORD_FILE, LOG, GZIP,
                ServeOptions.BACKLOG, ServeOptions.LIMIT);
    }

    @Override
    List<String> details() {
        return List.of("", "Nothing outside of the folder is served, and nothing whose name begins with a dot.",
                "With HTTPS, the signal HUP makes it read its certificate again, for new connections.",
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
        return HttpService.files(options, folder, invocation.has(LOG), invocation.has(GZIP), tls(invocation));
    }

    private static Optional<Tls> tls(Invocation invocation) throws UsageException {
        Optional<String> pem = invocation.value(TLS);
        Optional<String> store = invocation.value(KEYSTORE);
        if (pem.isPresent() && store.isPresent()) {
            throw new UsageException("one of --tls and --keystore is enough");
        }
        if (store.isEmpty() && invocation.has(PASSWORD_FILE)) {
            throw new UsageException("--password-file is for --keystore");
        }
        try {
            if (pem.isPresent()) {
                String[] files = pem.get().split(",", -1);
                if (files.length != 2) {
                    throw new UsageException("--tls takes two files, CERTIFICATE,KEY, not \"" + pem.get() + '"');
                }
                return Optional.of(Tls.ofPem(Path.of(files[0]), Path.of(files[1])));
            }
            if (store.isPresent()) {
                Optional<String> file = invocation.value(PASSWORD_FILE);
                String password =
                        file.isEmpty() ? "" : Files.readString(Path.of(file.get())).lines().findFirst().orElse("");
                return Optional.of(Tls.ofKeyStore(Path.of(store.get()), password.toCharArray()));
            }
            return Optional.empty();
        } catch (NoSuchFileException e) {
            throw new UsageException("there is no file " + e.getMessage());
        } catch (IOException | GeneralSecurityException e) {
            throw new UsageException("no HTTPS with that: " + e.getMessage());
        }
    }
}
