package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.loomlet.Hub;
import dev.loomlet.Loomlet;
import dev.loomlet.internal.jdk.VirtualThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;
import org.opentest4j.TestAbortedException;

/**
 * The same proofs for every library, on one hub. A library fills in what a call is; see {@link ClientOnHub} and
 * {@link ServerOnHub}.
 *
 * <ol>
 * <li>Right results.
 * <li>Twenty slow calls at the same time take less than three times as long as one.
 * <li>Meanwhile the longest time in which another greenlet did not run is at most 50 ms. The machine's own pauses (a
 * collection, another process) are in that figure, so the best of at most {@value #ROUNDS} rounds counts: a library that
 * holds up the hub does it in each.
 * <li>A kill and a timeout in mid-call end the call, and everything it held can be used again.
 * <li>TLS, where the library has it: right results and the slow calls once more.
 * <li>All of the program's code ran on the hub's OS thread.
 * <li>Nothing is left: no greenlet, no socket.
 * </ol>
 *
 * What was found goes to {@link Findings}.
 */
@TestInstance(Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
public abstract class OnOneHub {
    /** How long a slow call takes. */
    protected static final Duration LATENCY = Duration.ofMillis(200);
    /** How long a call takes that is to be killed in the middle: it must not end by itself. */
    protected static final Duration VERY_LONG = Duration.ofSeconds(6);
    /** Long enough for anything that ought to happen on a slow machine; never waited for in vain. */
    protected static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How many slow calls there are at the same time. */
    protected static final int CALLS = 20;

    static final Duration LONGEST_GAP = Duration.ofMillis(50);
    static final int ROUNDS = 12;

    private final Set<Thread> carriers = ConcurrentHashMap.newKeySet();
    private final List<AutoCloseable> toClose = new ArrayList<>();
    private final Sockets before = Sockets.open();
    private final boolean underAgent = Hub.ifPresent().isPresent(); // then the tests are greenlets themselves
    private final Hub hub = underAgent ? Hub.current() : Hub.start("acceptance");
    private final int greenletsBefore = hub.liveGreenlets();
    private final Ticker ticker = new Ticker(hub);
    private @Nullable Findings findings;

    /** What is tried. */
    protected abstract Library library();

    /** Starts the other end and opens what is tried. What is to be closed goes to {@link #closeLater}. */
    protected abstract void open() throws Exception;

    /** Whether the library speaks TLS; if so, {@link #openTls} is called before the last proofs. */
    protected boolean hasTls() {
        return true;
    }

    /** The same over TLS, instead of what was open. */
    protected void openTls() throws Exception {
        throw new UnsupportedOperationException("hasTls() says that there is TLS");
    }

    /** A few calls with results that are checked. */
    protected abstract void rightResults() throws Exception;

    /** A call that takes so long at the other end, and whose result is checked. */
    protected abstract void slowCall(int number, Duration latency) throws Exception;

    /** How many slow calls the other end is in. */
    protected abstract int inside() throws Exception;

    /** How many connections and the like are in use, if the library counts them. */
    protected int held() {
        return 0;
    }

    /** How the calls are made: by greenlets for clients, by real threads for servers. */
    protected abstract <T> Future<T> start(Callable<T> call);

    /** Whether the table is to have it. */
    boolean recorded() {
        return true;
    }

    /** How long {@link #until} waits. */
    Duration patience() {
        return PATIENCE;
    }

    protected final Hub hub() {
        return hub;
    }

    /** Whether the agent has made everything a greenlet of the one hub, these tests included. */
    protected final boolean underAgent() {
        return underAgent;
    }

    /** Closed at the end, the last first. */
    protected final <T extends AutoCloseable> T closeLater(T resource) {
        toClose.add(resource);
        return resource;
    }

    /** To be called by the program's code: call-backs, handlers. */
    protected final void seen() {
        carriers.add(VirtualThreads.currentCarrier());
    }

    private Findings findings() {
        return Objects.requireNonNull(findings);
    }

    @BeforeAll
    final void begin() throws Exception {
        Findings begun = new Findings(library());
        findings = begun;
        hub.onError(begun::error);
        try {
            open();
        } catch (TestAbortedException skipped) {
            begun.skipped(String.valueOf(skipped.getMessage()));
            throw skipped;
        }
    }

    @Test
    @Order(1)
    final void itsResultsAreRight() throws Exception {
        finish(start(this::checkResults));
        findings().proved(Proof.RESULTS);
    }

    @Test
    @Order(2)
    final void twentySlowCallsTakeAboutAsLongAsOneAndHoldNobodyUp() throws Exception {
        Round round = bestRound();
        findings().round(round);
        findings().proved(Proof.CONCURRENT);
        findings().proved(Proof.GAP);
    }

    @Test
    @Order(3)
    final void aKillInMidCallFreesWhatItHeld() throws Exception {
        killInMidCall();
        works("a kill");
        findings().note(Proof.KILL, endsInMidCall());
        findings().proved(Proof.KILL);
    }

    @Test
    @Order(4)
    final void aTimeoutInMidCallFreesWhatItHeld() throws Exception {
        timeoutInMidCall();
        works("a timeout");
        findings().note(Proof.TIMEOUT, endsInMidCall());
        findings().proved(Proof.TIMEOUT);
    }

    @Test
    @Order(5)
    final void itWorksOverTls() throws Exception {
        if (!hasTls()) {
            findings().doesNotApply(Proof.TLS);
            Assumptions.abort("it has no TLS of its own");
        }
        openTls();
        finish(start(this::checkResults));
        findings().tls(bestRound());
        findings().proved(Proof.TLS);
    }

    @Test
    @Order(6)
    final void theProgramsCodeRanOnTheHubsThread() {
        assertThat(carriers).as("OS threads that ran the program's code").containsExactly(hub.thread());
        findings().proved(Proof.ONE_THREAD);
    }

    /** The last of the proofs: nothing is left. */
    @AfterAll
    final void nothingIsLeft() throws Exception {
        try {
            closeAll();
            if (!findings().wasSkipped()) {
                try {
                    until("the closing of the last socket", () -> Sockets.open().without(before).isEmpty());
                } catch (AssertionError left) {
                    throw new AssertionError("left open: " + Sockets.describe(Sockets.open().without(before)), left);
                }
                findings().proved(Proof.NOTHING_LEFT);
            }
        } finally {
            if (recorded()) {
                findings().write();
            }
        }
    }

    private void closeAll() throws Exception {
        try {
            for (AutoCloseable each : toClose.reversed()) {
                each.close();
            }
            ticker.stop();
            until("the end of the last greenlet", () -> hub.liveGreenlets() <= greenletsBefore);
        } finally {
            if (!underAgent) {
                hub.close();
            }
        }
    }

    /** Whether a kill and a timeout end a call in its middle: "yes", or when they do. */
    protected String endsInMidCall() {
        return "yes";
    }

    /** Kills a call in its middle, and checks that it has ended. */
    protected abstract void killInMidCall() throws Exception;

    /** Has a call time out in its middle, and checks that it has ended. */
    protected abstract void timeoutInMidCall() throws Exception;

    private boolean checkResults() throws Exception {
        rightResults();
        return true;
    }

    private void works(String after) throws Exception {
        until("nothing being held after " + after, () -> held() == 0);
        finish(start(this::checkResults));
        round();
    }

    private Round bestRound() throws Exception {
        round(); // opens connections, loads classes
        Round best = null;
        for (int i = 0; i < ROUNDS; i++) {
            Round round = round();
            best = best == null ? round : best.betterOf(round);
            if (best.passes()) {
                return best;
            }
        }
        return fail("in the best of " + ROUNDS + " rounds " + best);
    }

    /** Twenty slow calls. */
    private Round round() throws Exception {
        ticker.reset();
        long start = System.nanoTime();
        List<Future<Boolean>> calls = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) {
            int number = i;
            calls.add(start(() -> {
                slowCall(number, LATENCY);
                return true;
            }));
        }
        for (Future<Boolean> call : calls) {
            finish(call);
        }
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        return new Round(elapsed, ticker.longestGap());
    }

    /** What a call gives, or what it failed with. */
    protected static <T> T finish(Future<T> call) throws Exception {
        try {
            return call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError("a call failed: " + e.getCause(), e.getCause());
        }
    }

    /** Waits, on the test's thread, for what only asking tells. */
    protected final void until(String what, Condition condition) throws Exception {
        long end = System.nanoTime() + patience().toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - end > 0) {
                fail(what + " did not come in " + patience());
            }
            Thread.sleep(Duration.ofMillis(5));
        }
    }

    /** What {@link #until} asks. */
    @FunctionalInterface
    protected interface Condition {
        boolean holds() throws Exception;
    }

    /** Another greenlet, which wants to run every millisecond. */
    private static final class Ticker {
        private final dev.loomlet.Greenlet<Void> greenlet;
        private volatile long longest;
        private volatile boolean forget;

        Ticker(Hub hub) {
            greenlet = hub.spawn("ticker", () -> {
                long last = System.nanoTime();
                for (;;) {
                    Loomlet.sleep(Duration.ofMillis(1));
                    long now = System.nanoTime();
                    longest = forget ? 0 : Math.max(longest, now - last);
                    forget = false;
                    last = now;
                }
            });
        }

        void reset() throws InterruptedException {
            forget = true;
            while (forget) {
                Thread.sleep(Duration.ofMillis(1)); // until its next turn
            }
        }

        Duration longestGap() {
            return Duration.ofNanos(longest);
        }

        void stop() {
            greenlet.kill();
        }
    }
}
