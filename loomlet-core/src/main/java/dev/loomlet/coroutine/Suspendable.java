package dev.loomlet.coroutine;

import dev.loomlet.internal.jdk.Continuations;
import dev.loomlet.internal.jdk.HeldMonitors;
import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.jdk.LockStackFlush;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A piece of code that can be left in the middle and be entered again there: what coroutines and generators are made of.
 * It runs on whatever thread resumes it, below the frames of the one who does.
 *
 * <pre>{@code
 *            resume()               suspend()
 *   created ---------> running <----------------> suspended
 *                         |          resume()
 *                         | the body ends
 *                         v
 *                       ended
 * }</pre>
 *
 * <p>Whoever owns one keeps that order and lets only one thread at a time in; here is no claim. Two
 * implementations: the JDK's continuation, and a thread of its own with a hand-off where that is not accessible.
 *
 * <p>Monitors: {@link #resume} first makes sure that the caller's are off the lock stack (see {@link LockStackFlush}),
 * {@link #suspend} refuses if the body holds any, because a suspended body would keep it from everybody, for ever if it
 * is dropped. Since the lock stack is empty at every resume, whatever is on it at a suspend belongs to the body: that
 * check is exact and costs a nanosecond. A monitor of the body that is inflated (contended, waited on, or more than eight
 * deep) does not show there; for those the stack is walked, on the first suspends of the first suspendables of each body
 * class and then on every {@value #RARELY}th, because a body that suspends inside {@code synchronized} does so at a fixed place
 * of its code and is found at once.
 */
abstract class Suspendable implements Continuations.Body {
    /** Whether suspendables are the JDK's continuations. */
    static final boolean NATIVE =
            !"portable".equals(System.getProperty("loomlet.coroutines")) && Continuations.available();

    /** How the names of the classes end whose run is the first frame of a body. */
    private static final String BASE = "$SuspendableBody";
    private static final int RARELY = 1024;
    private static final int EAGER_BODIES = 32;
    private static final int EAGER_SUSPENDS = 8;
    /** Suspends over which a walk must at least be spread that is too long to be eager about: it took a millisecond. */
    private static final int FAR = 500_000;
    /** The same for a body that is known to resume others under its monitors. */
    private static final int SUSPECT_SUSPENDS = 4096;
    private static final int SUSPECT_RARELY = 64;

    /** How many suspendables of a body class have been made. Racy on purpose: it only spreads the checks. */
    private static final class Made {
        int count;
    }

    private static final ClassValue<Made> MADE = new ClassValue<>() {
        @Override
        protected Made computeValue(Class<?> bodyClass) {
            return new Made();
        }
    };

    private final Object machine;
    /** Suspends left until the stack is walked for monitors. Its low bits also choose the way out. */
    private int untilCheck;
    /** How many of the next suspends are checked each. */
    private int eager;
    private int rarely = RARELY;
    /** The frame of this body that kept one nested in it from leaving both, until that is reported. */
    private @Nullable String heldBelow;

    /** One for code of {@code bodyClass}. */
    Suspendable(Class<?> bodyClass) {
        machine = NATIVE ? Continuations.create(this) : new HandOff(this);
        Made made = MADE.get(bodyClass);
        int n = made.count++;
        eager = n < EAGER_BODIES ? EAGER_SUSPENDS : 0;
        untilCheck = eager > 0 || n % 256 == 0 ? 1 : RARELY;
    }

    /** The body. Whatever it throws leaves {@link #resume}. */
    @Override
    public abstract void run();

    /** Runs the body on the calling thread until it suspends or ends. */
    final void resume() {
        if (NATIVE) {
            if (LockStack.held()) {
                flush();
            }
            Continuations.resume(machine);
        } else {
            ((HandOff) machine).resume();
        }
    }

    /** Whether the body has come to its end. */
    final boolean ended() {
        return NATIVE ? Continuations.done(machine) : ((HandOff) machine).ended();
    }

    private static void flush() {
        LockStackFlush.ensureEmpty();
        // Monitors of a body that resumes another one are inflated from now on: its next suspends need a closer look.
        for (Runnable each : Continuations.around()) {
            if (each instanceof Suspendable enclosing) {
                enclosing.eager = SUSPECT_SUSPENDS;
                enclosing.rarely = SUSPECT_RARELY;
                enclosing.untilCheck = 1;
            }
        }
    }

    /**
     * Leaves the body, whose {@link #resume} returns, and comes back when it is resumed again. Called by the body itself,
     * or by that of a suspendable which it has resumed.
     *
     * @throws IllegalStateException if it cannot be left here; nothing has happened then
     */
    final void suspend() {
        if (LockStack.held() && LockStack.readable()) {
            throw monitorHeld(holder());
        }
        int n = --untilCheck;
        if (n <= 0) {
            Optional<String> holder = check(this::holder);
            if (holder.isPresent()) {
                throw monitorHeld(holder);
            }
        }
        if (!NATIVE) {
            ((HandOff) machine).suspend();
            return;
        }
        int outcome;
        try {
            outcome = Continuations.suspend(machine, (n & 15) == 0);
        } catch (StackOverflowError e) {
            throw tooLarge(e);
        }
        if (outcome != Continuations.RESUMED) {
            throw refused(outcome);
        }
    }

    @Override
    public final boolean mayBeLeft() {
        if (--untilCheck <= 0) {
            heldBelow = check(() -> HeldMonitors.find(Suspendable::isBase)).orElse(null);
        }
        return heldBelow == null;
    }

    private Optional<String> check(Supplier<Optional<String>> search) {
        long start = System.nanoTime();
        Optional<String> holder = search.get();
        // Walking a deep stack takes long: spread over the suspends to come, it must not cost more than 2 ns of each.
        long affordable = (System.nanoTime() - start) / 2;
        if (affordable > FAR) {
            eager = 0; // thousands of frames: once must do
        }
        untilCheck = --eager > 0 ? 1 : (int) Math.min(Integer.MAX_VALUE, Math.max(rarely, affordable));
        if (holder.isPresent()) {
            untilCheck = 1;
        }
        return holder;
    }

    /** The innermost frame of this body, or of one nested in it, that holds a monitor. */
    private Optional<String> holder() {
        int[] bases = {NATIVE ? Continuations.around().indexOf(this) : 0};
        return HeldMonitors.find(frame -> isBase(frame) && bases[0]-- <= 0);
    }

    /** Whether the calling code runs inside this one, at any depth. */
    final boolean inside() {
        return NATIVE ? Continuations.inside(machine) : ((HandOff) machine).inside();
    }

    /**
     * Appends the caller's frames to the trace of what a body has thrown, where it ends at the base of the body: on a virtual
     * thread the VM stops there (see {@link Continuations}). To be called where the failure comes out.
     */
    static Throwable withFramesOfCaller(Throwable thrown) {
        if (!NATIVE || !Thread.currentThread().isVirtual()) {
            return thrown;
        }
        StackTraceElement[] body = thrown.getStackTrace();
        if (body.length == 0 || !isBase(body[body.length - 1].getClassName(), body[body.length - 1].getMethodName())) {
            return thrown; // has none, or has them already
        }
        StackTraceElement[] caller = new Throwable().getStackTrace();
        StackTraceElement[] all = Arrays.copyOf(body, body.length + caller.length - 1);
        System.arraycopy(caller, 1, all, body.length, caller.length - 1);
        thrown.setStackTrace(all);
        return thrown;
    }

    /** Where the suspended body is, innermost frame first, as the user wrote it. */
    final List<StackTraceElement> stackTrace() {
        List<StackTraceElement> all = NATIVE ? Continuations.stackTrace(machine) : ((HandOff) machine).stackTrace();
        return all.stream().filter(frame -> !isMachinery(frame)).toList();
    }

    private static boolean isMachinery(StackTraceElement frame) {
        String type = frame.getClassName();
        return type.equals(Suspendable.class.getName()) || type.equals(HandOff.class.getName())
                || type.equals(Strand.class.getName()) || type.endsWith(BASE)
                || type.startsWith("java.lang.VirtualThread")
                || type.equals("java.util.concurrent.locks.LockSupport") || type.equals("java.lang.Thread");
    }

    /** What to call it in messages. */
    abstract String describe();

    private static boolean isBase(StackWalker.StackFrame frame) {
        return isBase(frame.getClassName(), frame.getMethodName());
    }

    private static boolean isBase(String type, String method) {
        return method.equals("run") && type.endsWith(BASE);
    }

    private IllegalStateException monitorHeld(Optional<String> holder) {
        return new IllegalStateException(describe() + " cannot switch away while its own code holds a monitor: "
                + holder.orElse("(the frame cannot be told)")
                + ". It would keep that monitor from everybody else until it is resumed. Leave the synchronized block"
                + " before you switch or yield, or use a lock that belongs to the data and not to the stack");
    }

    /** The error itself if it is an ordinary one: no room on the stack for another call. */
    private RuntimeException tooLarge(StackOverflowError e) {
        String message = e.getMessage();
        if (message == null || !message.contains("chunk")) {
            throw e;
        }
        return new IllegalStateException(
                describe() + " cannot switch away: its stack is too deep for this heap to keep ("
                        + message + "). With G1 it must be less than half a region: set a larger one, say"
                        + " -XX:G1HeapRegionSize=8m, or use another collector",
                e);
    }

    private IllegalStateException refused(int outcome) {
        return new IllegalStateException(switch (outcome) {
            case Continuations.NOT_INSIDE -> describe() + " can only be suspended by its own body, on the thread that"
                    + " runs it; this is " + Thread.currentThread();
            case Continuations.CROSSES_CLOSED -> describe() + " cannot be suspended from inside another coroutine,"
                    + " to which its body has switched";
            case Continuations.PINNED_NATIVE -> describe() + " cannot switch away with a native frame on its stack: "
                    + nativeFrame() + ". Native code, class initialisers and callbacks from native code cannot be left"
                    + " in the middle";
            case Continuations.PINNED_MONITOR -> monitorHeld(heldBelow().or(this::holder)).getMessage();
            case Continuations.PINNED_CRITICAL_SECTION -> describe() + " cannot switch away inside a critical section"
                    + " of the JDK";
            default -> describe() + " cannot switch away: the VM could not save its stack (memory or stack exhausted)";
        });
    }

    /** What a body around the calling one has found when it was asked whether it may be left. */
    private static Optional<String> heldBelow() {
        for (Runnable each : Continuations.around()) {
            if (each instanceof Suspendable enclosing && enclosing.heldBelow != null) {
                Optional<String> found = Optional.of(enclosing.heldBelow);
                enclosing.heldBelow = null;
                return found;
            }
        }
        return Optional.empty();
    }

    private static String nativeFrame() {
        return StackWalker.getInstance(StackWalker.Option.SHOW_REFLECT_FRAMES)
                .walk(frames -> frames.takeWhile(frame -> !isBase(frame)).filter(StackWalker.StackFrame::isNativeMethod)
                        .map(frame -> frame.toStackTraceElement().toString()).findFirst())
                .or(() -> StackWalker.getInstance().walk(frames -> frames.takeWhile(frame -> !isBase(frame))
                        .filter(frame -> frame.getMethodName().equals("<clinit>"))
                        .map(frame -> frame.toStackTraceElement().toString()).findFirst()))
                .orElse("(not visible to Java)");
    }
}
