package dev.loomlet.acceptance.peers;

import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** What a program without a pool does with connections: keeps those that are idle, drops those that met an error. */
public final class Spares<T extends AutoCloseable> implements AutoCloseable {
    private final Callable<T> maker;
    private final ConcurrentLinkedQueue<T> idle = new ConcurrentLinkedQueue<>();
    private final AtomicInteger held = new AtomicInteger();

    /**
     * None yet.
     *
     * @param maker opens one
     */
    public Spares(Callable<T> maker) {
        this.maker = maker;
    }

    /** What is done with one. */
    @FunctionalInterface
    public interface Use<T, R> {
        /** Does it. */
        R with(T one) throws Exception;
    }

    /** Uses one that is idle, or a new one. */
    public <R> R use(Use<? super T, R> use) throws Exception {
        held.incrementAndGet();
        try {
            T one = idle.poll();
            if (one == null) {
                one = maker.call();
            }
            boolean fine = false;
            try {
                R result = use.with(one);
                fine = true;
                return result;
            } finally {
                if (fine) {
                    idle.add(one);
                } else {
                    one.close();
                }
            }
        } finally {
            held.decrementAndGet();
        }
    }

    /** How many are in use. */
    public int held() {
        return held.get();
    }

    @Override
    public void close() throws Exception {
        for (T one = idle.poll(); one != null; one = idle.poll()) {
            one.close();
        }
    }
}
