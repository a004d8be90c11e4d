package dev.loomlet.cli;

import java.util.List;

/** {@code loomlet serve hello}: answers every HTTP request with a greeting. */
final class ServeHelloCommand extends Command {
    ServeHelloCommand() {
        super("hello", "--port N [OPTIONS]", "answers every HTTP request with Hello World");
    }

    @Override
    List<Option> options() {
        return List.of(ServeOptions.PORT, ServeOptions.HOST, ServeOptions.BACKLOG, ServeOptions.LIMIT);
    }

    @Override
    List<String> details() {
        return List.of("", "Try: curl http://127.0.0.1:PORT/", "Ctrl-C stops it; the exit code is then 130.");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        invocation.refuseArguments();
        return HttpService.hello(ServeOptions.of(invocation));
    }
}
