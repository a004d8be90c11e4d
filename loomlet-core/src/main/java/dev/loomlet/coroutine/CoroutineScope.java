package dev.loomlet.coroutine;

import dev.loomlet.GreenletExit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Ends the coroutines and generators that were made in it, so that their {@code finally} blocks run: the way to be sure,
 * since one that is merely dropped is collected without a further line of it being run.
 *
 * <p>{@snippet :
 * try (var scope = CoroutineScope.open()) {
 *     Generator<String> lines = scope.generator(out -> {
 *         try (var reader = Files.newBufferedReader(path)) {
 *             for (String line; (line = reader.readLine()) != null;) {
 *                 out.yield(line);
 *             }
 *         }
 *     });
 *     return lines.next();      // the file is closed on the way out
 * }
 * }
 *
 * <p>Belongs to the thread that opened it, and is closed there. Holds on to what it made until then: open one for a piece
 * of work, not for the life of the program.
 */
public final class CoroutineScope implements AutoCloseable {
    private final Thread thread = Thread.currentThread();
    private final Deque<AutoCloseable> members = new ArrayDeque<>();
    private boolean closed;

    private CoroutineScope() {}

    /** A scope that ends with the {@code try} block that it is opened in. */
    public static CoroutineScope open() {
        return new CoroutineScope();
    }

    /** A coroutine that ends with this scope; see {@link Coroutine#of(Coroutine.Body)}. */
    public <I extends @Nullable Object> Coroutine<I> coroutine(Coroutine.Body<I> body) {
        return add(Coroutine.of(body));
    }

    /** A generator that ends with this scope; see {@link Generator#of}. */
    public <T extends @Nullable Object> Generator<T> generator(Generator.Body<T> body) {
        return add(Generator.of(body));
    }

    /**
     * Takes a coroutine in: it ends with this scope.
     *
     * @return {@code coroutine}
     */
    public <C extends Coroutine<?>> C add(C coroutine) {
        member(() -> end(coroutine));
        return coroutine;
    }

    /**
     * Takes a generator in: it ends with this scope.
     *
     * @return {@code generator}
     */
    public <T extends @Nullable Object> Generator<T> add(Generator<T> generator) {
        member(generator);
        return generator;
    }

    private void member(AutoCloseable member) {
        Objects.requireNonNull(member);
        requireOwner();
        if (closed) {
            throw new IllegalStateException("This scope is closed; nothing can be added to it any more");
        }
        members.push(member);
    }

    private void requireOwner() {
        if (Thread.currentThread() != thread && Strand.current().thread != thread) {
            throw new WrongThreadException("This scope belongs to " + thread + ", the caller is "
                    + Thread.currentThread());
        }
    }

    /**
     * Ends all of them, the newest first: {@link GreenletExit} is thrown at the pending switch of a coroutine,
     * {@link GeneratorExit} at the pending yield of a generator; what has not started never will, what has ended is left
     * alone.
     *
     * <p>Does not stop at one that fails: the first failure is thrown in the end, with the others suppressed in it.
     *
     * @throws IllegalStateException if one does not end, because it ignores the exit and switches away again
     */
    @Override
    public void close() {
        requireOwner();
        closed = true;
        var failures = new ArrayList<Throwable>();
        var delegates = new ArrayList<AutoCloseable>();
        while (!members.isEmpty()) {
            AutoCloseable each = members.pop();
            if (each instanceof Generator<?> generator && generator.delegated()) {
                delegates.add(each); // a member that is older may have said yieldAll, and ends it
            } else {
                close(each, failures);
            }
        }
        delegates.forEach(each -> close(each, failures));
        if (!failures.isEmpty()) {
            Throwable first = failures.getFirst();
            failures.stream().filter(each -> each != first).forEach(first::addSuppressed);
            throw Strand.sneak(first);
        }
    }

    private static void close(AutoCloseable member, List<Throwable> failures) {
        try {
            member.close();
        } catch (Throwable t) {
            failures.add(t);
        }
    }

    private static void end(Coroutine<?> coroutine) {
        if (coroutine.dead()) {
            return;
        }
        Coroutine<?> here = Coroutine.current();
        if (coroutine == here) {
            throw new IllegalStateException(coroutine + " cannot end itself by closing its scope: it is running");
        }
        coroutine.endUnder(here);
        if (!coroutine.dead()) {
            throw new IllegalStateException(coroutine + " has ignored GreenletExit and switched away again; a coroutine"
                    + " must not switch while it is being ended");
        }
    }
}
