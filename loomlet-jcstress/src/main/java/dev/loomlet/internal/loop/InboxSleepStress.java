package dev.loomlet.internal.loop;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** A loop goes to sleep while a producer hands something in: it must not sleep without being woken. */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.FORBIDDEN, desc = "sleeps, and nobody wakes it")
@Outcome(expect = Expect.ACCEPTABLE, desc = "saw it, or is woken")
@State
public class InboxSleepStress {
    private final Inbox inbox = new Inbox();
    private volatile boolean sleeping;

    /** The producer: first the inbox, then the announcement. */
    @Actor
    public void producer(ZZ_Result result) {
        inbox.add(() -> {});
        result.r2 = sleeping;
    }

    /** The loop: first the announcement, then the inbox. */
    @Actor
    public void loop(ZZ_Result result) {
        sleeping = true;
        result.r1 = inbox.isEmpty();
    }
}
