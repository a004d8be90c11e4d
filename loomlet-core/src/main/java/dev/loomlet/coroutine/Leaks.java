package dev.loomlet.coroutine;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Reports coroutines and generators that are collected while suspended: their {@code finally} blocks have not run and
 * will not. Switched on by {@code -Dloomlet.coroutines.leaks=true}; costs nothing otherwise.
 *
 * <p>The portable implementation has nothing to report: what is suspended there is a thread, and never collected.
 */
final class Leaks {
    private static final boolean WANTED = Boolean.getBoolean("loomlet.coroutines.leaks");

    private Leaks() {}

    /** Where a coroutine or generator is being created, or null if nobody wants to know. */
    static @Nullable Throwable site(String kind) {
        return WANTED ? new Throwable("this " + kind + " was created here") : null;
    }

    /** Keeps an eye on {@code owner}, which starts now, until {@link Watch#ended}. */
    static @Nullable Watch watch(Object owner, @Nullable Throwable site) {
        if (site == null) {
            return null;
        }
        var watch = new Watch(site);
        Lazy.CLEANER.register(owner, watch); // the watch must not refer to the owner
        return watch;
    }

    private static final class Lazy {
        static final Cleaner CLEANER = Cleaner.create(work -> {
            Thread thread = new Thread(work, "loomlet-coroutine-leaks");
            thread.setDaemon(true);
            return thread;
        });
        static final System.Logger LOGGER = System.getLogger("dev.loomlet.coroutine");
    }

    /** What remains of one when it is gone. */
    static final class Watch implements Runnable {
        private final Throwable created;
        volatile boolean ended;

        Watch(Throwable created) {
            this.created = created;
        }

        @Override
        public void run() {
            if (!ended) {
                Lazy.LOGGER.log(System.Logger.Level.WARNING, "A coroutine or generator was dropped while suspended: no"
                        + " further line of its body runs, no finally and no close(). End it, or create it in a"
                        + " CoroutineScope", created);
            }
        }
    }
}
