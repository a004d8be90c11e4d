package dev.loomlet.internal.loop;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The twin that looks first and joins the line after, without a guard around the two. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "knows")
@Outcome(expect = Expect.FORBIDDEN, desc = "will wait for ever, or was told twice")
@State
public class AsyncResultToldBrokenStress {
    private final ConcurrentLinkedQueue<Runnable> watching = new ConcurrentLinkedQueue<>();
    private final AtomicInteger told = new AtomicInteger();
    private volatile boolean set;

    /** Sets. */
    @Actor
    public void setter() {
        set = true;
        Runnable each;
        while ((each = watching.poll()) != null) {
            each.run();
        }
    }

    /** Watches. */
    @Actor
    public void watcher() {
        if (set) {
            told.incrementAndGet();
        } else {
            watching.add(told::incrementAndGet);
        }
    }

    /** Looks. */
    @Arbiter
    public void look(I_Result out) {
        out.r1 = told.get();
    }
}
