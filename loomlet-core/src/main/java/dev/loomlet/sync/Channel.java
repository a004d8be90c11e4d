package dev.loomlet.sync;

import dev.loomlet.Case;
import dev.loomlet.Selected;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Nanos;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Hands items from a sender to a receiver, who wait for one another.
 *
 * {@snippet :
 * var channel = new Channel<Job>();
 * spawn(() -> {
 *     for (Job job : channel) {        // until it is closed
 *         work(job);
 *     }
 * });
 * channel.send(job);                   // when this returns, the receiver has it and has gone on
 * channel.close();
 *
 * switch (select(channel.receiving(), stop.waiting(), after(ofSeconds(1)))) {
 *     case Received(Job next) -> work(next);
 *     case Closed _, Ready _ -> goHome();
 *     default -> lookAround();
 * }
 * }
 *
 * <p>When both have met, the receiver goes on first and the sender after it. Senders are served in their order, and so are
 * receivers. A sender that is killed or has no more time takes its item with it. Items are not null.
 *
 * <p>gevent's {@code Channel}, Go's unbuffered channel.
 *
 * @param <T> type of the items
 */
public final class Channel<T> implements Iterable<T>, AutoCloseable {
    private final Items<T> items;

    /** An open one. */
    public Channel() {
        this(new Items<>(0, false));
    }

    Channel(Items<T> items) {
        this.items = items;
    }

    /**
     * Sends an item; waits until somebody receives it.
     *
     * @throws ShutDown if the channel is closed, before or meanwhile; the item was then not received
     */
    public void send(T item) {
        send(item, -1);
    }

    /**
     * Sends an item if somebody waits for it.
     *
     * @return whether it was received
     * @throws ShutDown if the channel is closed
     */
    public boolean trySend(T item) {
        return send(item, 0);
    }

    /**
     * Sends an item; waits at most so long until somebody receives it.
     *
     * @return whether it was received
     * @throws ShutDown if the channel is closed, before or meanwhile; the item was then not received
     */
    public boolean trySend(T item, Duration timeout) {
        return send(item, Nanos.of(timeout));
    }

    private boolean send(T item, long nanos) {
        // One who waits here goes on after its receiver anyway; one who finds a receiver waiting has to let it go first.
        // The look is without the guard: on one hub nothing can come between, and on two there is no order to keep.
        boolean met = !items.taking.isEmpty();
        boolean sent = items.put(item, nanos, this);
        if (sent && met) {
            Loop.giveWay();
        }
        return sent;
    }

    /**
     * Receives an item; waits for one.
     *
     * @throws ShutDown if the channel is closed, before or meanwhile
     */
    public T receive() {
        return Objects.requireNonNull(items.take(-1, false, this));
    }

    /**
     * Receives an item if somebody waits to send one.
     *
     * @throws ShutDown if the channel is closed
     */
    public Optional<T> tryReceive() {
        return Optional.ofNullable(items.take(0, false, this));
    }

    /**
     * Receives an item; waits for one at most so long.
     *
     * @return the item, or nothing if the time is over
     * @throws ShutDown if the channel is closed, before or meanwhile
     */
    public Optional<T> tryReceive(Duration timeout) {
        return Optional.ofNullable(items.take(Nanos.of(timeout), false, this));
    }

    /** A case for {@code select}: to receive. Gives {@link Selected.Received}, or {@link Selected.Closed}. */
    public Case<Selected> receiving() {
        return new TakeCase<>(items, this, null);
    }

    /** The same with a function for the item; the select throws {@link ShutDown} if the channel is closed. */
    public <R> Case<R> receiving(Function<? super T, ? extends R> function) {
        return new TakeCase<>(items, this, function);
    }

    /** A case for {@code select}: to send that item. Gives {@link Selected.Sent}, or {@link Selected.Closed}. */
    public Case<Selected> sending(T item) {
        return new PutCase<>(items, this, item, true);
    }

    /** Closes it: who waits, and who comes, gets {@link ShutDown}. Closing twice is harmless. */
    @Override
    public void close() {
        items.close();
    }

    /** Whether it is closed. */
    public boolean isClosed() {
        items.enter();
        boolean closed = items.shut;
        items.leave();
        return closed;
    }

    /** How many wait to send. */
    public int senders() {
        items.enter();
        int waiting = items.putting.size();
        items.leave();
        return waiting;
    }

    /** How many wait to receive. */
    public int receivers() {
        items.enter();
        int waiting = items.taking.size();
        items.leave();
        return waiting;
    }

    /**
     * Receives until the channel is closed; {@code hasNext} waits, and receives. The failure of a publisher
     * ({@link Flows#channel(java.util.concurrent.Flow.Publisher)}) comes out of it as {@link ShutDown}.
     */
    @Override
    public Iterator<T> iterator() {
        return new Iterator<>() {
            private @Nullable T item;

            @Override
            public boolean hasNext() {
                if (item == null) {
                    try {
                        item = receive();
                    } catch (ShutDown e) {
                        if (e.getCause() != null) {
                            throw e; // it has not ended, it has failed
                        }
                        return false;
                    }
                }
                return true;
            }

            @Override
            public T next() {
                if (!hasNext()) {
                    throw new NoSuchElementException(Channel.this + " is closed");
                }
                T next = Objects.requireNonNull(item);
                item = null;
                return next;
            }
        };
    }

    @Override
    public String toString() {
        return "Channel with " + senders() + " waiting to send and " + receivers() + " to receive";
    }
}
