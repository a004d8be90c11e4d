package dev.loomlet.acceptance.peers;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** As many platform threads as there are tasks. What still runs at the end is interrupted. */
public final class RealThreads implements Executor, AutoCloseable {
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @Override
    public void execute(Runnable task) {
        threads.execute(task);
    }

    @Override
    public void close() throws InterruptedException {
        threads.shutdownNow();
        if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("a task of a peer does not end");
        }
    }
}
