package dev.loomlet;

import dev.loomlet.internal.loop.Fiber;
import dev.loomlet.internal.loop.Owned;
import dev.loomlet.internal.loop.Waiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Greenlets that do not outlive a block, and whose errors reach it.
 *
 * {@snippet :
 * try (var scope = Scope.open()) {
 *     var user  = scope.spawn(() -> findUser(id));
 *     var order = scope.spawn(() -> fetchOrder(id));
 *     scope.join();                             // first failure cancels the other and is thrown
 *     return new Response(user.value(), order.value());
 * }
 * }
 *
 * <ul>
 * <li><b>Children end first.</b> The block is left only when all of them have ended. {@link #join} waits for them;
 * {@link #close} without it, or before it is through, kills what still runs, and waits until it is dead. (What is left by
 * an exception must not wait for results that nobody will read; a block that is left early looks the same.)
 * <li><b>The first failure ends all.</b> The other children are killed, and so is the block itself, if its owner is a
 * greenlet and waits: the failure is thrown at that wait. It leaves the block once, at that wait, by {@code join} or by
 * {@code close}, unchecked exceptions and errors as they are, checked ones in a {@link CompletionException}; errors of other
 * children are suppressed in it. A killed child is no failure.
 * <li><b>A kill from outside reaches the children</b>: the owner leaves the block by it, which closes the scope.
 * {@link #cancel} ends the children without a failure.
 * <li><b>Scopes nest</b>, in the block, in the children, and in what they call.
 * </ul>
 *
 * <p>Children are spawned on the hub of the owner, by the owner or by other greenlets of that hub (children may spawn
 * siblings). In a scope that is cancelled, by a failure or else, {@code spawn} gives a greenlet that is dead already.
 *
 * <p><b>Threads.</b> Whoever opens a scope joins and closes it. All other methods may be called by whatever runs on its
 * hub.
 *
 * <p>gevent has no such thing; trio calls it a nursery, and JEP 505 {@code StructuredTaskScope}.
 */
public final class Scope implements AutoCloseable {
    private final Hub hub;
    private final @Nullable Timeout deadline;
    private final Thread owner = Thread.currentThread();
    private final @Nullable Fiber ownerFiber = Fiber.current();
    private final Set<Greenlet<?>> children = new LinkedHashSet<>(); // those that live; on the loop, as all below
    private @Nullable RuntimeException wrapper; // the failure, if it is checked and has to be wrapped
    private @Nullable Throwable failure;
    private boolean thrown; // the failure has left, or is on its way to the owner
    private boolean cancelled;
    private boolean closed;
    private @Nullable Waiter emptied; // the owner waits for the last child

    private Scope(Hub hub, @Nullable Timeout deadline) {
        this.hub = hub;
        this.deadline = deadline;
    }

    /** Opens a scope; the calling greenlet or thread is its owner. */
    public static Scope open() {
        return new Scope(Hub.current(), null);
    }

    /**
     * Opens a scope whose block has so much time: then a wait of the owner in it, {@link #join} perhaps, throws
     * {@link TimeoutExpired}, and the children are killed as the block is left. What {@link Timeout#after} around the block
     * does.
     */
    public static Scope open(Duration deadline) {
        Hub hub = Hub.current();
        return new Scope(hub, Timeout.after(deadline));
    }

    // --- children

    /**
     * Spawns a child.
     *
     * @throws IllegalStateException if the scope is closed, or on another hub than the owner's
     */
    public <T> Greenlet<T> spawn(Callable<T> task) {
        return begin(hub.unstarted(task));
    }

    /** As {@link #spawn(Callable)}, without a result. */
    public Greenlet<Void> spawn(Action task) {
        return begin(hub.unstarted(task));
    }

    private <T> Greenlet<T> begin(Greenlet<T> child) {
        checkHub();
        if (closed) {
            throw new IllegalStateException("cannot spawn in a scope that is closed");
        }
        child.quiet();
        children.add(child);
        child.add(new Links.Link() {
            @Override
            void ended() {
                Scope.this.ended(child);
            }
        });
        if (cancelled) {
            child.deliver(new GreenletExit("its scope is cancelled"));
        } else {
            child.start();
        }
        return child;
    }

    private void checkHub() {
        if (!hub.loop().onLoop()) {
            throw new IllegalStateException("this scope belongs to " + hub + ", and only to what runs on it; this is "
                    + Thread.currentThread());
        }
    }

    /** The children that live, oldest first. */
    public List<Greenlet<?>> children() {
        checkHub();
        return List.copyOf(children);
    }

    /** Whether it was cancelled, by {@link #cancel} or by a failure. */
    public boolean cancelled() {
        return cancelled;
    }

    /** On the loop: in the child, or on the bare loop if it had not run yet. */
    private void ended(Greenlet<?> child) {
        children.remove(child);
        child.exception().ifPresent(this::failed);
        if (children.isEmpty() && emptied != null) {
            emptied.resume(null);
        }
    }

    private void failed(Throwable error) {
        if (failure != null) {
            if (error != failure) {
                (wrapper != null ? wrapper : failure).addSuppressed(error);
            }
            return;
        }
        failure = error;
        if (!(error instanceof RuntimeException) && !(error instanceof Error)) {
            wrapper = new CompletionException(error);
        }
        cancelled = true;
        if (Fiber.current() == null) { // on the bare loop, where a kill may not run code of the program
            hub.spawnQuietly(() -> cancel(error, true));
        } else {
            cancel(error, true);
        }
    }

    // --- cancelling

    /** Kills all children, without waiting. Those that are spawned from now on never run. */
    public void cancel() {
        checkHub();
        cancel(null, false);
    }

    private void cancel(@Nullable Throwable because, boolean ownerToo) {
        cancelled = true;
        Fiber self = Fiber.current();
        boolean selfToo = false;
        for (Greenlet<?> each : List.copyOf(children)) {
            if (each.fiber() == self) {
                selfToo = true;
                continue;
            }
            each.kill(exit(because), false, Duration.ZERO);
        }
        if (ownerToo && !closed && emptied == null && ownerFiber != null && ownerFiber != self) {
            thrown = true;
            if (!ownerFiber.raise(toThrow())) {
                owner.interrupt(); // it is in a wait of the JDK
            }
        }
        if (selfToo) {
            throw exit(because); // a child has cancelled its own scope
        }
    }

    private static GreenletExit exit(@Nullable Throwable because) {
        GreenletExit exit = new GreenletExit("its scope is cancelled" + (because == null ? "" : ": " + because));
        if (because != null) {
            exit.initCause(because);
        }
        return exit;
    }

    private Throwable toThrow() {
        Throwable error = wrapper != null ? wrapper : failure;
        return java.util.Objects.requireNonNull(error);
    }

    /** If the failure is on its way to the owner but has not arrived, takes it back. */
    private void intercept() {
        if (thrown && failure != null && ownerFiber != null && ownerFiber.retract(toThrow())) {
            thrown = false;
        }
    }

    private void throwFailure() {
        if (failure != null && !thrown) {
            thrown = true;
            throw Waits.<RuntimeException>sneak(toThrow());
        }
    }

    // --- the end

    /**
     * Waits until all children have ended, and throws the first failure, if there is one. Children may be spawned after it,
     * too, and it may be called again.
     *
     * @throws GreenletExit if the owner is killed meanwhile; the children run on until the scope is closed
     * @throws IllegalStateException if the caller is not the owner
     */
    public void join() {
        checkOwner();
        intercept();
        while (!children.isEmpty()) {
            try {
                awaitEmpty();
            } catch (InterruptedException e) {
                throw Waits.interrupted(e);
            }
        }
        throwFailure();
    }

    private void awaitEmpty() throws InterruptedException {
        Waiter waiter = new Waiter(new Children(this));
        emptied = waiter;
        try {
            waiter.await(-1);
        } finally {
            emptied = null;
        }
    }

    private void checkOwner() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("a scope is joined and closed by who has opened it, " + owner + "; this is "
                    + Thread.currentThread());
        }
    }

    /**
     * Kills the children that still run, waits until they are dead, and throws the first failure if it has not been thrown
     * yet. A child that will not die keeps this waiting; kills and interrupts of the owner are thrown after that.
     *
     * @throws IllegalStateException if the caller is not the owner
     */
    @Override
    public void close() {
        checkOwner();
        if (closed) {
            return;
        }
        closed = true;
        if (deadline != null) {
            deadline.close();
        }
        intercept();
        if (!children.isEmpty()) {
            cancel(failure, false);
        }
        List<Throwable> meanwhile = awaitDeath();
        intercept();
        for (Throwable each : meanwhile) {
            if (each instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            } else {
                throw Waits.<RuntimeException>sneak(each);
            }
        }
        throwFailure();
    }

    /** Whatever comes, the children go first. */
    private List<Throwable> awaitDeath() {
        List<Throwable> meanwhile = new ArrayList<>(0);
        while (!children.isEmpty()) {
            try {
                awaitEmpty();
            } catch (LoopExit e) {
                throw e; // it would come again
            } catch (Throwable t) {
                meanwhile.add(t);
            }
        }
        return meanwhile;
    }

    /** What the owner waits for. */
    private record Children(Scope scope) implements Owned {
        @Override
        public List<?> owners() {
            return List.copyOf(scope.children);
        }

        @Override
        public String owned() {
            return "which are";
        }

        @Override
        public String toString() {
            return scope.children.size() + " children of its scope";
        }
    }

    @Override
    public String toString() {
        return "Scope of " + children.size() + (closed ? " (closed)" : cancelled ? " (cancelled)" : "");
    }
}
