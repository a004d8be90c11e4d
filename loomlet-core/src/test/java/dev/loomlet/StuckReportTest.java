package dev.loomlet;

import static dev.loomlet.Loomlet.*;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.loomlet.pool.Group;
import dev.loomlet.pool.Pool;
import dev.loomlet.sync.Barrier;
import dev.loomlet.sync.BarrierBroken;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.JoinableQueue;
import dev.loomlet.sync.RLock;
import dev.loomlet.sync.Semaphore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StuckReportTest {
    @AfterEach
    void closeHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    @Test
    void greenletsThatWaitForOneAnotherAreNamedAsACircle() {
        List<Greenlet<?>> greenlets = new ArrayList<>();
        greenlets.add(spawn("egon", () -> greenlets.get(1).join()));
        greenlets.add(spawn("lily", () -> greenlets.get(0).join()));
        LoopExit exit = catchThrowableOfType(LoopExit.class, () -> joinAll(greenlets));
        assertThat(exit).hasMessageContaining("in a circle")
                .hasMessageContaining("egon waits for the end of lily, owed by lily")
                .hasMessageContaining("lily waits for the end of egon, owed by egon")
                .hasMessageContaining("spawned at dev.loomlet.StuckReportTest")
                .hasMessageContaining("thread main waits for");
    }

    @Test
    void whoOwesAPlaceInAPoolIsNamed() {
        var pool = new Pool(1);
        var never = new Event();
        pool.spawn(() -> never.await());
        var waiting = spawn("waiting", () -> pool.spawn(() -> 1));
        LoopExit exit = catchThrowableOfType(LoopExit.class, waiting::join);
        assertThat(exit).hasMessageContaining("waiting").hasMessageContaining("a place in the Pool of 1, 1 taken")
                .hasMessageContaining("taken by greenlet-0").hasMessageContaining("StuckReportTest.java");
        assertThat(exit.getMessage()).doesNotContain("circle");
    }

    @Test
    void whoHoldsALockIsNamedAndSoAreCirclesOfLocks() {
        var left = new RLock();
        var right = new RLock();
        var one = spawn("one", () -> {
            left.lock();
            Loomlet.yieldNow();
            right.lock();
        });
        var two = spawn("two", () -> {
            right.lock();
            Loomlet.yieldNow();
            left.lock();
        });
        LoopExit exit = catchThrowableOfType(LoopExit.class, () -> joinAll(one, two));
        assertThat(exit).hasMessageContaining("in a circle")
                .hasMessageContaining("one waits for RLock held by two with 1 waiting, held by two")
                .hasMessageContaining("two waits for RLock held by one with 1 waiting, held by one")
                .hasMessageContaining("thread main waits for 2 of 2 greenlets");
    }

    @Test
    void whoAcquiredTheLastPermitIsNamed() {
        var semaphore = new Semaphore(1);
        var never = new Event();
        spawn("holder", () -> {
            semaphore.acquire();
            never.await();
        });
        var waiting = spawn("waiting", () -> semaphore.acquire());
        LoopExit exit = catchThrowableOfType(LoopExit.class, waiting::join);
        assertThat(exit).hasMessageContaining("waiting").hasMessageContaining("last acquired by holder");
    }

    @Test
    void whoDoesNotEndIsNamedToThoseWhoJoinMany() {
        var group = new Group();
        var never = new Event();
        group.add(spawn("stubborn", () -> never.await()));
        assertThat(catchThrowableOfType(LoopExit.class, group::join))
                .hasMessageContaining("the members of").hasMessageContaining("which are stubborn");
        assertThat(catchThrowableOfType(LoopExit.class, () -> waitAll(List.of(never))))
                .hasMessageContaining("1 of 1 to be ready").hasMessageContaining("owed by Event not set");
    }

    @Test
    void aSignalThatOnlyTheOwnerOfTheLockCouldGiveIsPartOfACircle() {
        var lock = new RLock();
        var changed = lock.newCondition();
        var waiting = spawn("waiting", () -> {
            lock.lock();
            changed.await();
        });
        var owner = spawn("owner", () -> {
            lock.lock();
            try {
                waiting.join();
            } finally {
                lock.unlock();
            }
        });
        assertThat(catchThrowableOfType(LoopExit.class, owner::join)).hasMessageContaining("in a circle")
                .hasMessageContaining("waiting waits for a signal of Condition of RLock held by owner with 0 waiting, "
                        + "which needs the lock of owner")
                .hasMessageContaining("owner waits for the end of waiting");
    }

    @Test
    void aJoinOfAQueueSaysWhereTheMissingItemsAre() {
        Hub.current(); // a thread without a hub would just block
        var jobs = new JoinableQueue<Integer>();
        jobs.put(1);
        jobs.put(2);
        jobs.put(3);
        jobs.take();
        assertThat(catchThrowableOfType(LoopExit.class, () -> jobs.join())).hasMessageContaining(
                "the 3 unfinished items of JoinableQueue, of which 2 are not taken and 1 not reported as done");
    }

    @Test
    void aBarrierSaysHowManyHaveCome() {
        var barrier = new Barrier(3);
        spawn("one", () -> {
            try {
                barrier.await();
            } catch (BarrierBroken e) {
                assertThat(barrier.isBroken()).as("broken by the thread that gave up").isTrue();
            }
        });
        assertThat(catchThrowableOfType(LoopExit.class, () -> barrier.await()))
                .hasMessageContaining("Barrier with 2 of 3 waiting");
    }

    @Test
    void theHubIsUnharmed() {
        Hub.current(); // a thread without a hub would just block
        var never = new Event();
        assertThat(catchThrowableOfType(LoopExit.class, () -> never.await())).isNotNull();
        assertThat(spawn(() -> 5).value()).isEqualTo(5);
    }
}
