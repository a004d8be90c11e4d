package dev.loomlet.testing;

import java.time.Duration;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.AssertionFailedError;

/**
 * Fails every test that leaves something behind: a live thread, an open file descriptor, a file in the folder for
 * temporary files.
 *
 * <p>It is registered for all tests through {@code META-INF/services}, needs nothing in a test, and looks twice: after
 * each test, and after each class at what its {@code @BeforeAll} and {@code @AfterAll} leave. What is still ending when
 * a test returns, such as a thread on its last instructions, gets {@link #PATIENCE} to be gone; nothing waits when
 * nothing is left.
 *
 * <p>Tests that run at the same time in one JVM would be blamed for one another, so they must not.
 */
public final class LeakCheck
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    /** The configuration parameter that replaces {@link #PATIENCE}, in milliseconds. */
    public static final String PATIENCE_PARAMETER = "loomlet.leakcheck.patience.millis";

    /** How long what is left may take to end after a test. */
    public static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final ExtensionContext.Namespace STORE = ExtensionContext.Namespace.create(LeakCheck.class);

    /** Only polling sees a descriptor or a virtual thread go: neither can be waited for. */
    private static final Duration POLL_EVERY = Duration.ofMillis(5);

    @Override
    public void beforeAll(ExtensionContext context) {
        remember(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        remember(context);
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        compare(context, "the test " + context.getDisplayName());
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        compare(context, "the class " + context.getDisplayName());
    }

    private static void remember(ExtensionContext context) {
        context.getStore(STORE).put(Snapshot.class, Snapshot.take());
    }

    private static void compare(ExtensionContext context, String who) throws InterruptedException {
        Snapshot before = context.getStore(STORE).get(Snapshot.class, Snapshot.class);
        if (before == null) {
            return; // beforeAll of another extension failed before ours ran
        }
        long deadline = System.nanoTime() + patience(context).toNanos();
        Snapshot left = Snapshot.take().without(before);
        while (!left.isEmpty() && System.nanoTime() - deadline < 0) {
            Thread.sleep(POLL_EVERY);
            left = Snapshot.take().without(before);
        }
        if (!left.isEmpty()) {
            forgive(left, context);
            throw new AssertionFailedError(
                    who + " left behind:\n\n" + left.describe() + "\nClose, delete or join it before the test ends.");
        }
    }

    /** What a test is blamed for, its class is not. */
    private static void forgive(Snapshot reported, ExtensionContext blamed) {
        for (var outer = blamed.getParent(); outer.isPresent(); outer = outer.get().getParent()) {
            Snapshot before = outer.get().getStore(STORE).get(Snapshot.class, Snapshot.class);
            if (before != null) {
                outer.get().getStore(STORE).put(Snapshot.class, before.with(reported));
            }
        }
    }

    private static Duration patience(ExtensionContext context) {
        return context.getConfigurationParameter(PATIENCE_PARAMETER, Long::parseLong)
                .map(Duration::ofMillis)
                .orElse(PATIENCE);
    }
}
