package dev.loomlet.internal.loop;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The twin whose announcement is a plain store, which may still be on its way when the loop looks. */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.FORBIDDEN, desc = "sleeps, and nobody wakes it")
@Outcome(expect = Expect.ACCEPTABLE, desc = "saw it, or is woken")
@State
public class InboxSleepBrokenStress {
    private final Inbox inbox = new Inbox();
    private boolean sleeping;

    /** The producer. */
    @Actor
    public void producer(ZZ_Result result) {
        inbox.add(() -> {});
        result.r2 = sleeping;
    }

    /** The loop, in the right order but with nothing that keeps it. */
    @Actor
    public void loop(ZZ_Result result) {
        sleeping = true;
        result.r1 = inbox.isEmpty();
    }
}
