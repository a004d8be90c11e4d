package dev.loomlet;

import dev.loomlet.internal.loop.Deferred;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Recording;
import dev.loomlet.internal.loop.Timer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A time after which the code it surrounds is made to stop: {@link TimeoutExpired} is thrown at the wait it is in, or at
 * the next one it comes to.
 *
 * {@snippet :
 * Page page = withTimeout(ofSeconds(3), () -> fetch(url));          // one call
 * Page some = withTimeout(ofSeconds(3), () -> fetch(url), Page.NONE); // the same, with something else instead
 *
 * try (var _ = Timeout.after(ofMillis(500))) {                        // or a block
 *     warmUp();
 * } catch (TimeoutExpired late) {
 *     log("cold start");
 * }
 * }
 *
 * <p><b>At waits only.</b> Nothing stops code that computes: if its time runs out there and it ends without coming to a
 * wait, it has just ended, and {@link #close} takes the expiry back.
 *
 * <p><b>Nesting.</b> Timeouts nest, and whichever ends first is thrown. An outer one that expires inside an inner call
 * goes through it as an exception of the outer one, never as the inner call's own: {@link TimeoutExpired#timeout} tells
 * whose it is, {@code withTimeout} with a fallback looks at that, and so does every wait of this library that takes a
 * duration.
 *
 * <p><b>How long.</b> Zero is due as soon as the hub looks at its timers, so a body that only gives way once or finds what
 * it waits for still wins. A negative duration is due at once, at the next wait. One of more than some 292 years never
 * expires.
 *
 * <p><b>In waits of the JDK</b> (a JDK socket, {@code BlockingQueue.take}) the expiry arrives as an interrupt, with what
 * the JDK makes of that: an {@link InterruptedException}, a closed socket. {@code withTimeout} turns that back into the
 * expiry, with the original exception suppressed in it. A try block cannot, since {@code close} sees no exception: there
 * the JDK's exception comes out, and {@link #fired} tells why.
 *
 * <p><b>Threads.</b> It concerns the greenlet that makes it. On a platform thread, which gets a hub if it has none, it
 * concerns that thread's waits in this library, in which its hub runs. A virtual thread without a hub cannot have one.
 *
 * <p>gevent's {@code Timeout}; the scope idea is from trio's {@code move_on_after}.
 */
public final class Timeout implements AutoCloseable {
    private final Duration duration;
    private final @Nullable Supplier<? extends Throwable> exception;
    private final Fiber fiber;
    private final Alarm alarm = new Alarm();
    private @Nullable Due due; // on its way to be thrown
    private boolean started;
    private volatile boolean fired;

    /** When the time is over. */
    private final class Alarm extends Timer {
        @Override
        protected void fire() {
            expire();
        }
    }

    /** Becomes the exception at the wait that it hits. */
    private final class Due extends Deferred {
        private static final long serialVersionUID = 1;

        @Override
        public Throwable make(@Nullable Object wait) {
            due = null;
            if (Recording.on()) {
                Recording.expired(Timeout.this.toString(), wait);
            }
            return exception == null ? new TimeoutExpired(Timeout.this, wait) : exception.get();
        }
    }

    private Timeout(Duration duration, @Nullable Supplier<? extends Throwable> exception) {
        this.duration = duration;
        this.exception = exception;
        Fiber here = Fiber.here();
        this.fiber = here == null ? Hub.current().loop().homeFiber() : here;
    }

    /**
     * Begins one. Close it when the work is done.
     *
     * @throws IllegalStateException on a virtual thread that belongs to no hub
     */
    public static Timeout after(Duration duration) {
        return new Timeout(duration, null).start();
    }

    /**
     * Begins one that throws an exception of your choice.
     *
     * @param exception asked for the exception when it is thrown, in the greenlet that it is thrown in. Checked ones are
     *     thrown as they are, undeclared
     */
    public static Timeout after(Duration duration, Supplier<? extends Throwable> exception) {
        return new Timeout(duration, exception).start();
    }

    /** One that waits for its {@link #start}. */
    public static Timeout unstarted(Duration duration) {
        return new Timeout(duration, null);
    }

    /**
     * Begins it, counted from now; also again, after {@link #cancel} or when it has expired. An expiry that was not thrown
     * yet will not be.
     *
     * @return this
     * @throws IllegalStateException if it is running already, or by a greenlet that did not make it
     */
    public Timeout start() {
        if (pending()) {
            throw new IllegalStateException(this + " runs already. Cancel it first");
        }
        if (Fiber.here() != fiber) {
            throw new IllegalStateException(this + " concerns " + fiber + " and cannot be started by another");
        }
        if (started) {
            stop();
        }
        started = true;
        fired = false;
        long nanos = Nanos.of(duration);
        if (duration.isNegative()) {
            expire();
        } else if (nanos >= 0) {
            loop().arm(alarm, nanos);
        }
        return this;
    }

    /** On the loop. */
    private void expire() {
        fired = true;
        Due due = new Due();
        this.due = due;
        if (!fiber.raise(due)) {
            loop().pokeSoon(fiber);
        }
    }

    private Loop loop() {
        return fiber.loop();
    }

    /** How long. */
    public Duration duration() {
        return duration;
    }

    /** Whether its time is over: its exception was thrown, or will be at the next wait if it is not closed before. */
    public boolean fired() {
        return fired;
    }

    /** Whether it has been started, and has neither expired nor been cancelled. */
    public boolean pending() {
        return started && !fired;
    }

    /** Stops it. An expiry that was not thrown yet will not be. It may be started again. */
    public void cancel() {
        close();
    }

    /** Stops it. An expiry that was not thrown yet will not be. Any thread; closing twice is harmless. */
    @Override
    public void close() {
        if (loop().onLoop()) {
            stop();
        } else if (!loop().post(this::stop)) {
            started = false; // the hub is closed, nothing will ever fire
        }
    }

    /** Takes it out of the hub's timers, or off its way to the greenlet. On the loop. */
    private boolean stop() {
        started = false;
        loop().cancel(alarm);
        Due due = this.due;
        this.due = null;
        return due != null && fiber.retract(due);
    }

    /**
     * Makes of what came out of the body what is to be thrown: its own expiry if the JDK made an exception of its own of
     * the interrupt. If no interrupt was sent for it, the body failed by itself, and that is what there is to say.
     */
    Throwable verdict(Throwable thrown) {
        Due due = this.due;
        if (due == null || !fiber.interruptedFor(due) || !stop()) {
            return thrown;
        }
        Throwable expired = due.make(null);
        if (expired != thrown) {
            expired.addSuppressed(thrown);
        }
        return expired;
    }

    boolean isMine(Throwable thrown) {
        return thrown instanceof TimeoutExpired expired && expired.timeout() == this;
    }

    /** Who it concerns, for people. */
    Optional<Greenlet<?>> greenlet() {
        return fiber.owner() instanceof Greenlet<?> greenlet ? Optional.of(greenlet) : Optional.empty();
    }

    @Override
    public String toString() {
        return "Timeout of " + TimeoutExpired.inWords(duration);
    }
}
