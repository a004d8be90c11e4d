package dev.loomlet.internal.loop;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is ready to run, first in, first out but for those who go in front: a ring that grows. Belongs to the thread that runs
 * the loop.
 */
final class RunQueue {
    private @Nullable Runnable[] ring = new Runnable[64];
    private int head;
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(Runnable task) {
        if (size == ring.length) {
            grow();
        }
        ring[(head + size++) & (ring.length - 1)] = task;
    }

    void addFirst(Runnable task) {
        if (size == ring.length) {
            grow();
        }
        head = (head - 1) & (ring.length - 1);
        ring[head] = task;
        size++;
    }

    @Nullable
    Runnable poll() {
        if (size == 0) {
            return null;
        }
        Runnable task = ring[head];
        ring[head] = null;
        head = (head + 1) & (ring.length - 1);
        size--;
        return task;
    }

    private void grow() {
        @Nullable Runnable[] larger = Arrays.copyOfRange(ring, head, head + ring.length * 2);
        System.arraycopy(ring, 0, larger, ring.length - head, head);
        ring = larger;
        head = 0;
    }
}
