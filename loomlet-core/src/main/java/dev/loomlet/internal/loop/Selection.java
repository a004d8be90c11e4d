package dev.loomlet.internal.loop;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One {@code select}: does the first of several alternatives that can be done, exactly one.
 *
 * <h2>Why exactly one, and why nothing is lost</h2>
 * While it looks, it holds the guards of all its objects, entered by ascending rank. Either one of the alternatives can be
 * done: then it is done there and then, and nobody has ever seen this select in a line. Or none can: then it joins all the
 * lines before it leaves, so that nothing can have come in between. From then on the compare-and-set of the one
 * {@link Waiter} decides: whoever serves a place must end the waiter first, and who fails goes on to the next in that line
 * with the item still in hand. A running select never claims itself, so two of them that meet (one sends, one receives on
 * the same channel) are one that runs and one that waits, and a single compare-and-set is enough.
 *
 * <p>What is only watched (events, ends of greenlets) takes nothing from anybody and is added after the guards are left.
 *
 * <h2>Fairness</h2>
 * Alternatives that can be done at once are tried in random order. With {@code -Dloomlet.select.seed=} each hub draws from a
 * generator of its own, so that a program whose greenlets run in the same order makes the same choices.
 */
public final class Selection {
    private static final Comparator<Guard> BY_RANK = Comparator.comparingLong(Guard::rank);

    private final Alternative[] cases;
    private final Alternative.Place[] places;
    private final Watch[] watches;
    private final Guard[] guards;
    private final int guardCount;
    private int selected = -1;
    private @Nullable Object token;

    private static final class Watch extends Watchable.Watcher {
        private final Waiter selecting;
        private final Alternative.Place place;

        Watch(Waiter selecting, Alternative.Place place) {
            this.selecting = selecting;
            this.place = place;
        }

        @Override
        public void told() {
            selecting.resume(place);
        }
    }

    private Selection(Alternative[] cases) {
        this.cases = cases;
        places = new Alternative.Place[cases.length];
        watches = new Watch[cases.length];
        Guard[] all = new Guard[cases.length];
        int n = 0;
        for (Alternative each : cases) {
            Guard guard = each.guard();
            if (guard != null) {
                all[n++] = guard;
            }
        }
        if (n > 1) {
            Arrays.sort(all, 0, n, BY_RANK);
        }
        guards = all;
        guardCount = n;
    }

    /**
     * Does one of them; waits until one can be done.
     *
     * @param reason what to say is waited for
     * @return the result of the alternative that was done
     */
    public static @Nullable Object select(Alternative[] cases, Object reason) throws InterruptedException {
        Selection selection = new Selection(cases);
        selection.run(reason);
        return cases[selection.selected].conclude(selection.token);
    }

    private void run(Object reason) throws InterruptedException {
        long nanos = -1;
        int timed = -1;
        for (int i = 0; i < cases.length; i++) {
            long each = cases[i].nanos();
            if (each >= 0 && (nanos < 0 || each < nanos)) {
                nanos = each;
                timed = i;
            }
        }
        Waiter waiter = nanos == 0 ? null : new Waiter(reason);
        if (waiter != null) {
            for (int i = 0; i < cases.length; i++) {
                places[i] = new Alternative.Place(waiter, i);
            }
        }
        enterAll();
        try {
            attempt();
            if (selected < 0 && waiter != null) {
                for (int i = 0; i < cases.length; i++) {
                    cases[i].join(places[i]);
                }
            }
        } finally {
            leaveAll();
        }
        if (selected >= 0) {
            return;
        }
        if (waiter == null) {
            selected = timed;
            return;
        }
        try {
            for (int i = 0; i < cases.length && !waiter.ended(); i++) {
                Watchable watched = cases[i].watched();
                if (watched != null) {
                    Watch watch = new Watch(waiter, places[i]);
                    watches[i] = watch;
                    if (!watched.watch(watch)) {
                        watch.told();
                    }
                }
            }
            if (waiter.await(nanos)) {
                Alternative.Place place = (Alternative.Place) Objects.requireNonNull(waiter.value());
                selected = place.index;
            } else {
                selected = timed;
            }
        } finally {
            cleanUp();
        }
        if (selected != timed || timed < 0) {
            token = places[selected].item;
        }
    }

    /** Inside all: does one that can be done now; each of those that can has the same chance. */
    private void attempt() {
        int n = cases.length;
        int[] order = new int[n];
        RandomGenerator random = n > 1 ? random() : null;
        for (int i = 0; i < n; i++) {
            int j = random == null ? 0 : random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (int i : order) {
            Object done = cases[i].attempt();
            if (done != null) {
                selected = i;
                token = done;
                return;
            }
        }
    }

    private static RandomGenerator random() {
        RandomGenerator seeded = Loop.randomHere();
        return seeded == null ? ThreadLocalRandom.current() : seeded;
    }

    /** Leaves nothing behind, whichever way it ended. */
    private void cleanUp() {
        for (int i = 0; i < cases.length; i++) {
            Guard guard = cases[i].guard();
            if (guard != null) {
                guard.enter();
                cases[i].leave(places[i]);
                guard.leave();
            }
            Watchable watched = cases[i].watched();
            Watch watch = watches[i];
            if (watched != null && watch != null) {
                watched.unwatch(watch);
            }
        }
    }

    private void enterAll() {
        for (int i = 0; i < guardCount; i++) {
            if (i == 0 || guards[i] != guards[i - 1]) {
                guards[i].enter();
            }
        }
    }

    private void leaveAll() {
        WaitQueue.Node[] woken = null;
        for (int i = 0; i < guardCount; i++) {
            if (i == 0 || guards[i] != guards[i - 1]) {
                WaitQueue.Node chain = guards[i].leaveOnly();
                if (chain != null) {
                    if (woken == null) {
                        woken = new WaitQueue.Node[guardCount];
                    }
                    woken[i] = chain;
                }
            }
        }
        if (woken != null) {
            for (WaitQueue.Node chain : woken) {
                Guard.wake(chain);
            }
        }
    }
}
