package dev.loomlet.internal.loop;

import java.util.concurrent.CancellationException;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A timed park or timed {@code Object.wait} of the JDK, as a timer of the loop. */
final class JdkTimer extends Timer implements ScheduledFuture<Object> {
    private final Loop loop;
    private final Runnable task;
    private volatile boolean cancelled;
    private volatile boolean fired;

    JdkTimer(Loop loop, Runnable task) {
        this.loop = loop;
        this.task = task;
    }

    @Override
    protected void fire() {
        if (!cancelled) {
            fired = true;
            task.run();
        }
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
        if (fired) {
            return false;
        }
        cancelled = true;
        if (loop.onLoop()) {
            loop.cancel(this);
        } else {
            loop.post(() -> loop.cancel(this));
        }
        return true;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public boolean isDone() {
        return cancelled || fired;
    }

    @Override
    public Object get() {
        throw new UnsupportedOperationException("nobody waits for a timer");
    }

    @Override
    public Object get(long timeout, TimeUnit unit) {
        if (cancelled) {
            throw new CancellationException();
        }
        throw new UnsupportedOperationException("nobody waits for a timer");
    }

    @Override
    public long getDelay(TimeUnit unit) {
        return unit.convert(due - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
        return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }
}
