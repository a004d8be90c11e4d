package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.Loomlet;
import dev.loomlet.TimeoutExpired;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A server: its handlers are greenlets, which answer {@link #answer}; it is asked by a client on real threads. */
public abstract class ServerOnHub extends OnOneHub {
    private final ExecutorService realThreads = Executors.newFixedThreadPool(CALLS);
    private final Set<Greenlet<?>> inside = ConcurrentHashMap.newKeySet();

    /** Starts the server. */
    protected abstract void serve() throws Exception;

    @Override
    protected final void open() throws Exception {
        closeLater(realThreads);
        serve();
    }

    /** Asks the server, on a real thread. Throws if the answer is an error. */
    protected abstract String ask(String question) throws Exception;

    /** What a handler does with a question: ordinary code that blocks. */
    protected final String answer(String question) throws InterruptedException {
        seen();
        String[] words = question.split(" ", -1);
        switch (words[0]) {
            case "upper" -> {
                return words[1].toUpperCase(java.util.Locale.ROOT);
            }
            case "slow" -> {
                Greenlet<?> me = Loomlet.current().orElseThrow();
                inside.add(me);
                try {
                    Thread.sleep(Long.parseLong(words[1]));
                } finally {
                    inside.remove(me);
                    seen();
                }
                return "at last";
            }
            case "late" -> {
                try {
                    return Loomlet.withTimeout(LATENCY, () -> answer("slow " + words[1]));
                } catch (TimeoutExpired late) {
                    return "too late";
                }
            }
            default -> throw new IllegalArgumentException(question);
        }
    }

    @Override
    protected final <T> Future<T> start(Callable<T> call) {
        return realThreads.submit(call);
    }

    @Override
    protected void rightResults() throws Exception {
        for (String word : new String[] {"hub", "greenlet", "x".repeat(3000)}) {
            assertThat(ask("upper " + word)).isEqualTo(word.toUpperCase(java.util.Locale.ROOT));
        }
    }

    @Override
    protected final void slowCall(int number, Duration latency) throws Exception {
        assertThat(ask("slow " + latency.toMillis())).isEqualTo("at last");
    }

    @Override
    protected final int inside() {
        return inside.size();
    }

    @Override
    protected final void killInMidCall() throws Exception {
        until("the end of earlier calls", () -> inside() == 0);
        var told = new CountDownLatch(1);
        Future<String> asked = start(() -> {
            try {
                return ask("slow " + VERY_LONG.toMillis());
            } catch (Exception e) {
                return "error: " + e;
            } finally {
                told.countDown();
            }
        });
        until("the middle of a call", () -> inside() > 0);
        Greenlet<?> handler = inside.iterator().next();
        handler.kill(Duration.ZERO);
        assertThat(told.await(VERY_LONG.toMillis() / 3, java.util.concurrent.TimeUnit.MILLISECONDS))
                .as("the client was told").isTrue();
        assertThat(finish(asked)).startsWith("error: ");
    }

    @Override
    protected final void timeoutInMidCall() throws Exception {
        long start = System.nanoTime();
        assertThat(finish(start(() -> ask("late " + VERY_LONG.toMillis())))).isEqualTo("too late");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(VERY_LONG.dividedBy(3));
    }
}
