package dev.loomlet.agent;

import java.util.ArrayList;
import java.util.List;

/**
 * How a program is to be run.
 *
 * @param threads which of its threads become greenlets
 * @param files where they read and write regular files
 * @param sockets what is under its sockets
 * @param offload rules for what is kept off the hub, as in {@code dev.loomlet.Offload}
 * @param report whether to print, at the end, what has happened
 */
public record RunOptions(ThreadMode threads, FileMode files, SocketMode sockets, List<String> offload,
        boolean report) {

    /** What is done unless something else is said. */
    public static final RunOptions DEFAULT =
            new RunOptions(ThreadMode.APP, FileMode.INLINE, SocketMode.AUTO, List.of(), false);

    /** Copies the list. */
    public RunOptions {
        offload = List.copyOf(offload);
    }

    /**
     * Reads the options of {@code -javaagent:loomlet.jar=OPTIONS}.
     *
     * @throws UnusableProgram if there is one that does not exist
     */
    static RunOptions parse(String options) throws UnusableProgram {
        ThreadMode threads = DEFAULT.threads();
        FileMode files = DEFAULT.files();
        SocketMode sockets = DEFAULT.sockets();
        List<String> offload = new ArrayList<>();
        boolean report = false;
        for (String each : options.split(",", -1)) {
            switch (each) {
                case "" -> {}
                case "report" -> report = true;
                case "threads=app" -> threads = ThreadMode.APP;
                case "threads=all" -> threads = ThreadMode.ALL;
                case "threads=none" -> threads = ThreadMode.NONE;
                case "sockets=fast" -> sockets = SocketMode.FAST;
                case "sockets=jdk" -> sockets = SocketMode.JDK;
                case "files=inline" -> files = FileMode.INLINE;
                case "files=pool" -> files = FileMode.POOL;
                default -> {
                    if (!each.startsWith("offload=")) {
                        throw new UnusableProgram("the agent has no option \"" + each + "\"; it takes"
                                + " threads=app|all|none, files=inline|pool, sockets=fast|jdk, offload=CLASS#METHOD and report,"
                                + " with commas between them");
                    }
                    offload.add(each.substring("offload=".length()));
                }
            }
        }
        return new RunOptions(threads, files, sockets, offload, report);
    }
}
