package dev.loomlet;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Thrown at a wait when a {@link Timeout} around it is over.
 *
 * <p>It is unchecked and no {@link Exception}, so that {@code catch (Exception e)} on the way does not swallow it. When
 * timeouts nest, {@link #timeout} says whose it is; one that is not yours is not yours to catch. Its message names how long
 * was waited, for what, and where.
 *
 * <p>gevent's {@code Timeout} as an exception, a {@code BaseException} for the same reason.
 */
public class TimeoutExpired extends Error {
    private static final long serialVersionUID = 1;

    private final transient Timeout timeout;

    TimeoutExpired(Timeout timeout, @Nullable Object wait) {
        super("timed out after " + inWords(timeout.duration()) + who(timeout) + " waiting"
                + (wait == null ? "" : " for " + wait) + place(timeout));
        this.timeout = timeout;
    }

    /** Whose time is over. */
    public Timeout timeout() {
        return timeout;
    }

    private static String who(Timeout timeout) {
        return timeout.greenlet().map(greenlet -> ", " + greenlet.name()).orElse(",");
    }

    /** Where the program called what waits: the first frame that is neither ours nor the JDK's. */
    private static String place(Timeout timeout) {
        return SpawnSite.of(timeout).top().map(frame -> ", at " + frame).orElse("");
    }

    static String inWords(Duration duration) {
        if (duration.toSeconds() >= Long.MAX_VALUE / 1_000_000_000L) {
            return "no time at all"; // for ever
        }
        long nanos = duration.toNanos();
        if (nanos % 1_000_000_000L == 0) {
            return nanos / 1_000_000_000L + " s";
        }
        return nanos % 1_000_000L == 0 ? nanos / 1_000_000L + " ms" : nanos / 1_000L + " us";
    }
}
