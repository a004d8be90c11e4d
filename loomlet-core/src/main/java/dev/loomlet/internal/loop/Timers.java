package dev.loomlet.internal.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The timers of one loop: a heap with four children a node, in which each timer knows its place, so that cancelling takes
 * it out at once and leaves nothing behind. Arming a timer that is due after all others, the usual case, is one step.
 */
@SuppressWarnings("NullAway") // the places from size on are null, and nothing reads them
final class Timers {
    private Timer[] heap = new Timer[16];
    private int size;
    private int armed;

    int size() {
        return size;
    }

    /** When the next one is due; only if {@link #size} is not 0. */
    long nextDue() {
        return heap[0].due;
    }

    void arm(Timer timer, long due) {
        if (timer.position >= 0) {
            throw new IllegalStateException("timer is armed already");
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        timer.due = due;
        timer.sequence = armed++;
        up(size++, timer);
    }

    void cancel(Timer timer) {
        int at = timer.position;
        if (at < 0) {
            return;
        }
        timer.position = -1;
        Timer last = heap[--size];
        heap[size] = null;
        if (last == timer) {
            shrink();
            return;
        }
        down(at, last);
        if (last.position == at) {
            up(at, last);
        }
        shrink();
    }

    /** Takes out the first one if it is due by {@code now}. */
    @Nullable
    Timer pollDue(long now) {
        if (size == 0) {
            return null;
        }
        Timer first = heap[0];
        if (first.due - now > 0) {
            return null;
        }
        cancel(first);
        return first;
    }

    /** Gives memory back after a burst; never below a size that would make it jump to and fro. */
    private void shrink() {
        if (heap.length > 1024 && size < heap.length / 8) {
            heap = Arrays.copyOf(heap, heap.length / 2);
        }
    }

    private void up(int at, Timer timer) {
        Timer[] heap = this.heap;
        while (at > 0) {
            int parent = (at - 1) >> 2;
            Timer above = heap[parent];
            if (!before(timer, above)) {
                break;
            }
            heap[at] = above;
            above.position = at;
            at = parent;
        }
        heap[at] = timer;
        timer.position = at;
    }

    private void down(int at, Timer timer) {
        Timer[] heap = this.heap;
        for (;;) {
            int child = (at << 2) + 1;
            if (child >= size) {
                break;
            }
            int best = child;
            int end = Math.min(child + 4, size);
            for (int i = child + 1; i < end; i++) {
                if (before(heap[i], heap[best])) {
                    best = i;
                }
            }
            Timer below = heap[best];
            if (!before(below, timer)) {
                break;
            }
            heap[at] = below;
            below.position = at;
            at = best;
        }
        heap[at] = timer;
        timer.position = at;
    }

    private static boolean before(Timer a, Timer b) {
        long difference = a.due - b.due;
        return difference < 0 || (difference == 0 && a.sequence - b.sequence < 0);
    }
}
