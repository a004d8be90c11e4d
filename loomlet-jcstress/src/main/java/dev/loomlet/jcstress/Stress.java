package dev.loomlet.jcstress;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs each protocol under jcstress, which must find nothing, and then its broken twin, the same with the decisive step left
 * out, in which it must find the fault: a test that cannot see the fault proves nothing.
 *
 * <pre>
 * java -jar target/jcstress.jar [options of jcstress, such as -m quick]
 * </pre>
 *
 * Not {@code -m sanity}: that is too short to find the inbox's twin out.
 */
public final class Stress {
    private static final List<String> PROTOCOLS = List.of("InboxSleep", "WaitQueueHandOver", "AsyncResultTold");

    private Stress() {}

    /** Exit status 0 if all is as it must be. */
    public static void main(String[] arguments) throws Exception {
        boolean good = true;
        for (String each : PROTOCOLS) {
            boolean sound = run("\\." + each + "Stress$", arguments) == 0;
            boolean seen = run("\\." + each + "BrokenStress$", arguments) != 0;
            System.out.println("### " + each + ": " + (sound ? "holds" : "FAILS") + "; its broken twin "
                    + (seen ? "is found out" : "IS NOT FOUND OUT"));
            good &= sound && seen;
        }
        System.exit(good ? 0 : 1);
    }

    private static int run(String test, String[] arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), "org.openjdk.jcstress.Main", "-t", test));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
