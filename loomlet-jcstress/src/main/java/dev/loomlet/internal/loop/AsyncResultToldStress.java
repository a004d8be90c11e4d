package dev.loomlet.internal.loop;

import dev.loomlet.sync.AsyncResult;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** A result is set on one thread while another begins to watch it: that one learns of it exactly once. */
@JCStressTest
@Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "knows")
@Outcome(expect = Expect.FORBIDDEN, desc = "will wait for ever, or was told twice")
@State
public class AsyncResultToldStress {
    private final AsyncResult<Integer> result = new AsyncResult<>();
    private final AtomicInteger told = new AtomicInteger();

    /** Sets. */
    @Actor
    public void setter() {
        result.set(1);
    }

    /** Watches. */
    @Actor
    public void watcher() {
        Watchable inside = (Watchable) result.signal();
        if (!inside.watch(new Watchable.Watcher() {
            @Override
            public void told() {
                told.incrementAndGet();
            }
        })) {
            told.incrementAndGet();
        }
    }

    /** Looks. */
    @Arbiter
    public void look(I_Result out) {
        out.r1 = told.get();
    }
}
