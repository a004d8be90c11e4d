package dev.loomlet;

import dev.loomlet.internal.jdk.OsSignals;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Signals of the operating system, handled by greenlets.
 *
 * {@snippet :
 * var stop = new Event();
 * try (var _ = Signals.on("TERM", stop::set)) {
 *     stop.await();
 * }
 * server.stop();
 * }
 *
 * <p>The handler runs in a new greenlet of the hub that registered it, each time the signal comes, so it may wait, and an
 * error in it is reported like that of any greenlet. It runs when that hub has a turn: not while a greenlet holds the hub
 * up, and not while the hub's own thread does something else than wait in this library.
 *
 * <p>Several handlers of one signal all run, each on its hub, in the order in which they were registered. When the last is
 * closed, the signal does again what it did before the first: {@code TERM} ends the process. A hub that closes takes its
 * handlers with it.
 *
 * <p>While a handler is registered, its hub is not stuck: somebody may still send the signal.
 *
 * <p>The JVM keeps some signals for itself ({@code QUIT}, {@code SEGV}...), the system others ({@code KILL},
 * {@code STOP}).
 *
 * <p>gevent's {@code signal_handler}.
 */
public final class Signals {
    private Signals() {}

    /** A handler that is registered, until it is closed. */
    public static final class Handler implements AutoCloseable {
        private final String signal;
        private final Hub hub;
        private final Action task;
        private final Runnable undo;
        private boolean closed; // guarded by this

        private Handler(String signal, Hub hub, Action task) {
            this.signal = signal;
            this.hub = hub;
            this.task = task;
            hub.loop().promise();
            try {
                undo = OsSignals.on(signal, this::came);
            } catch (Throwable t) {
                hub.loop().promiseKept();
                throw t;
            }
        }

        private boolean came() {
            if (hub.loop().closed()) {
                return false;
            }
            try {
                hub.spawn("signal " + signal, task);
                return true;
            } catch (IllegalStateException closedMeanwhile) {
                return false;
            }
        }

        /** The signal, without "SIG". */
        public String signal() {
            return signal;
        }

        /** Takes it back. What runs for a signal that has come runs on. Any thread; closing twice is harmless. */
        @Override
        public void close() {
            synchronized (this) {
                if (closed) {
                    return;
                }
                closed = true;
            }
            undo.run();
            hub.handlers().remove(this);
            hub.loop().promiseKept();
        }

        @Override
        public String toString() {
            return "handler of signal " + signal + " on " + hub;
        }
    }

    /**
     * Runs {@code handler} in a new greenlet of the current hub whenever the process gets the signal.
     *
     * @param signal its name, "TERM" or "SIGTERM"
     * @return close it to take the handler back
     * @throws IllegalArgumentException if there is no such signal, or the JVM or the system keeps it for itself
     * @throws UnsupportedOperationException in a runtime without the module {@code jdk.unsupported}
     */
    public static Handler on(String signal, Action handler) {
        Objects.requireNonNull(handler);
        String name = signal.startsWith("SIG") ? signal.substring(3) : signal;
        Hub hub = Hub.current();
        SpawnSite.of(handler); // remembered as the place of its greenlets
        Handler registered;
        try {
            registered = new Handler(name, hub, handler);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("signal " + signal + " cannot be handled: " + why(e.getMessage()), e);
        }
        hub.handlers().add(registered);
        return registered;
    }

    private static String why(@Nullable String reason) {
        return reason == null ? "the JVM refuses it" : reason;
    }
}
