package program;

import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs the tests of a library in its main thread, and makes the calls in threads that it starts. */
public final class ThreadProgram {
    private ThreadProgram() {}

    /** Runs the tests of a class; the exit code is 0 if nothing has failed. */
    public static void main(String[] args) {
        Listener listener = new Listener();
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(args[0])).build(), listener);
        System.out.println(listener.ended + " ended, " + listener.failed + " failed");
        System.exit(listener.ended > 0 && listener.failed == 0 ? 0 : 1);
    }

    /** Starts a thread. */
    public static <T> Future<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        new Thread(task).start();
        return task;
    }

    private static final class Listener implements TestExecutionListener {
        private int ended;
        private int failed;

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            ended++;
            result.getThrowable().ifPresent(error -> {
                System.out.println(test.getDisplayName() + ": " + result.getStatus());
                error.printStackTrace(System.out);
            });
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                failed++;
            }
        }
    }
}
