package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.Waiter;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Between greenlets and the futures of the JDK. */
final class Bridges {
    private Bridges() {}

    /** A greenlet as a {@link CompletableFuture}: cancelling either ends the other. */
    static final class OfGreenlet<T> extends CompletableFuture<T> {
        private final Greenlet<T> greenlet;

        OfGreenlet(Greenlet<T> greenlet) {
            this.greenlet = greenlet;
            Hub hub = greenlet.hub();
            greenlet.add(new Links.Link() {
                @Override
                void ended() {
                    // What depends on the future is code of the program: it gets a greenlet, as a link does.
                    if (hub.loop().closed()) {
                        complete();
                    } else {
                        hub.spawnQuietly(OfGreenlet.this::complete);
                    }
                }
            });
        }

        @SuppressWarnings("NullAway") // a task may return null
        private void complete() {
            switch (greenlet.state()) {
                case SUCCESS -> complete(greenlet.resultNow());
                case FAILED -> completeExceptionally(greenlet.exceptionNow());
                default -> super.cancel(false);
            }
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean first = super.cancel(mayInterruptIfRunning);
            if (first) {
                greenlet.cancel(mayInterruptIfRunning);
            }
            return first;
        }

        /** What depends on it is a future like any other: cancelling that kills nobody. */
        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new CompletableFuture<>();
        }

        // On a hub's own thread a wait has to run the hub, or what is waited for never comes.

        @Override
        public T join() {
            if (atHome()) {
                untilDone(this);
            }
            return super.join();
        }

        @Override
        public T get() throws InterruptedException, ExecutionException {
            if (atHome()) {
                untilDoneInterruptibly(this, -1);
            }
            return super.get();
        }

        @Override
        public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
            if (atHome()) {
                return untilDoneInterruptibly(this, Math.max(0, unit.toNanos(timeout)))
                        ? super.get() : super.get(0, unit);
            }
            return super.get(timeout, unit);
        }

        @Override
        public String toString() {
            return "future of " + greenlet;
        }
    }

    private static boolean atHome() {
        return Loop.ofHome(Thread.currentThread()) != null;
    }

    /**
     * Tells a waiter that a stage is complete. A stage has no way to take a callback back, so one that is not waited for any
     * more is left with this alone.
     */
    private static final class Told {
        private final AtomicReference<@Nullable Waiter> waiter;

        Told(Waiter waiter) {
            this.waiter = new AtomicReference<>(waiter);
        }

        void told() {
            Waiter waiting = waiter.getAndSet(null);
            if (waiting != null) {
                waiting.resume(null);
            }
        }

        void forget() {
            waiter.set(null);
        }
    }

    /** Whether it is done in time. */
    private static boolean untilDoneInterruptibly(CompletableFuture<?> future, long nanos) throws InterruptedException {
        if (future.isDone()) {
            return true;
        }
        Waiter waiter = new Waiter(future);
        Told told = new Told(waiter);
        future.whenComplete((_, _) -> told.told());
        try {
            return waiter.await(nanos);
        } finally {
            told.forget();
        }
    }

    private static void untilDone(CompletableFuture<?> future) {
        try {
            untilDoneInterruptibly(future, -1);
        } catch (InterruptedException e) {
            throw Waits.interrupted(e);
        }
    }

    static <T> T await(CompletionStage<T> stage) {
        CompletableFuture<T> future =
                stage instanceof CompletableFuture<T> known ? known.toCompletableFuture() : copy(stage);
        untilDone(future);
        return result(future);
    }

    /** Other stages need not be able to become one. */
    private static <T> CompletableFuture<T> copy(CompletionStage<T> stage) {
        CompletableFuture<T> copy = new CompletableFuture<>();
        stage.whenComplete((value, error) -> {
            if (error == null) {
                copy.complete(value);
            } else {
                copy.completeExceptionally(error);
            }
        });
        return copy;
    }

    /** Of one that is done. */
    private static <T> T result(Future<T> future) {
        return switch (future.state()) {
            case SUCCESS -> future.resultNow();
            case CANCELLED -> throw new CancellationException(future + " was cancelled");
            default -> throw unchecked(future.exceptionNow());
        };
    }

    private static RuntimeException unchecked(Throwable error) {
        Throwable cause = error;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Error e) {
            throw e;
        }
        return cause instanceof RuntimeException e ? e : new CompletionException(cause);
    }

    static <T> T await(Future<T> future) {
        if (future instanceof Greenlet<T> greenlet) {
            return greenlet.value();
        }
        if (future instanceof CompletionStage<?>) {
            @SuppressWarnings("unchecked") CompletionStage<T> stage = (CompletionStage<T>) future;
            return await(stage);
        }
        if (!future.isDone()) {
            if (atHome()) {
                Greenlet<Void> waiting = Hub.current().unstarted(() -> get(future)).quiet().start();
                try {
                    waiting.value();
                } finally {
                    waiting.kill();
                }
            } else {
                get(future);
            }
        }
        return result(future);
    }

    /** Waits in the way of the JDK, until it is done. */
    private static void get(Future<?> future) {
        try {
            future.get();
        } catch (InterruptedException e) {
            Fiber fiber = Fiber.current();
            if (fiber != null) {
                fiber.checkPending(); // what the interrupt was sent for
            }
            throw Waits.interrupted(e);
        } catch (ExecutionException | CancellationException e) {
            if (!future.isDone()) {
                throw new IllegalStateException(future + " has a result and is not done", e);
            }
        }
    }
}
