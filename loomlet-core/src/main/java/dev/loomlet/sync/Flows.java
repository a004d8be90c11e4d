package dev.loomlet.sync;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Between channels and queues and the reactive streams of {@link Flow}, so that a greenlet can read what a library
 * publishes, or publish what it makes, and neither runs ahead of the other.
 *
 * {@snippet :
 * for (Tick tick : Flows.channel(market.ticks())) {   // asks for more as they are taken
 *     trade(tick);
 * }
 *
 * Flow.Publisher<Row> rows = Flows.publisher(queue);  // takes from the queue as they are asked for
 * }
 *
 * <p>Both keep the rules of reactive streams, which the tests hold with its technology compatibility kit.
 */
public final class Flows {
    private static final int AHEAD = 64;

    private Flows() {}

    // --- from a publisher

    /** As {@link #channel(Flow.Publisher, int)}, with at most 64 items that have come and are not taken. */
    public static <T> Channel<T> channel(Flow.Publisher<? extends T> publisher) {
        return channel(publisher, AHEAD);
    }

    /**
     * Subscribes, and gives what comes as a channel: to be received, iterated, selected from. Not to be sent to.
     *
     * <p>The publisher is asked for {@code ahead} items, and for more as half of them are received. When it is complete, the
     * channel is closed as soon as all has been received. When it fails, what has come can still be received, and then
     * receivers get {@link ShutDown} with the failure as cause, also in iterations. Closing the channel cancels the
     * subscription, and throws away what has come.
     *
     * <p>No greenlet and no hub is needed: the publisher may call from any thread, and anybody may receive.
     *
     * @param ahead how many items may have come and not be taken
     * @throws IllegalArgumentException if {@code ahead} is less than 1
     */
    public static <T> Channel<T> channel(Flow.Publisher<? extends T> publisher, int ahead) {
        if (ahead < 1) {
            throw new IllegalArgumentException("at least one item must come before it is taken, not " + ahead);
        }
        Incoming<T> incoming = new Incoming<>(ahead);
        publisher.subscribe(incoming.new Subscriber());
        return new Channel<>(incoming);
    }

    /** The inside of such a channel. */
    static final class Incoming<T> extends Items<T> {
        private final int ahead;
        private Flow.@Nullable Subscription subscription; // in the guard, as what follows
        private int taken; // since more was asked for
        private @Nullable Throwable failure;
        private boolean arriving; // an item of the publisher's, not of somebody who sends

        Incoming(int ahead) {
            super(Integer.MAX_VALUE, false);
            this.ahead = ahead;
        }

        /** What the publisher talks to. */
        final class Subscriber implements Flow.Subscriber<T> {
            @Override
            public void onSubscribe(Flow.Subscription given) {
                Objects.requireNonNull(given);
                enter();
                boolean wanted = subscription == null && !shut;
                if (wanted) {
                    subscription = given;
                }
                leave();
                if (wanted) {
                    given.request(ahead);
                } else {
                    given.cancel(); // there is one already, or nobody wants it any more
                }
            }

            @Override
            public void onNext(T item) {
                Objects.requireNonNull(item);
                enter();
                try {
                    if (!shut) {
                        arriving = true;
                        accept(item);
                        arriving = false;
                    }
                } finally {
                    leave();
                }
            }

            @Override
            public void onError(Throwable error) {
                Objects.requireNonNull(error);
                end(error);
            }

            @Override
            public void onComplete() {
                end(null);
            }

            private void end(@Nullable Throwable error) {
                enter();
                if (!shut) {
                    failure = error;
                    subscription = null;
                }
                leave();
                shutDown(null);
            }
        }

        @Override
        boolean accept(T item) {
            if (!arriving) {
                throw new UnsupportedOperationException(
                        "this channel is filled by a publisher; nobody else sends to it");
            }
            return super.accept(item);
        }

        @Override
        T finishTake(Object token) {
            enter();
            int more = ++taken * 2 >= ahead ? taken : 0;
            Flow.Subscription asked = subscription;
            if (more > 0) {
                taken = 0;
            }
            leave();
            if (more > 0 && asked != null) {
                asked.request(more); // code of the publisher: outside the guard, and in the greenlet that takes
            }
            return super.finishTake(token);
        }

        /** Closed by who receives: nobody wants what has come, or what comes. */
        @Override
        void close() {
            enter();
            Flow.Subscription cancelled = subscription;
            subscription = null;
            leave();
            shutDown(new ArrayList<>());
            if (cancelled != null) {
                cancelled.cancel();
            }
        }

        @Override
        ShutDown isShut(Object who) {
            Throwable cause = failure;
            return cause == null ? super.isShut(who) : new ShutDown(who + " has failed: " + cause, cause);
        }
    }

    // --- to subscribers

    /** As {@link #publisher(Hub, Iterable)}, on the current hub. */
    public static <T> Flow.Publisher<T> publisher(Iterable<? extends T> items) {
        return publisher(Hub.current(), items);
    }

    /**
     * Publishes the items of a channel, a queue, or anything else that is iterated: each subscriber gets a greenlet of
     * {@code hub}, which takes an item when one is asked for and not before. Subscribers of one queue or channel share its
     * items, as all who take from it do.
     *
     * <p>A subscriber is called in its greenlet. It is complete when the iteration ends, and gets the error if that fails.
     * {@code cancel} kills the greenlet, so that no item is taken for a subscriber who has gone.
     *
     * @param items {@code iterator()} is called once for each subscriber; it may wait
     */
    public static <T> Flow.Publisher<T> publisher(Hub hub, Iterable<? extends T> items) {
        Objects.requireNonNull(hub);
        Objects.requireNonNull(items);
        return subscriber -> {
            Objects.requireNonNull(subscriber);
            new Outgoing<T>(hub, items, subscriber).begin();
        };
    }

    /**
     * One subscription.
     *
     * <p>A cancellation must reach a greenlet that waits for an item, and must not be thrown into a subscriber's own code. So
     * the greenlet says when it is {@code taking}, and looks at {@code ended} after; who cancels writes {@code ended} and
     * looks at {@code taking} after. Both are volatile, so one of the two sees the other: either it is killed where it takes,
     * or it delivers nothing any more.
     */
    private static final class Outgoing<T> implements Flow.Subscription {
        private final Flow.Subscriber<? super T> subscriber;
        private final Iterable<? extends T> items;
        private final Demand demand = new Demand();
        private final Greenlet<Void> greenlet;
        private final AtomicBoolean ended = new AtomicBoolean();
        private volatile boolean taking;
        private volatile @Nullable Throwable refused;

        Outgoing(Hub hub, Iterable<? extends T> items, Flow.Subscriber<? super T> subscriber) {
            this.items = items;
            this.subscriber = subscriber;
            this.greenlet = hub.unstarted("publishing", this::run);
        }

        void begin() {
            subscriber.onSubscribe(this);
            try {
                greenlet.start();
            } catch (IllegalStateException closed) {
                end(closed);
            }
        }

        private void end(@Nullable Throwable error) {
            if (ended.compareAndSet(false, true)) {
                if (error == null) {
                    subscriber.onComplete();
                } else {
                    subscriber.onError(error);
                }
            }
        }

        private void run() {
            Iterator<? extends T> each = null;
            for (;;) {
                T item = null;
                Throwable error = null;
                taking = true;
                try {
                    if (each == null) {
                        each = items.iterator();
                    }
                    if (!ended.get() && demand.await() && each.hasNext()) {
                        item = Objects.requireNonNull(each.next(), "an item is not null");
                    }
                } catch (Throwable t) {
                    error = t; // also a kill; if it is the subscriber's, it has ended
                }
                taking = false;
                if (refused != null) {
                    error = refused;
                }
                if (item == null || error != null) {
                    end(error);
                    return;
                }
                if (ended.get()) {
                    return;
                }
                subscriber.onNext(item); // what it throws is an error of this greenlet, and the end of it
            }
        }

        @Override
        public void request(long n) {
            if (n > 0) {
                demand.add(n);
            } else {
                refused = new IllegalArgumentException(
                        "a subscriber has asked for " + n + " items (rule 3.9 of reactive streams: more than 0)");
                stop("asked for " + n + " items");
            }
        }

        @Override
        public void cancel() {
            if (ended.compareAndSet(false, true)) {
                stop("the subscriber has cancelled");
            }
        }

        private void stop(String why) {
            demand.stop();
            if (taking && Greenlets.inside().fiber(greenlet) != Fiber.current()) {
                greenlet.kill(new GreenletExit(why), false, Duration.ZERO);
            }
        }

        @Override
        public String toString() {
            return "subscription to " + items;
        }
    }

    /** How many items were asked for and not delivered. All in the guard. */
    private static final class Demand extends Guard {
        private long left;
        private boolean stopped;
        private @Nullable Waiter waiter;

        void add(long n) {
            enter();
            left = left + n < 0 ? Long.MAX_VALUE : left + n;
            leaveAndWake();
        }

        void stop() {
            enter();
            stopped = true;
            leaveAndWake();
        }

        private void leaveAndWake() {
            Waiter waiting = waiter;
            waiter = null;
            leave();
            if (waiting != null) {
                waiting.resume(null);
            }
        }

        /** Takes one; waits for one. False if there is nobody to deliver to. In the greenlet. */
        boolean await() {
            Waiter waiting = null;
            for (;;) {
                enter();
                boolean over = stopped;
                boolean one = !over && left > 0;
                if (one && left != Long.MAX_VALUE) {
                    left--;
                }
                waiter = one || over ? null : waiting;
                leave();
                if (one || over) {
                    return one;
                }
                if (waiting == null) {
                    waiting = new Waiter("a subscriber to ask for items"); // outside the guard, hence one more round
                } else {
                    Parking.await(waiting, -1);
                    waiting = null;
                }
            }
        }
    }
}
