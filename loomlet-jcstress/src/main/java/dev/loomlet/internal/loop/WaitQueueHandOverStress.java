package dev.loomlet.internal.loop;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Something is handed to one who is killed at the same instant: it has it, or the giver still has. */
@JCStressTest
@Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "served before the kill")
@Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "killed before: the permit is still there")
@Outcome(expect = Expect.FORBIDDEN, desc = "lost, or there twice")
@State
public class WaitQueueHandOverStress {
    private final Guard guard = new Guard();
    private final WaitQueue line = new WaitQueue(guard);
    private final Waiter waiter = new Waiter("a permit");
    private int permits;
    private boolean killed;

    public WaitQueueHandOverStress() {
        line.add(new WaitQueue.Node(waiter));
    }

    /** Gives. */
    @Actor
    public void giver() {
        guard.enter();
        if (line.claim(null) == null) {
            permits++;
        }
        guard.leave();
    }

    /** Kills. */
    @Actor
    public void killer() {
        killed = waiter.fail(new Error("kill"));
    }

    /** Looks. */
    @Arbiter
    public void look(II_Result result) {
        result.r1 = killed ? 0 : waiter.ended() ? 1 : -1;
        result.r2 = permits;
    }
}
