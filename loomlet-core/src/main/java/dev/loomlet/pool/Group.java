package dev.loomlet.pool;

import dev.loomlet.Action;
import dev.loomlet.Greenlet;
import dev.loomlet.GreenletExit;
import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.loop.End;
import dev.loomlet.internal.loop.Greenlets;
import dev.loomlet.internal.loop.Nanos;
import dev.loomlet.internal.loop.Waiter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Greenlets that belong together: waited for together, killed together, mapped over together. A greenlet that ends leaves
 * the group by itself.
 *
 * {@snippet :
 * var group = new Group();
 * for (String url : urls) {
 *     group.spawn(() -> fetch(url));
 * }
 * group.join(ofSeconds(10));
 * group.kill();                                 // those that are late
 *
 * List<Page> pages = group.map(urls, this::fetch);
 * }
 *
 * <p>A group takes any number; {@link Pool} is a group with a bound. {@code apply} and the {@code map} family run functions
 * in greenlets of the group and bring the results, or the errors, to the caller; their greenlets are ended when the call
 * is, however it ends.
 *
 * <p><b>Threads.</b> Every method may be called from any thread. Greenlets are spawned on the hub of the calling thread, or
 * on the hub that was given to the constructor.
 *
 * <p><b>Kill and timeout.</b> Every method that waits can be killed and timed out there. A killed {@code join} just stops
 * to wait; a killed {@code apply} or {@code map} kills the greenlets it has spawned.
 *
 * <p>gevent's {@code gevent.pool.Group}.
 */
public sealed class Group implements Iterable<Greenlet<?>> permits Pool {
    private static final int LOOK_AHEAD = 1000;
    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    /**
     * The members: a chain that is never changed in place, only replaced by compare-and-set, so that a reader needs no lock.
     * Who leaves is marked; a chain that consists of marked ones for the most part is replaced by one without them.
     */
    private final AtomicReference<@Nullable Node> members = new AtomicReference<>();

    private final AtomicInteger size = new AtomicInteger();
    private final AtomicInteger left = new AtomicInteger(); // marked since the chain was last cleaned, about
    private final ConcurrentLinkedQueue<Waiter> joiners = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Killing> killing = new AtomicReference<>();
    private final @Nullable Hub hub;

    private record Node(Member member, @Nullable Node next) {}

    /** The kill that is going on, and how many callers wait for it. */
    private record Killing(Throwable cause, Object id, int callers) {}

    /** A greenlet's membership. It is also the link by which the group learns of the end. */
    class Member implements End {
        private static final VarHandle GONE;

        static {
            try {
                GONE = MethodHandles.lookup().findVarHandle(Member.class, "gone", boolean.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        final Greenlet<?> greenlet;
        private volatile boolean gone;
        private final AtomicReference<@Nullable Object> killedBy = new AtomicReference<>(); // id of a kill

        Member(Greenlet<?> greenlet) {
            this.greenlet = greenlet;
        }

        final Group group() {
            return Group.this;
        }

        @Override
        public void ended() {
            leave();
        }

        /** True for the one caller who takes it out. */
        final boolean leave() {
            if (!GONE.compareAndSet(this, false, true)) {
                return false;
            }
            left();
            return true;
        }
    }

    /** A group whose greenlets are spawned on the hub of whoever spawns them. */
    public Group() {
        this.hub = null;
    }

    /** A group whose greenlets are spawned on {@code hub}, from whatever thread. */
    public Group(Hub hub) {
        this.hub = hub;
    }

    final Hub hub() {
        return hub == null ? Hub.current() : hub;
    }

    // --- members

    /**
     * Spawns a greenlet as a member. A {@link Pool} that is full makes the caller wait.
     *
     * @throws GreenletExit if the caller is killed, or interrupted, while it waits; then nothing was spawned
     */
    public <T> Greenlet<T> spawn(Callable<T> task) {
        take(-1);
        return admitNew(() -> hub().unstarted(task));
    }

    /** As {@link #spawn(Callable)}, without a result. */
    public Greenlet<Void> spawn(Action task) {
        take(-1);
        return admitNew(() -> hub().unstarted(task));
    }

    /** Makes a member of a greenlet, which may run already. A {@link Pool} that is full makes the caller wait. */
    public void add(Greenlet<?> greenlet) {
        if (!contains(greenlet)) {
            take(-1);
            admit(new Member(greenlet));
        }
    }

    /** {@link #add}s a greenlet from {@link Hub#unstarted} and starts it. */
    public void start(Greenlet<?> greenlet) {
        add(greenlet);
        greenlet.start();
    }

    /**
     * Lets a greenlet go: it runs on, but is no member any more.
     *
     * @return whether it was one
     */
    public boolean discard(Greenlet<?> greenlet) {
        return Greenlets.inside().find(greenlet, this::isMembership) instanceof Member member && member.leave();
    }

    /** Whether it is a member. One that has ended is not. */
    public boolean contains(Greenlet<?> greenlet) {
        return Greenlets.inside().find(greenlet, this::isMembership) != null;
    }

    private boolean isMembership(End end) {
        return end instanceof Member member && member.group() == this && !member.gone;
    }

    /** Whether the caller is a member. */
    final boolean isInside() {
        return Loomlet.current().filter(this::contains).isPresent();
    }

    /** How many members there are. */
    public int size() {
        return size.get();
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return size.get() == 0;
    }

    /** Whether {@link #spawn} would have to wait. A group never is. */
    public boolean full() {
        return false;
    }

    /** Those who are members now, oldest first. Later changes do not show. */
    public List<Greenlet<?>> members() {
        List<Greenlet<?>> all = new ArrayList<>(size.get());
        for (Member each : current()) {
            all.add(each.greenlet);
        }
        return all;
    }

    /** Over {@link #members()}. */
    @Override
    public Iterator<Greenlet<?>> iterator() {
        return members().iterator();
    }

    final List<Member> current() {
        List<Member> all = new ArrayList<>(size.get());
        for (Node each = members.get(); each != null; each = each.next) {
            if (!each.member.gone) {
                all.add(each.member);
            }
        }
        return all.reversed();
    }

    /** Waits for a place for one more member. */
    boolean take(long nanos) {
        return true;
    }

    /** A place is free again. On any thread, the bare loop perhaps. */
    void giveBack() {
        // a group has places without end
    }

    final <T> Greenlet<T> admitNew(java.util.function.Supplier<Greenlet<T>> making) {
        Greenlet<T> greenlet;
        try {
            greenlet = making.get();
        } catch (Throwable t) {
            giveBack();
            throw t;
        }
        Member member = new Member(greenlet);
        admit(member);
        begin(member);
        return greenlet;
    }

    /** Starts a member, or lets its place go if that cannot be. */
    final void begin(Member member) {
        try {
            member.greenlet.start();
        } catch (Throwable t) {
            member.leave();
            throw t;
        }
    }

    /** Makes it a member; the place for it has been taken. */
    final void admit(Member member) {
        size.incrementAndGet();
        for (;;) {
            Node first = members.get();
            if (members.compareAndSet(first, new Node(member, first))) {
                break;
            }
        }
        Greenlets.inside().whenEnded(member.greenlet, member); // it may have ended: then it leaves at once
        Killing going = killing.get(); // after it became a member: either we see the kill, or the kill sees it
        if (going != null) {
            killOnce(member, going);
        }
    }

    private void left() {
        giveBack();
        int now = size.decrementAndGet();
        if (left.incrementAndGet() > 16 + now) {
            clean();
        }
        if (now == 0) {
            Waiter joiner;
            while ((joiner = joiners.poll()) != null) {
                joiner.resume(null);
            }
        }
    }

    private void clean() {
        left.set(0);
        Node before = members.get();
        List<Member> live = new ArrayList<>();
        for (Node each = before; each != null; each = each.next) {
            if (!each.member.gone) {
                live.add(each.member);
            }
        }
        Node after = null;
        for (Member each : live.reversed()) {
            after = new Node(each, after);
        }
        members.compareAndSet(before, after); // if somebody came meanwhile, the next one to leave tries again
    }

    // --- waiting

    /** Waits until there is no member. Their errors are theirs: nothing is thrown. */
    public void join() {
        untilEmpty(-1);
    }

    /**
     * Waits until there is no member, at most so long.
     *
     * @return whether there was a moment without one
     */
    public boolean join(Duration timeout) {
        return untilEmpty(Nanos.of(timeout));
    }

    /**
     * Waits until there is no member, at most so long.
     *
     * @param raiseError whether to throw what one of the present members has failed with, as {@link Greenlet#value} does
     * @return whether there was a moment without a member
     */
    public boolean join(Duration timeout, boolean raiseError) {
        List<Greenlet<?>> present = raiseError ? members() : List.of();
        boolean empty = untilEmpty(Nanos.of(timeout));
        for (Greenlet<?> each : present) {
            if (each.exception().isPresent()) {
                each.value(); // throws
            }
        }
        return empty;
    }

    private boolean untilEmpty(long nanos) {
        if (size.get() == 0) {
            return true;
        }
        Waiter waiter = new Waiter(new Members(this));
        joiners.add(waiter); // before the second look: the last to leave sees it, or we see that all have left
        try {
            return size.get() == 0 || waiter.await(nanos);
        } catch (InterruptedException e) {
            throw new GreenletExit(e);
        } finally {
            joiners.remove(waiter);
        }
    }

    // --- kill

    /**
     * Kills all members, those too that are added meanwhile, and waits until they are dead. Each of them is killed once,
     * however many kills go on at the same time. A member that kills its own group goes last.
     */
    public void kill() {
        kill(new GreenletExit("its group was killed"), true, FOREVER);
    }

    /**
     * {@link #kill()} that waits at most so long.
     *
     * @return whether there is no member any more
     */
    public boolean kill(Duration timeout) {
        return kill(new GreenletExit("its group was killed"), true, timeout);
    }

    /**
     * Throws an exception of your choice into all members.
     *
     * @param cause what to throw; anything but a {@link GreenletExit} makes a member fail that it leaves
     * @param block whether to wait until they are dead; otherwise those that are added later live
     * @param timeout longest time to wait
     * @return whether there is no member any more
     */
    public boolean kill(Throwable cause, boolean block, Duration timeout) {
        @Nullable Greenlet<?> self = Loomlet.current().filter(this::contains).orElse(null);
        Killing going = block ? beginKill(cause) : new Killing(cause, new Object(), 1);
        try {
            List<Greenlet<?>> others = new ArrayList<>();
            for (Member each : current()) {
                if (each.greenlet != self) {
                    killOnce(each, going);
                    others.add(each.greenlet);
                }
            }
            if (block && self == null) {
                untilEmpty(Nanos.of(timeout));
            } else if (block) {
                Loomlet.joinAll(others, timeout);
            }
        } finally {
            if (block) {
                endKill();
            }
        }
        if (self != null) {
            self.kill(cause, block, timeout); // throws
        }
        return isEmpty();
    }

    private Killing beginKill(Throwable cause) {
        for (;;) {
            Killing now = killing.get();
            Killing next = now == null ? new Killing(cause, new Object(), 1)
                    : new Killing(now.cause, now.id, now.callers + 1);
            if (killing.compareAndSet(now, next)) {
                return next;
            }
        }
    }

    private void endKill() {
        for (;;) {
            Killing now = Objects.requireNonNull(killing.get());
            Killing next = now.callers == 1 ? null : new Killing(now.cause, now.id, now.callers - 1);
            if (killing.compareAndSet(now, next)) {
                return;
            }
        }
    }

    private static void killOnce(Member member, Killing going) {
        if (member.killedBy.getAndSet(going.id) != going.id) {
            member.greenlet.kill(going.cause, false, Duration.ZERO);
        }
    }

    // --- apply and map

    /**
     * Runs {@code task} in a greenlet of the group and waits for it. In a greenlet of the group it is run right there: a
     * pool of one does not wait for itself.
     *
     * @return what the task returns
     * @throws Exception what the task throws
     * @throws GreenletExit if the caller is killed; then the task is killed as well
     */
    public <T> T apply(Callable<T> task) throws Exception {
        if (isInside()) {
            return task.call();
        }
        take(-1);
        Greenlet<T> greenlet = admitNew(() -> quiet(hub().unstarted(task)));
        try {
            greenlet.join();
        } finally {
            if (!greenlet.ready()) {
                greenlet.kill(new GreenletExit("the apply it was for was given up"), false, Duration.ZERO);
            }
        }
        var error = greenlet.exception();
        if (error.isPresent()) {
            throw Sneak.<RuntimeException>sneak(error.get());
        }
        return greenlet.value();
    }

    static <T> Greenlet<T> quiet(Greenlet<T> greenlet) {
        Greenlets.inside().quiet(greenlet);
        return greenlet;
    }

    /**
     * Applies {@code function} to all inputs, each in a greenlet of the group, and waits for all.
     *
     * <p>The first to fail ends it: the others are killed, and the error is thrown as {@link Greenlet#value} throws it, with
     * the errors of the others suppressed in it.
     *
     * @return the results, in the order of the inputs
     */
    public <A, R> List<R> map(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return new MapAll<A, R>(this, function, inputs instanceof Collection<?> all ? all.size() : 16).run(inputs);
    }

    /**
     * Applies {@code function} to the inputs, each in a greenlet of the group, and gives the results in the order of the
     * inputs while later ones are still being worked on.
     *
     * <p>Inputs are pulled, in a greenlet of its own, as they are needed: at most so many as a pool has places twice over
     * (1,000 for a group) are ahead of the reader. So inputs may be without end, and may be waited for.
     *
     * <p>An error is thrown where its result would be; what comes after can be read on.
     */
    public <A, R> Results<R> mapOrdered(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return mapOrdered(inputs, function, lookAhead());
    }

    /**
     * As {@link #mapOrdered(Iterable, Mapper)}.
     *
     * @param lookAhead how many inputs may be pulled beyond what has been read
     */
    public <A, R> Results<R> mapOrdered(
            Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function, int lookAhead) {
        return new Mapping<A, R>(this, function, lookAhead, true).start(inputs);
    }

    /**
     * Applies {@code function} to the inputs, each in a greenlet of the group, and gives the results as they come.
     *
     * {@snippet :
     * for (Page each : pool.mapUnordered(urls, this::fetch)) index(each);
     * }
     *
     * <p>Inputs are pulled, and errors thrown, as by {@link #mapOrdered(Iterable, Mapper)}.
     */
    public <A, R> Results<R> mapUnordered(Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function) {
        return mapUnordered(inputs, function, lookAhead());
    }

    /**
     * As {@link #mapUnordered(Iterable, Mapper)}.
     *
     * @param lookAhead how many inputs may be pulled beyond what has been read
     */
    public <A, R> Results<R> mapUnordered(
            Iterable<? extends A> inputs, Mapper<? super A, ? extends R> function, int lookAhead) {
        return new Mapping<A, R>(this, function, lookAhead, false).start(inputs);
    }

    int lookAhead() {
        return LOOK_AHEAD;
    }

    /** For people: what somebody waits for who joins it. */
    @Override
    public String toString() {
        return getClass().getSimpleName() + " of " + size() + (size() == 1 ? " greenlet" : " greenlets");
    }
}
