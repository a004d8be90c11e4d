package dev.loomlet.cli;

import dev.loomlet.Signals;
import dev.loomlet.http.AccessLog;
import dev.loomlet.http.HttpHandler;
import dev.loomlet.http.HttpServer;
import dev.loomlet.http.StaticFiles;
import dev.loomlet.net.Tls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The only class of the command that knows HTTP, so that the other commands start without it. */
final class HttpService {
    private static final int CANNOT_LISTEN = 1;
    private static final Duration GRACE = Duration.ofSeconds(1);
    private static final byte[] GREETING = "Hello World".getBytes(StandardCharsets.US_ASCII);

    private HttpService() {}

    static int hello(ServeOptions options) throws UsageException {
        return serve(options, (_, response) -> response.type("text/plain").send(GREETING), builder -> builder);
    }

    static int files(ServeOptions options, Path folder, boolean log, boolean gzip, Optional<Tls> tls)
            throws UsageException {
        StaticFiles files;
        try {
            files = StaticFiles.of(folder).listing(true);
        } catch (IOException e) {
            throw new UsageException(folder + ": " + e.getMessage());
        }
        return serve(options, files, builder -> {
            builder.gzip(gzip);
            tls.ifPresent(each -> {
                builder.tls(each);
                Signals.on("HUP", () -> reload(each, options.terminal()));
            });
            return log ? builder.accessLog(AccessLog.combined(options.terminal().out())) : builder;
        });
    }

    private static void reload(Tls tls, Terminal terminal) {
        try {
            tls.reload();
        } catch (IOException | GeneralSecurityException e) {
            terminal.err().println("loomlet: the certificate stays as it was: " + e.getMessage());
        }
    }

    private static int serve(ServeOptions options, HttpHandler handler, UnaryOperator<HttpServer.Builder> settings)
            throws UsageException {
        try {
            HttpServer server = settings.apply(HttpServer.builder(options.address(), handler).backlog(options.backlog())
                    .limit(options.limit())).build();
            server.start();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(GRACE), "loomlet-stop"));
            options.terminal().out().println("LISTENING " + server.port());
            options.terminal().out().flush();
            server.serveForever();
            return 0;
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            options.terminal().err().println("loomlet: " + e.getMessage());
            return CANNOT_LISTEN;
        }
    }
}
