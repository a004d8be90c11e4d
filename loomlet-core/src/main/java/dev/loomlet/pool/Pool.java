package dev.loomlet.pool;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.internal.loop.Nanos;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * A {@link Group} that never has more than so many members: {@link #spawn} waits for a free place, and those who wait get
 * one in the order in which they came.
 *
 * {@snippet :
 * var pool = new Pool(100);
 * for (Page each : pool.mapUnordered(urls, this::fetch)) index(each);
 * }
 *
 * <p>A place is taken by {@code spawn}, {@code add} and {@code start}, and free again when the member ends, however it does,
 * or is discarded. A pool of no places never takes anybody.
 *
 * <p>gevent's {@code gevent.pool.Pool}.
 */
public final class Pool extends Group {
    private final int places;
    private final Slots slots;

    /**
     * A pool whose greenlets are spawned on the hub of whoever spawns them.
     *
     * @param places how many members it may have at a time
     */
    public Pool(int places) {
        this.places = check(places);
        this.slots = new Slots(places, reason());
    }

    /** A pool whose greenlets are spawned on {@code hub}, from whatever thread. */
    public Pool(int places, Hub hub) {
        super(hub);
        this.places = check(places);
        this.slots = new Slots(places, reason());
    }

    private static int check(int places) {
        if (places < 0) {
            throw new IllegalArgumentException("a pool cannot have " + places + " places");
        }
        return places;
    }

    private Place reason() {
        return new Place(this);
    }

    /** How many members it may have. */
    public int places() {
        return places;
    }

    /** How many more members it could take now. */
    public int free() {
        return slots.free();
    }

    /** Whether {@link #spawn} would have to wait. */
    @Override
    public boolean full() {
        return slots.free() == 0 || slots.anybodyWaits();
    }

    /** {@link #spawn(Callable)} if it need not wait; otherwise nothing. */
    public <T> Optional<Greenlet<T>> trySpawn(Callable<T> task) {
        return trySpawn(Duration.ZERO, task);
    }

    /** {@link #spawn(Action)} if it need not wait; otherwise nothing. */
    public Optional<Greenlet<Void>> trySpawn(Action task) {
        return trySpawn(Duration.ZERO, task);
    }

    /** {@link #spawn(Callable)} that waits for a place at most so long; otherwise nothing. */
    public <T> Optional<Greenlet<T>> trySpawn(Duration timeout, Callable<T> task) {
        return take(Nanos.of(timeout)) ? Optional.of(admitNew(() -> hub().unstarted(task))) : Optional.empty();
    }

    /** {@link #spawn(Action)} that waits for a place at most so long; otherwise nothing. */
    public Optional<Greenlet<Void>> trySpawn(Duration timeout, Action task) {
        return take(Nanos.of(timeout)) ? Optional.of(admitNew(() -> hub().unstarted(task))) : Optional.empty();
    }

    /**
     * {@link #add}s if there is a place, waiting for it at most so long.
     *
     * @return whether the greenlet is a member now
     */
    public boolean tryAdd(Greenlet<?> greenlet, Duration timeout) {
        if (!contains(greenlet)) {
            if (!take(Nanos.of(timeout))) {
                return false;
            }
            admit(new Member(greenlet));
        }
        return true;
    }

    /** Waits until a place is free; somebody else may take it before you do. */
    public void waitAvailable() {
        slots.take(-1);
        slots.giveBack();
    }

    /**
     * Waits until a place is free, at most so long.
     *
     * @return whether one was
     */
    public boolean waitAvailable(Duration timeout) {
        boolean taken = slots.take(Nanos.of(timeout));
        if (taken) {
            slots.giveBack();
        }
        return taken;
    }

    @Override
    boolean take(long nanos) {
        return slots.take(nanos);
    }

    @Override
    void giveBack() {
        slots.giveBack();
    }

    @Override
    int lookAhead() {
        return Math.clamp(2L * places, 1, Integer.MAX_VALUE);
    }

    @Override
    public String toString() {
        return "Pool of " + places + ", " + size() + " taken";
    }
}
