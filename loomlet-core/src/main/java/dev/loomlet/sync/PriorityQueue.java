package dev.loomlet.sync;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Queue} that gives out the smallest item first; of equal ones the one that came first.
 *
 * <p>Who waits for an item gets the smallest that is there when it goes on, which may have come after it was released. The
 * comparator is called by those who put and take. It may take its time, and what it throws it throws at them.
 *
 * <p>gevent's {@code PriorityQueue}.
 *
 * @param <T> type of the items
 */
public final class PriorityQueue<T> extends Queue<T> {
    /** One for items with an order of their own, that takes any number of them. */
    public PriorityQueue() {
        this(Integer.MAX_VALUE, PriorityQueue.<T>natural());
    }

    /** One for items with an order of their own, that holds so many at most. */
    public PriorityQueue(int capacity) {
        this(capacity, PriorityQueue.<T>natural());
    }

    /** One that takes any number of items. */
    public PriorityQueue(Comparator<? super T> order) {
        this(Integer.MAX_VALUE, order);
    }

    /** One that holds so many items at most. */
    public PriorityQueue(int capacity, Comparator<? super T> order) {
        super(new Sorted<T>(positive(capacity), order));
    }

    @SuppressWarnings({"unchecked", "rawtypes", "TypeParameterUnusedInFormals"})
    private static <T> Comparator<? super T> natural() {
        return (Comparator) Comparator.naturalOrder(); // an item without an order is refused when it is put
    }

    /**
     * Items in a sorted set that needs no lock, and in the guard only their number. Who puts adds to the set first and counts
     * after; who takes counts down first and takes from the set after. So the set never holds less than was promised.
     */
    private static final class Sorted<T> extends Items<T> {
        private static final Object TICKET = new Object();

        private final ConcurrentSkipListSet<Entry<T>> sorted;
        private final AtomicLong sequence = new AtomicLong();
        private int count; // in the guard: items in the set that nobody was promised
        private int reserved; // in the guard: places of those who are adding an item

        private record Entry<T>(T item, long sequence) {}

        Sorted(int capacity, Comparator<? super T> order) {
            super(capacity, false);
            sorted = new ConcurrentSkipListSet<>(
                    Comparator.<Entry<T>, T>comparing(Entry::item, order).thenComparingLong(Entry::sequence));
        }

        @Override
        boolean accept(T item) {
            if (count + reserved >= capacity) {
                return false;
            }
            reserved++;
            return true;
        }

        @Override
        void finishPut(T item) {
            boolean added = false;
            try {
                added = sorted.add(new Entry<>(item, sequence.getAndIncrement()));
            } finally {
                enter();
                reserved--;
                if (!added) {
                    admit();
                } else {
                    unfinished++;
                    if (!hand(TICKET)) {
                        count++;
                    } else {
                        admit();
                    }
                }
                leave();
            }
        }

        @Override
        @Nullable
        Object next() {
            if (count == 0) {
                return null;
            }
            count--;
            admit();
            return TICKET;
        }

        @Override
        void admit() {
            while (count + reserved < capacity && putting.claim() != null) {
                reserved++;
            }
        }

        @Override
        @Nullable
        Object first() {
            return count == 0 ? null : TICKET;
        }

        @Override
        T finishTake(Object token) {
            Entry<T> first = sorted.pollFirst();
            if (first == null) {
                throw new AssertionError("an item was promised that is not there");
            }
            return first.item();
        }

        @Override
        @Nullable
        T see(Object token) {
            for (Entry<T> first : sorted) {
                return first.item();
            }
            return null;
        }

        @Override
        int size() {
            return count;
        }

        @Override
        int clear(List<T> into) {
            int all = count;
            count = 0;
            return all;
        }

        @Override
        void finishClear(List<T> into, int count) {
            for (int i = 0; i < count; i++) {
                into.add(finishTake(TICKET));
            }
        }

        @Override
        List<T> toList() {
            return sorted.stream().map(Entry::item).toList();
        }
    }
}
