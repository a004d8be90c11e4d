package dev.loomlet.coroutine;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One random program of coroutines, generators, monitors, waits, exceptions and scoped values, all nested in each other, on
 * the thread that calls {@link #run}. The same seed gives the same program. What it checks while it goes:
 *
 * <ul>
 * <li>a generator yields its numbers in order, each once, whoever asks, and what was sent arrives;
 * <li>after a switch the coroutine that runs is the one that was switched to, its locals and its scoped values intact;
 * <li>a yield or switch under a fast-locked monitor of the body is refused, and one that is not refused is not under any;
 * <li>monitors that all programs contend for keep them apart, with waits and notifications inside;
 * <li>monitors of the consumer are still held after a step, and are free once left;
 * <li>nothing but the exceptions that were thrown on purpose, or the documented refusals, comes out anywhere.
 * </ul>
 *
 * <p>The VM checks the rest in its own way.
 */
final class Fuzz {
    /** Failures thrown by bodies on purpose. */
    private static final class Intended extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static final ScopedValue<Integer> BOUND = ScopedValue.newInstance();

    /** A generator and what it should yield next. */
    private static final class Counting {
        final Generator<Integer> generator;
        int expected;
        boolean broken;

        Counting(Generator<Integer> generator) {
            this.generator = generator;
        }
    }

    /** What all programs of a VM contend for. */
    private static final class Shared {
        @Nullable Object owner;
        int entered;
    }

    private static final List<Shared> SHARED = List.of(new Shared(), new Shared(), new Shared());

    private final Random random;
    private final boolean mayPark;
    private int budget;
    private int depth;
    private long steps;

    private final List<Counting> generators = new ArrayList<>();
    private final List<Coroutine<Object>> coroutines = new ArrayList<>();
    private final List<Object> monitors = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();

    /** A program of about {@code budget} actions. */
    Fuzz(long seed, int budget, boolean mayPark) {
        random = new Random(seed);
        this.budget = budget;
        this.mayPark = mayPark;
        for (int i = 0; i < 4; i++) {
            monitors.add(new Object());
        }
    }

    /** Runs the program; returns how many times control went over. */
    long run() {
        while (budget > 0) {
            try {
                act();
            } catch (Intended e) {
                // thrown by a coroutine's body, whose parent this is
            }
        }
        check(Coroutine.current() == Coroutine.main(), "the main coroutine runs at the end");
        for (Object each : monitors) {
            check(!Thread.holdsLock(each), "no monitor is left behind");
        }
        check(!lock.isHeldByCurrentThread(), "no lock is left behind");
        return steps;
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("not so: " + what);
        }
    }

    /** Whatever comes next. */
    private void act() {
        budget--;
        if (depth > 40) {
            return;
        }
        depth++;
        int before = depth;
        try {
            switch (random.nextInt(24)) {
                case 0, 1 -> makeGenerator();
                case 2, 3, 4, 5 -> askGenerator(random.nextInt(6));
                case 6 -> makeCoroutine();
                case 7, 8, 9 -> switchSomewhere();
                case 10 -> underMonitor(random.nextInt(monitors.size()), this::act);
                case 11 -> underMonitors(1 + random.nextInt(11), this::act);
                case 12 -> underInflatedMonitor(this::act);
                case 13 -> waitOnMonitor();
                case 14 -> underLock(this::act);
                case 15 -> deeper(random.nextInt(200), this::act);
                case 16 -> scoped(this::act);
                case 17 -> park();
                case 18 -> closeSomething();
                case 19 -> dropSomething();
                case 20 -> handlingAnException(this::act);
                case 21, 22 -> underSharedMonitor();
                default -> garbage();
            }
        } finally {
            check(depth >= 0, "depth");
            depth = before - 1;
        }
    }

    private void makeGenerator() {
        int kind = random.nextInt(4);
        int length = random.nextInt(60);
        generators.add(new Counting(Generator.of(out -> {
            if (kind == 0) {
                out.yieldAll(numbers(0, length / 2, 1));
                out.yieldAll(numbers(length / 2, length, 2));
            } else {
                numbersInto(out, 0, length, kind);
            }
        })));
    }

    private Generator<Integer> numbers(int from, int to, int kind) {
        return Generator.of(out -> {
            if (to - from > 8) {
                out.yieldAll(numbers(from, from + 5, kind));
                out.yieldAll(numbers(from + 5, to, kind));
            } else {
                numbersInto(out, from, to, kind);
            }
        });
    }

    private void numbersInto(Generator.Out<Integer> out, int from, int to, int kind) {
        int[] locals = {from, to, kind};
        for (int n = from; n < to; n++) {
            int number = n;
            if (budget > 0 && random.nextInt(3) == 0) {
                act();
            }
            switch (random.nextInt(8)) {
                case 0 -> deeper(random.nextInt(300), () -> yieldIt(out, number));
                case 1 -> {
                    refusedUnderMonitor(out, number);
                    yieldIt(out, number);
                }
                case 2 -> scoped(() -> yieldIt(out, number));
                case 3 -> {
                    if (budget > 0 && random.nextInt(10) == 0) {
                        throw new Intended();
                    }
                    yieldIt(out, number);
                }
                default -> yieldIt(out, number);
            }
            check(locals[0] == from && locals[1] == to && locals[2] == kind, "locals survive");
        }
    }

    private void yieldIt(Generator.Out<Integer> out, int number) {
        steps++;
        boolean bound = BOUND.isBound();
        int value = bound ? BOUND.get() : -1;
        Integer answer = out.yield(number);
        check(answer == null || answer == -number, "what was sent arrives");
        if (bound && boundHere > 0) {
            check(BOUND.isBound(), "bindings survive");
        }
        check(value >= -1, "a binding is a number");
    }

    /** How many of the frames of the running body bind; only a hint, for it is not switched. */
    private int boundHere;

    private void refusedUnderMonitor(Generator.Out<Integer> out, int number) {
        Object fresh = fresh();
        try {
            synchronized (fresh) {
                out.<@Nullable Object>yield(number);
            }
            throw new AssertionError("a yield under a monitor was let through");
        } catch (IllegalStateException e) {
            check(String.valueOf(e.getMessage()).contains("monitor"),
                    "refused because of the monitor: " + e.getMessage());
        }
    }

    private void askGenerator(int how) {
        if (generators.isEmpty()) {
            return;
        }
        Counting chosen = generators.get(random.nextInt(generators.size()));
        Coroutine<Object> me = Coroutine.current();
        Thread thread = Thread.currentThread();
        boolean bound = BOUND.isBound();
        int value = bound ? BOUND.get() : -1;
        try {
            steps++;
            int got;
            switch (how) {
                case 0 -> {
                    if (!chosen.generator.hasNext()) {
                        return;
                    }
                    got = chosen.generator.next();
                }
                case 1 -> got = underMonitor(random.nextInt(monitors.size()), chosen.generator::next);
                case 2 -> {
                    if (chosen.expected == 0) {
                        return;
                    }
                    got = chosen.generator.send(-(chosen.expected - 1));
                }
                default -> got = chosen.generator.next();
            }
            check(chosen.broken || got == chosen.expected, "in order: " + got + " for " + chosen.expected);
            chosen.expected = got + 1;
        } catch (NoSuchElementException e) {
            generators.remove(chosen);
        } catch (Intended e) {
            generators.remove(chosen);
        } catch (IllegalStateException e) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("executing already")) {
                return;
            }
            if (message.contains("hasNext() has taken") || message.contains("first yield")) {
                chosen.broken = true;
                return;
            }
            if (message.contains("ignored") || message.contains("belongs to the body")) {
                return;
            }
            throw e;
        } finally {
            check(Coroutine.current() == me, "the same coroutine runs after a step");
            check(Thread.currentThread() == thread, "the same thread runs after a step");
            check(BOUND.isBound() == bound && (!bound || BOUND.get() == value), "the consumer's bindings are its own");
        }
    }

    private void makeCoroutine() {
        if (coroutines.size() > 30) {
            return;
        }
        int actions = random.nextInt(30);
        Coroutine<Object> made = Coroutine.of((Object x) -> {
            Coroutine<Object> me = Coroutine.current();
            check(!BOUND.isBound(), "a coroutine starts without bindings");
            for (int i = 0; i < actions && budget > 0; i++) {
                act();
                check(Coroutine.current() == me, "I am still I");
            }
            if (budget > 0 && random.nextInt(5) == 0) {
                throw new Intended();
            }
        });
        coroutines.add(made);
    }

    private void switchSomewhere() {
        Coroutine<Object> me = Coroutine.current();
        Coroutine<Object> target = coroutines.isEmpty() || random.nextInt(4) == 0 ? Coroutine.main()
                : coroutines.get(random.nextInt(coroutines.size()));
        boolean bound = BOUND.isBound();
        int value = bound ? BOUND.get() : -1;
        int local = random.nextInt();
        int kept = local;
        int depthHere = depth;
        if (me != Coroutine.main() && held.getOrDefault(me, 0) > 0) {
            return;
        }
        steps++;
        try {
            if (me != Coroutine.main() && random.nextInt(5) == 0) {
                switchUnderMonitor(target);
            }
            if (random.nextInt(20) == 0) {
                target.throwInto(new Intended());
            } else {
                target.switchTo(local);
            }
        } finally {
            depth = depthHere;
            check(Coroutine.current() == me, "switched back to me");
            check(local == kept, "locals survive");
            check(BOUND.isBound() == bound && (!bound || BOUND.get() == value), "bindings survive a switch");
            coroutines.removeIf(Coroutine::dead);
        }
    }

    /** How many monitors and locks the frames of each coroutine hold; one that holds any does not switch away. */
    private final IdentityHashMap<Object, Integer> held = new IdentityHashMap<>();

    private void holding(int change) {
        held.merge(Coroutine.current(), change, Integer::sum);
    }

    private void switchUnderMonitor(Coroutine<Object> target) {
        Object fresh = fresh();
        if (target == Coroutine.current()) {
            return;
        }
        try {
            synchronized (fresh) {
                target.switchTo(1);
            }
            throw new AssertionError("a switch under a monitor was let through");
        } catch (IllegalStateException e) {
            check(String.valueOf(e.getMessage()).contains("monitor"),
                    "refused because of the monitor: " + e.getMessage());
        }
    }

    private <T> T underMonitor(int which, java.util.function.Supplier<T> work) {
        Object monitor = monitors.get(which);
        synchronized (monitor) {
            holding(1);
            try {
                T result = work.get();
                check(Thread.holdsLock(monitor), "still mine");
                return result;
            } finally {
                holding(-1);
            }
        }
    }

    private void underMonitor(int which, Runnable work) {
        underMonitor(which, () -> {
            work.run();
            return 0;
        });
    }

    private void underMonitors(int count, Runnable work) {
        Object fresh = fresh();
        synchronized (fresh) {
            holding(1);
            try {
                if (count > 1) {
                    underMonitors(count - 1, work);
                } else {
                    work.run();
                }
                check(Thread.holdsLock(fresh), "still mine");
            } finally {
                holding(-1);
            }
        }
        check(!Thread.holdsLock(fresh), "left");
    }

    @SuppressWarnings("WaitNotInLoop") // for its effect on the monitor only
    private void underInflatedMonitor(Runnable work) {
        Object fresh = fresh();
        synchronized (fresh) {
            holding(1);
            try {
                fresh.wait(0, 1); // inflates
                work.run();
                check(Thread.holdsLock(fresh), "still mine");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                holding(-1);
            }
        }
    }

    @SuppressWarnings("WaitNotInLoop") // any length will do
    private void waitOnMonitor() {
        if (!mayPark || random.nextInt(8) > 0) { // a millisecond each, in which a thousand other things can be done
            return;
        }
        Object fresh = fresh();
        synchronized (fresh) {
            try {
                fresh.wait(1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            check(Thread.holdsLock(fresh), "mine after the wait");
        }
    }

    /** Never two at a time, or programs could wait for each other in a circle. */
    private boolean holdsShared;

    @SuppressWarnings({"WaitNotInLoop", "SynchronizeOnNonFinalField"}) // any length will do
    private void underSharedMonitor() {
        if (!mayPark || holdsShared) {
            return;
        }
        Shared shared = SHARED.get(random.nextInt(SHARED.size()));
        synchronized (shared) {
            check(shared.entered == 0, "alone");
            shared.entered = 1;
            shared.owner = this;
            holdsShared = true;
            holding(1);
            try {
                switch (random.nextInt(8)) {
                    case 0 -> askGenerator(5);
                    case 1 -> {
                        shared.entered = 0;
                        shared.wait(1 + random.nextInt(2));
                        check(shared.entered == 0, "alone after a wait");
                        shared.entered = 1;
                        shared.owner = this;
                    }
                    case 2 -> shared.notifyAll();
                    case 3 -> deeper(random.nextInt(100), this::park);
                    case 4 -> garbage();
                    default -> park();
                }
                check(shared.owner == this && Thread.holdsLock(shared), "still mine");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            } finally {
                holding(-1);
                holdsShared = false;
                shared.entered = 0;
            }
        }
    }

    private void underLock(Runnable work) {
        lock.lock();
        holding(1);
        try {
            work.run();
        } finally {
            holding(-1);
            lock.unlock();
        }
    }

    private int deeper(int frames, Runnable work) {
        int local = frames * 31;
        if (frames == 0) {
            work.run();
            return 0;
        }
        int below = deeper(frames - 1, work);
        check(local == frames * 31, "locals of deep frames survive");
        return below + 1;
    }

    private void scoped(Runnable work) {
        int value = random.nextInt(1000);
        ScopedValue.where(BOUND, value).run(() -> {
            check(BOUND.get() == value, "bound");
            work.run();
            check(BOUND.get() == value, "still bound to the same");
        });
    }

    private void park() {
        switch (random.nextInt(mayPark ? 6 : 2)) {
            case 0 -> Thread.yield();
            case 1 -> LockSupport.parkNanos(1);
            case 2 -> {
                try {
                    Thread.sleep(0, 50_000);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
            default -> LockSupport.parkNanos(1000);
        }
    }

    private void closeSomething() {
        if (!generators.isEmpty()) {
            Counting chosen = generators.get(random.nextInt(generators.size()));
            try {
                chosen.generator.close();
                generators.remove(chosen);
            } catch (Intended e) {
                generators.remove(chosen);
            } catch (IllegalStateException e) {
                String message = String.valueOf(e.getMessage());
                check(message.contains("executing already") || message.contains("ignored"), message);
            }
        }
    }

    private void dropSomething() {
        if (!generators.isEmpty() && random.nextBoolean()) {
            generators.remove(random.nextInt(generators.size()));
        } else if (!coroutines.isEmpty()) {
            coroutines.remove(random.nextInt(coroutines.size()));
        }
    }

    private void handlingAnException(Runnable work) {
        try {
            throw new Intended();
        } catch (Intended e) {
            work.run();
            Objects.requireNonNull(e.getStackTrace());
        }
    }

    /** A new object that the compiler cannot prove to be private: it would compile its monitor away. */
    private Object fresh() {
        Object made = new Object();
        garbage = made;
        return made;
    }

    private @Nullable Object garbage;

    private void garbage() {
        garbage = new byte[random.nextInt(20_000)];
        if (random.nextInt(2000) == 0) {
            System.gc();
        }
        check(garbage != null, "memory");
    }
}
