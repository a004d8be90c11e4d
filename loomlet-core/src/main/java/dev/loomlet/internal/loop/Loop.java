package dev.loomlet.internal.loop;

import dev.loomlet.internal.jdk.JdkHooks;
import dev.loomlet.internal.jdk.LockStack;
import dev.loomlet.internal.jdk.ThreadList;
import dev.loomlet.internal.jdk.VirtualThreads;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a hub. It runs on one thread at a time, normally its home thread, inside a wait of that thread; it takes
 * no lock, runs no user code, and resumes fibers only while that thread holds no fast-locked monitor.
 *
 * <h2>A turn</h2>
 * Take what the inbox holds; run what is ready, at most {@value #RUNS} of them or {@value #SLICE_MILLIS} ms; send what those
 * have left to be sent together ({@link Sends}); fire due timers; poll. So a ready fiber, a timer and a descriptor each wait
 * for at most one slice and the fibers that were ready before them, whatever the others do. A fiber that does not give way
 * is the one thing no bound covers.
 *
 * <h2>Sleep</h2>
 * The loop announces that it sleeps, looks at the inbox once more, and only then sleeps. A producer adds to the inbox first
 * and looks at the announcement after. Both steps are volatile on both sides, so at least one of them sees the other's;
 * the wake-up itself is sticky.
 *
 * <h2>The baton</h2>
 * Whoever runs the loop is its {@link #runner}; "on the loop" means that the carrier of the caller is the runner. Two waits
 * cannot run the loop where they stand: that of a home thread that holds monitors, and that of a fiber which cannot be
 * unmounted (a native frame or a class initialiser is on its stack). Their OS thread blocks, and a stand-in thread becomes
 * the runner. When what they wait for has come, the runner hands the baton over at its next safe point, between two
 * fibers, so that still only one thread at a time runs code of the hub.
 *
 * <pre>
 *   home runs ──wait under a monitor──▶ stand-in runs, home blocked ──home's wait ends──▶ home runs, stand-in gone
 *   X runs ──pinned wait of X's fiber──▶ stand-in Y runs, X blocked ──that wait ends──▶ X runs
 *        (Y was a stand-in: it is gone; Y is home: its frame is suspended until X is between two fibers)
 * </pre>
 */
public final class Loop implements JdkHooks.Target {
    static final int RUNS = 256;
    static final int SLICE_MILLIS = 5;
    private static final long SLICE = SLICE_MILLIS * 1_000_000L;

    /** While the VM ends: a greenlet that ends it may have to wait for a monitor on its way. */
    private static final long LAST_LOOKS = 1_000_000;

    private static final ThreadLocal<@Nullable Loop> HERE = new ThreadLocal<>();

    private static final VarHandle SLEEPING;

    static {
        try {
            SLEEPING = MethodHandles.lookup().findVarHandle(Loop.class, "sleeping", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Object owner;
    private final String name;
    private final Thread home;
    private final Poller poller;
    private final RunQueue ready = new RunQueue();
    private final Inbox inbox = new Inbox();
    private final Timers timers = new Timers();
    private final Sends sends = new Sends(this);
    private final Fiber anchor; // of the list of live fibers; stands for the home thread
    private final ThreadList threads;
    private final InterruptWatch interrupts = new InterruptWatch(this);
    private final AtomicInteger outside = new AtomicInteger();
    private final ArrayDeque<Waiter> idlers = new ArrayDeque<>(0);
    private final List<Blocked> blocked = new ArrayList<>(0);
    private final Consumer<Throwable> failure;
    private @Nullable Supplier<@Nullable Throwable> stuck;

    private Thread runner;
    private @Nullable Blocked suspendedHome; // home's loop frame, while another thread has the baton
    private @Nullable Blocked homeFrame; // the same, home's own copy: the field above is not home's to read then
    private volatile @Nullable Waiter homeWaiter;
    private @Nullable Fiber running;
    private @Nullable StandIn idleStandIn;
    private volatile boolean sleeping;
    private volatile boolean lateInterrupt;
    private volatile boolean closing;
    private volatile boolean closed;
    private volatile boolean last;
    private long time = System.nanoTime();
    private long looked = time; // when a turn last came as far as the timers and the poller
    private int live;
    private @Nullable Waiter emptied;
    private boolean suspicious;

    /** Whether who becomes ready goes on before all that are ready already. */
    boolean toFront;
    private @Nullable Object attachment;
    private SwitchObserver @Nullable [] observers; // replaced, never changed

    private final @Nullable RandomGenerator random; // for select, if somebody wants the same choices each time

    /** When the running fiber began a native call that may block, or 0: {@link NativeWaits}. */
    long nativeSince;

    /** Who waits for descriptors here, while somebody does. On the loop. */
    @Nullable Descriptors descriptors;

    private long switches;
    private long turns;
    private long blockedNanos;
    private long started;
    private int peak;

    /** A wait that blocks its OS thread; {@code granted} once the baton is its carrier's. */
    private static final class Blocked {
        final @Nullable Waiter waiter; // null: home's loop frame, which wants the baton whenever it is to be had
        final Thread thread;
        final Thread carrier;
        volatile boolean granted;

        Blocked(@Nullable Waiter waiter, Thread thread, Thread carrier) {
            this.waiter = waiter;
            this.thread = thread;
            this.carrier = carrier;
        }
    }

    /**
     * A loop whose home is the calling platform thread.
     *
     * @param owner whose loop it is (the hub)
     * @param failure told of what must not happen: an error out of the loop itself. Runs on the bare loop
     */
    public Loop(Object owner, String name, Poller poller, Consumer<Throwable> failure) {
        this.owner = owner;
        this.name = name;
        this.home = Thread.currentThread();
        if (home.isVirtual()) {
            throw new WrongThreadException("a hub needs a platform thread, this is " + home);
        }
        this.runner = home;
        this.poller = poller;
        this.failure = failure;
        this.anchor = new Fiber(this, home);
        Long seed = Long.getLong("loomlet.select.seed");
        random = seed == null ? null : new SplittableRandom(seed);
        anchor.next = anchor;
        anchor.previous = anchor;
        threads = new ThreadList("hub " + name, this::threads);
        HERE.set(this);
    }

    /** The loop whose home is this thread, which must be the calling one, or null. */
    public static @Nullable Loop ofHome(Thread current) {
        Loop loop = HERE.get();
        return loop != null && loop.home == current && !loop.closed ? loop : null;
    }

    /** The loop on which the caller runs: as a fiber, as home, or as its stand-in. */
    public static @Nullable Loop here() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            return VirtualThreads.scheduler(thread) instanceof Fiber fiber && !Away.is(thread) ? fiber.loop() : null;
        }
        Loop loop = HERE.get();
        return loop != null && loop.runner == thread ? loop : null;
    }

    /** The generator that the loop on which the caller runs was given for select, or null. */
    static @Nullable RandomGenerator randomHere() {
        Loop loop = here();
        return loop == null ? null : loop.random;
    }

    /** What was given as owner: the hub. */
    public Object owner() {
        return owner;
    }

    public String name() {
        return name;
    }

    public Thread home() {
        return home;
    }

    public Poller poller() {
        return poller;
    }

    public boolean closed() {
        return closed;
    }

    /** Whether the caller is on the loop: it may then touch whatever belongs to it. */
    public boolean onLoop() {
        return VirtualThreads.currentCarrier() == runner;
    }

    /** What home waits for, or null. Any thread. */
    public @Nullable Waiter homeWaiter() {
        return homeWaiter;
    }

    /** The thread that runs the loop now; seen from another thread, a moment ago. */
    public Thread runner() {
        return runner;
    }

    /** The fiber whose turn it is, or null. */
    public @Nullable Fiber running() {
        return running;
    }

    /** How many fibers are alive. */
    public int live() {
        return live;
    }

    public long switches() {
        return switches;
    }

    public long turns() {
        return turns;
    }

    /** How many fibers were started. */
    public long started() {
        return started;
    }

    /** How many fibers were alive at the same time, at most. */
    public int peak() {
        return peak;
    }

    /** Nanoseconds in stretches of more than 10 ms in which one fiber did not give way. */
    public long blockedNanos() {
        return blockedNanos;
    }

    /** The clock as of the last look at it, at most a slice ago while fibers give way. */
    long lastTime() {
        return time;
    }

    /** Asked for an exception to throw at home's wait when nothing on this loop can ever end it. */
    public void onStuck(@Nullable Supplier<@Nullable Throwable> stuck) {
        this.stuck = stuck;
    }

    /** Something outside has promised to call in (a job of a thread pool, say): until it is done, nothing is stuck. */
    public void promise() {
        outside.incrementAndGet();
    }

    public void promiseKept() {
        outside.decrementAndGet();
    }

    // --- fibers

    /** A new fiber, not started. Any thread. */
    public Fiber fiber(Object owner, String name, Runnable body) {
        return new Fiber(this, owner, name, body);
    }

    Thread createThread(Fiber fiber, String name, Runnable body) {
        return VirtualThreads.create(fiber, name, true, body);
    }

    /**
     * Starts a fiber: it is ready after those that are ready now. Any thread.
     *
     * @return false if the loop is closed, or closing and this another thread
     */
    public boolean start(Fiber fiber) {
        if (onLoop()) {
            if (closed) {
                return false;
            }
            begin(fiber);
            return true;
        }
        return !refuses() && post(() -> begin(fiber));
    }

    private void begin(Fiber fiber) {
        if (fiber.begun()) {
            return; // two threads have started it
        }
        enlist(fiber);
        if (!closed) { // else it is there to be given up
            threads.start(fiber.thread());
        }
    }

    /** Puts it into the list of live fibers, if it is not there: its thread may have been started by hand. On the loop. */
    public void enlist(Fiber fiber) {
        if (fiber.previous != null) {
            return;
        }
        Fiber last = Objects.requireNonNull(anchor.previous);
        fiber.previous = last;
        fiber.next = anchor;
        last.next = fiber;
        anchor.previous = fiber;
        live++;
        peak = Math.max(peak, live);
        started++;
    }

    void forget(Fiber fiber) {
        Fiber before = fiber.previous;
        Fiber after = fiber.next;
        if (before != null && after != null) {
            before.next = after;
            after.previous = before;
            fiber.previous = null;
            fiber.next = null;
            if (--live == 0 && emptied != null) {
                emptied.resume(null);
            }
        }
    }

    /** Resumes the waiter as soon as no fiber is alive, which one is now. For home; on the loop. */
    public void whenEmpty(Waiter waiter) {
        emptied = waiter;
    }

    /** The fibers that wait together with their OS thread, since they cannot be unmounted. On the loop. */
    public List<Fiber> pinned() {
        List<Fiber> pinned = new ArrayList<>();
        for (Blocked each : blocked) {
            Fiber fiber = each.waiter == null ? null : each.waiter.fiber();
            if (fiber != null) {
                pinned.add(fiber);
            }
        }
        return pinned;
    }

    /** The fibers alive now, oldest first. On the loop. */
    public List<Fiber> fibers() {
        List<Fiber> all = new ArrayList<>(live);
        for (Fiber each = anchor.next; each != anchor && each != null; each = each.next) {
            all.add(each);
        }
        return all;
    }

    /** What can be seen of the fibers from any thread, while they change. */
    public void look(Consumer<? super Fiber> at) {
        Fiber each = anchor.next;
        for (int i = live + 1; each != null && each != anchor && i > 0; each = each.next, i--) {
            at.accept(each);
        }
    }

    /** For thread dumps, from any thread. */
    private Stream<Thread> threads() {
        List<Thread> seen = new ArrayList<>();
        look(each -> seen.add(each.thread()));
        return seen.stream();
    }

    /** A turn of a virtual thread is due. Any thread; called by the JDK, so it must not wait for anything. */
    void ready(Runnable task) {
        if (onLoop()) {
            if (task instanceof Fiber fiber) {
                fiber.markQueued();
                boolean first = toFront;
                fiber.wentFirst = first;
                if (first) {
                    ready.addFirst(task);
                    return;
                }
            }
            ready.add(task);
        } else {
            inbox.add(task instanceof Fiber ? task : new Turn(task)); // dropped after the close: it stays parked
            wakeHome();
        }
    }

    /** A turn of an adopted fiber, to be told from a step of ours. */
    private record Turn(Runnable turn) implements Runnable {
        @Override
        public void run() {
            turn.run();
        }
    }

    /** How many are ready to run. On the loop. */
    int readyNow() {
        return ready.size();
    }

    /** Where greenlets send together. On the loop. */
    public Sends sends() {
        return sends;
    }

    /** Runs {@code step} on the bare loop after all that is ready now: for our own short steps only. On the loop. */
    public void later(Runnable step) {
        ready.add(step);
    }

    /** Lets all that is ready on the caller's loop run first, and throws nothing. A foreign thread just goes on. */
    public static void giveWay() {
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            if (Fiber.of(thread) != null) {
                Thread.yield();
            }
            return;
        }
        Loop loop = ofHome(thread);
        if (loop != null) {
            Waiter waiter = new Waiter("its next turn");
            loop.later(() -> waiter.resume(null));
            waiter.awaitShielded();
        }
    }

    /** Resumes the waiter when there is nothing else to do. On the loop. */
    public void whenIdle(Waiter waiter) {
        idlers.add(waiter);
    }

    /** Stands for the home thread where something is thrown at it. */
    public Fiber homeFiber() {
        return anchor;
    }

    /** Interrupts a fiber as soon as can be, but not from here: {@link Fiber#poke}. On the loop. */
    public void pokeSoon(Fiber target) {
        Fiber[] errand = new Fiber[1];
        errand[0] = fiber(target, "loomlet-interrupt", () -> {
            try {
                target.poke();
            } finally {
                errand[0].finish();
            }
        });
        start(errand[0]);
    }

    void enter(Fiber fiber) {
        running = fiber;
        nativeSince = 0;
        switches++;
        if (observers != null) {
            begins(fiber);
        }
    }

    void leave(Fiber fiber) {
        running = null;
        if (observers != null) {
            ends(fiber);
        }
    }

    private void begins(Fiber fiber) {
        Waiter waiter = fiber.waiting();
        boolean thrown = waiter != null && waiter.failed();
        for (SwitchObserver each : Objects.requireNonNull(observers)) {
            each.begins(fiber, thrown);
        }
    }

    private void ends(Fiber fiber) {
        for (SwitchObserver each : Objects.requireNonNull(observers)) {
            each.ends(fiber);
        }
    }

    /** On the loop. */
    public void observe(SwitchObserver observer) {
        SwitchObserver[] before = observers == null ? new SwitchObserver[0] : observers;
        SwitchObserver[] more = Arrays.copyOf(before, before.length + 1);
        more[before.length] = observer;
        observers = more;
    }

    /** On the loop. Harmless if it does not observe. */
    public void unobserve(SwitchObserver observer) {
        if (observers != null) {
            SwitchObserver[] left =
                    Arrays.stream(observers).filter(each -> each != observer).toArray(SwitchObserver[]::new);
            observers = left.length == 0 ? null : left;
        }
    }

    /**
     * Runs {@code task} on the bare loop: for our own short steps only. Any thread.
     *
     * @return false if the loop is closed
     */
    public boolean post(Runnable task) {
        if (!inbox.add(task)) {
            return false;
        }
        wakeHome();
        return true;
    }

    /** Makes the loop look at its inbox and at home's waiter. Any thread. */
    void wakeHome() {
        if (sleeping && SLEEPING.compareAndSet(this, true, false)) { // one of many producers pays for the wake-up
            poller.wakeup();
        }
    }

    /** What the sockets keep for each loop, or null. On the loop. */
    public @Nullable Object attachment() {
        return attachment;
    }

    public void attach(Object attachment) {
        this.attachment = attachment;
    }

    // --- timers

    /** Arms a timer that fires after so many nanoseconds. On the loop. */
    public void arm(Timer timer, long nanos) {
        long now = System.nanoTime();
        timers.arm(timer, now + Math.min(nanos, Long.MAX_VALUE / 2));
    }

    /** On the loop. Harmless if it is not armed. */
    public void cancel(Timer timer) {
        timers.cancel(timer);
    }

    public int timers() {
        return timers.size();
    }

    // --- what the JDK's own waits ask for (JdkHooks.Target)

    @Override
    public void watch(int fd, boolean read, IntConsumer polled) throws IOException {
        poller.watchOnce(fd, read, polled);
    }

    @Override
    public void unwatch(int fd, boolean read, boolean fired) {
        poller.unwatch(fd, read);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long nanos) {
        JdkTimer timer = new JdkTimer(this, task);
        arm(timer, nanos);
        return timer;
    }

    // --- waiting

    /** Waits on the home thread, which must be the caller: runs the loop until the waiter is ended. */
    void awaitHome(Waiter waiter, long nanos) {
        if (runner != home) {
            throw new IllegalStateException("the loop of " + name + " runs on " + runner);
        }
        if (nanos > 0) {
            arm(waiter, nanos);
        }
        Waiter outer = homeWaiter;
        homeWaiter = waiter;
        anchor.waiting(waiter);
        interrupts.watch();
        if (observers != null) {
            ends(anchor);
        }
        try {
            if (LockStack.held()) {
                block(new Blocked(waiter, home, home));
            } else {
                while (!waiter.ended()) {
                    if (turn(waiter)) {
                        suspendHome();
                    }
                }
            }
        } finally {
            interrupts.unwatch();
            if (observers != null) {
                begins(anchor);
            }
            homeWaiter = outer;
            anchor.waiting(outer);
            cancel(waiter);
            boolean set = Thread.interrupted();
            boolean pending = lateInterrupt || (set && !waiter.interrupted());
            lateInterrupt = false;
            if (pending) {
                home.interrupt(); // it came when the wait had ended already: it is for the next one
            }
        }
    }

    static InterruptedException interrupted(Waiter waiter) {
        return new InterruptedException("interrupted while waiting for " + waiter);
    }

    /** Waits in a fiber that cannot be unmounted: its carrier, the runner, blocks. */
    void awaitPinned(Waiter waiter) {
        Fiber pinned = running;
        sends.flush();
        if (waiter.ended()) {
            return; // that was it: a send
        }
        block(new Blocked(waiter, Thread.currentThread(), runner));
        running = pinned;
    }

    /**
     * A fiber is about to block its carrier in a wait of the JDK. Lets a stand-in run the loop meanwhile.
     *
     * @return what to give to {@link #afterPinnedWait}, or null if the caller is no fiber or does not run the loop
     */
    public static @Nullable Object beforePinnedWait() {
        Fiber fiber = Fiber.current();
        Loop loop = fiber == null ? null : fiber.loop();
        if (fiber == null || loop == null || loop.closed || !loop.onLoop() || loop.running != fiber) {
            return null; // whoever waits for the baton in block() comes here, too
        }
        Blocked entry = new Blocked(new Waiter("a wait of the JDK that cannot give way"), fiber.thread(), loop.runner);
        loop.release(entry);
        return new Pinned(loop, fiber, entry);
    }

    /** That wait is over: waits for the baton. */
    public static void afterPinnedWait(@Nullable Object token) {
        if (token instanceof Pinned pinned) {
            Blocked entry = pinned.entry;
            Objects.requireNonNull(entry.waiter).resume(null);
            pinned.loop.wakeHome();
            boolean interrupted = false;
            while (!entry.granted) {
                LockSupport.park(pinned.loop);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                entry.thread.interrupt(); // not ours: it is for the wait that is going on
            }
            pinned.loop.running = pinned.fiber;
        }
    }

    private record Pinned(Loop loop, Fiber fiber, Blocked entry) {}

    private void block(Blocked entry) {
        Waiter waiter = entry.waiter;
        release(entry);
        awaitBaton(entry, waiter);
    }

    /** Gives the baton to a stand-in. */
    private void release(Blocked entry) {
        blocked.add(entry);
        running = null;
        StandIn standIn = idleStandIn;
        idleStandIn = null;
        if (standIn == null || !standIn.take()) {
            standIn = new StandIn(this);
            runner = standIn;
            standIn.start();
        } else {
            runner = standIn;
            standIn.go();
        }
    }

    private void awaitBaton(Blocked entry, @Nullable Waiter waiter) {
        boolean late = false;
        while (!entry.granted) {
            LockSupport.park(this);
            if (waiter != null && waiter.ended()) {
                wakeHome(); // whoever ended it woke this thread, but it is the stand-in that has to notice
            }
            if (Thread.interrupted() && entry.thread != home) { // home has its watch
                late |= waiter == null || waiter.shielded() || !waiter.fail(interrupted(waiter));
                poller.wakeup(); // the stand-in has to notice, wherever it is
            }
        }
        if (late) {
            Thread.currentThread().interrupt(); // the wait had ended already: it is for the next one
        }
    }

    /** Home's loop frame has handed the baton to a fiber's carrier; it waits here until that one is between fibers. */
    private void suspendHome() {
        Blocked self = homeFrame;
        while (self != null && !self.granted) {
            LockSupport.park(this);
            var _ = Thread.interrupted(); // the watch has told the waiter; left set, park would spin
        }
    }

    /** A stand-in's whole work: turns, until it has handed the baton on. */
    void standIn(StandIn self) {
        HERE.set(this);
        while (!turn(null)) {
            // its only way out is to give the baton away
        }
    }

    /** Keeps a stand-in for the next time. Called on the thread that has the baton. */
    private void keepIdle(StandIn standIn) {
        idleStandIn = standIn;
    }

    /** At a safe point: gives the baton to somebody who waits for it, if there is one. */
    private boolean handOver() {
        Thread self = runner;
        for (int i = 0; i < blocked.size(); i++) {
            Blocked each = blocked.get(i);
            if (each.waiter != null && each.waiter.ended()) {
                blocked.remove(i);
                if (self == home) {
                    homeFrame = new Blocked(null, home, home);
                    suspendedHome = homeFrame;
                }
                grant(self, each);
                return true;
            }
        }
        Blocked waiting = suspendedHome;
        if (waiting != null && self != home) {
            suspendedHome = null;
            grant(self, waiting);
            return true;
        }
        return false;
    }

    private void grant(Thread self, Blocked to) {
        sends.flush(); // whoever has the baton next may keep it for long
        if (self instanceof StandIn standIn) {
            standIn.rest();
            keepIdle(standIn);
        }
        runner = to.carrier;
        to.granted = true; // publishes all that was done on this thread
        LockSupport.unpark(to.thread);
    }

    // --- the turn

    /**
     * One turn.
     *
     * @param until home's waiter, if this is home's frame: the turn ends as soon as it has
     * @return true if the baton was given away
     */
    private boolean turn(@Nullable Waiter until) {
        turns++;
        boolean silent = !drainInbox();
        int runs = 0;
        int check = 1;
        long start = time = System.nanoTime();
        Runnable task;
        while (runs < RUNS && (task = ready.poll()) != null) {
            try {
                if (task instanceof Fiber || !Away.is(task)) {
                    task.run();
                }
            } catch (Throwable t) {
                running = null;
                failure.accept(t);
            }
            runs++;
            if ((!blocked.isEmpty() || suspendedHome != null) && handOver()) {
                return true;
            }
            if (until != null && until.ended()) {
                if (start - looked < SLICE) {
                    sends.flush();
                    return false;
                }
                break; // home may do nothing but give way, and would keep timers and descriptors waiting for ever
            }
            if (runs >= check) {
                long now = System.nanoTime();
                if (now - time > 10_000_000L) {
                    blockedNanos += now - time;
                }
                // look at the clock after every run while runs are long, after every 32 while they are short
                boolean late = now - time > Sends.PATIENCE;
                if (late) {
                    sends.flush();
                }
                check = runs + (late ? 1 : 32);
                time = now;
                if (now - start > SLICE) {
                    break;
                }
            }
        }
        sends.flush();
        if (runs > 0 || !silent) {
            suspicious = false;
        }
        looked = start;
        fireTimers();
        if ((!blocked.isEmpty() || suspendedHome != null) && handOver()) {
            return true;
        }
        poll(until);
        return false;
    }

    /** Whether there was anything in it. */
    private boolean drainInbox() {
        for (int i = 0; i < 10_000; i++) { // a bound: producers may be faster than we
            Runnable task = inbox.poll();
            if (task == null) {
                return i > 0;
            }
            if (task instanceof Fiber fiber) {
                fiber.markQueued();
                ready.add(fiber);
            } else if (task instanceof Turn turn) {
                ready.add(turn.turn());
            } else {
                run(task);
            }
        }
        return true;
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable t) {
            failure.accept(t);
        }
    }

    private void fireTimers() {
        if (timers.size() == 0) {
            return;
        }
        long now = time = System.nanoTime();
        Timer timer;
        while ((timer = timers.pollDue(now)) != null) {
            try {
                timer.fire();
            } catch (Throwable t) {
                failure.accept(t);
            }
        }
    }

    private void poll(@Nullable Waiter until) {
        if (!idlers.isEmpty() && ready.isEmpty() && pollIdle()) {
            return;
        }
        long wait = 0;
        if (ready.isEmpty()) {
            sleeping = true;
            if (inbox.isEmpty() && (until == null || !until.ended()) && !anybodyDue()) {
                if (last) {
                    sleeping = false;
                    LockSupport.parkNanos(LAST_LOOKS); // not in native code, and yet who ends the VM can be a greenlet here
                    return;
                }
                wait = timers.size() == 0 ? -1 : Math.max(0, timers.nextDue() - System.nanoTime());
                if (wait < 0) {
                    wait = beforeSleepingForEver();
                }
            }
        }
        try {
            poller.poll(wait);
        } catch (IOException | RuntimeException e) {
            failure.accept(e);
        } finally {
            sleeping = false;
        }
        if (wait != 0 && !poller.watchesDescriptors()) {
            interrupts.check();
        }
    }

    /** Looks whether anything has come; if not, this is the idle moment somebody waits for. */
    private boolean pollIdle() {
        try {
            poller.poll(0);
        } catch (IOException | RuntimeException e) {
            failure.accept(e);
        }
        if (!ready.isEmpty() || !inbox.isEmpty() || (timers.size() > 0 && timers.nextDue() - System.nanoTime() <= 0)) {
            return true;
        }
        Waiter idler;
        while ((idler = idlers.poll()) != null) {
            if (idler.resume(null)) {
                return true;
            }
        }
        return false;
    }

    private boolean anybodyDue() {
        for (Blocked each : blocked) {
            if (each.waiter != null && each.waiter.ended()) {
                return true;
            }
        }
        return false;
    }

    /** Nothing is ready and no timer is armed: finds out whether anything can still happen. */
    private long beforeSleepingForEver() {
        Waiter waiter = homeWaiter;
        Supplier<@Nullable Throwable> stuck = this.stuck;
        if (waiter == null || stuck == null || poller.watched() > 0 || outside.get() > 0) {
            return -1;
        }
        if (!suspicious) {
            suspicious = true; // nearly always something comes; look closer only if nothing has
            return 50_000_000L;
        }
        if (OutsideThreads.mayWake(this)) {
            return -1;
        }
        if (OutsideThreads.mayCallIn(this)) {
            return 1_000_000_000L; // look again: they may end without having called
        }
        if (!inbox.isEmpty() || anybodyDue()) {
            return 0; // from a thread that ended right after: what it did before its end is visible now
        }
        Throwable report = stuck.get();
        if (report == null || !waiter.fail(report)) {
            return -1;
        }
        return 0;
    }

    /** Home was interrupted during its wait. Any thread. */
    void interruptHome() {
        Waiter waiter = homeWaiter;
        if (waiter == null || waiter.shielded() || (!waiter.fail(interrupted(waiter)) && !waiter.interrupted())) {
            lateInterrupt = true;
        }
        poller.wakeup();
    }

    /** The VM is about to end, and waits for who is in native code: this polls no more, it looks now and then. Any thread. */
    public void vmEnds() {
        last = true;
        poller.wakeup();
    }

    /** No other thread may start anything from now on; what runs here still may. On the loop. */
    public void closing() {
        closing = true;
    }

    /** Whether the caller may not start anything: the loop is closed, or closing and the caller another thread. */
    public boolean refuses() {
        return closed || (closing && !onLoop());
    }

    boolean belongs(Thread thread) {
        return thread == home || thread instanceof StandIn;
    }

    /**
     * Frees everything. On the home thread, after the fibers have ended or are to be given up. What was handed in before
     * is done, except that nothing runs any more: a fiber that is parked stays parked and becomes garbage, one that was to
     * be started is in {@link #fibers}. What is handed in from now on is refused.
     */
    public void close() {
        closed = true;
        inbox.close();
        while (!inbox.isEmpty()) {
            Runnable task = inbox.poll();
            if (task == null) {
                Thread.onSpinWait(); // its producer is between two instructions
            } else if (!(task instanceof Fiber) && !(task instanceof Turn)) {
                run(task);
            }
        }
        StandIn standIn = idleStandIn;
        if (standIn != null && standIn.take()) {
            standIn.end();
        }
        threads.close();
        sends.flush();
        sends.close();
        poller.close();
        HERE.remove();
    }

    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneak(Throwable t) throws E {
        throw (E) t;
    }
}
