package dev.loomlet.guide;

import static dev.loomlet.Loomlet.await;
import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static dev.loomlet.Loomlet.yieldNow;
import static dev.loomlet.inspect.AssertSwitches.assertSwitches;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.GreenletLocal;
import dev.loomlet.Hub;
import dev.loomlet.LoopExit;
import dev.loomlet.Scope;
import dev.loomlet.Signals;
import dev.loomlet.inspect.RunReport;
import dev.loomlet.internal.jdk.OsSignals;
import dev.loomlet.pool.Group;
import dev.loomlet.pool.Pool;
import dev.loomlet.sync.AsyncResult;
import dev.loomlet.sync.Channel;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.Flows;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.RLock;
import java.io.IOException;
import java.net.http.HttpClient;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The chapters about working with greenlets: every Java block of theirs stands here and does what the chapter says. */
@SuppressWarnings({"UnusedVariable", "try"}) // a snippet shows how a thing is called
class WorkingGuideTest {
    private static final ScopedValue<String> USER = ScopedValue.newInstance();

    private final List<String> said = Collections.synchronizedList(new ArrayList<>());
    private final List<String> urls = List.of("a", "b");
    private final Database database = sql -> List.of("row of " + sql);
    private final CompletableFuture<String> neverCompleted = new CompletableFuture<>();

    private interface Database {
        List<String> query(String sql);
    }

    /** Stands in for slf4j's, with Logback's plain thread local. */
    private static final class MDC {
        private static final ThreadLocal<Map<String, String>> CONTEXT = ThreadLocal.withInitial(HashMap::new);

        static Map<String, String> getCopyOfContextMap() {
            return new HashMap<>(CONTEXT.get());
        }

        static void setContextMap(Map<String, String> context) {
            CONTEXT.set(context);
        }

        static @Nullable String get(String key) {
            return CONTEXT.get().get(key);
        }
    }

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private void say(@Nullable String what) {
        said.add(String.valueOf(what));
    }

    private String fetch(String url) {
        sleep(ofMillis(1));
        return "page " + url;
    }

    private String ask() {
        sleep(ofMillis(1));
        return "answer";
    }

    private static String findUser(int id) {
        return "lily " + id;
    }

    private static String fetchOrder(int id) {
        return "tea " + id;
    }

    private static void sendTheSignal() {
        OsSignals.raise("USR2");
    }

    @Test
    void everyBlockOfTheChaptersIsHere() throws IOException {
        assertThat(GuideBlocks.standIn(WorkingGuideTest.class, "pools.md", "scopes.md", "context.md", "bridges.md",
                "signals.md", "inspecting.md", "hangs.md")).isEqualTo(22);
    }

    // --- pools

    @Test
    void groupsAndPools() {
        var group = new Group();
        for (String url : urls) {
            group.spawn(() -> fetch(url));
        }
        group.join(ofSeconds(10));
        group.kill(); // those that are late, and what they spawn into the group while they die

        var pool = new Pool(100);
        List<String> pages = pool.map(urls, this::fetch); // in order; the first failure ends it
        for (String each : pool.mapUnordered(urls, this::fetch)) { // as they come
            say(each);
        }
        Optional<Greenlet<String>> now = pool.trySpawn(() -> fetch("c")); // nothing if it is full

        assertThat(pages).containsExactly("page a", "page b");
        assertThat(said).containsExactlyInAnyOrder("page a", "page b");
        assertThat(now.orElseThrow().value()).isEqualTo("page c");
    }

    @Test
    void realThreads() throws Exception {
        Hub hub = Hub.current();
        List<String> rows = hub.threadPool().call(() -> database.query("all")); // only this greenlet waits
        assertThat(rows).containsExactly("row of all");
    }

    @Test
    void aStayOnThePool() {
        Hub hub = Hub.current();
        var found = new AsyncResult<List<String>>();
        spawn(() -> {
            try (var _ = hub.threadPool().enter()) {
                found.set(database.query("more")); // beside the other greenlets: it must not touch what they share
            }
        }).join();
        assertThat(found.get()).containsExactly("row of more");
    }

    // --- scopes

    @Test
    void scopes() {
        try (var scope = Scope.open(ofSeconds(3))) {
            var user = scope.spawn(() -> findUser(17));
            var order = scope.spawn(() -> fetchOrder(17));
            scope.join(); // the first failure kills the other, and is thrown
            say(user.value() + " ordered " + order.value());
        }
        assertThat(said).containsExactly("lily 17 ordered tea 17");
    }

    @Test
    void theFastest() {
        String fastest;
        try (var scope = Scope.open()) {
            var answer = new AsyncResult<String>();
            for (String mirror : List.of("a", "b")) {
                scope.spawn(() -> answer.set(fetch(mirror)));
            }
            fastest = answer.get(); // leaving the block kills the others
        }
        say(fastest);
        assertThat(said).containsAnyOf("page a", "page b").hasSize(1);
        assertThat(Hub.current().liveGreenlets()).isZero();
    }

    // --- context

    @Test
    void greenletLocals() {
        GreenletLocal<String> request = GreenletLocal.of(() -> "none");
        request.set("r-17");
        spawn(() -> say(request.get())).join(); // none
        spawn(GreenletLocal.inheriting(() -> say(request.get()))).join(); // r-17
        assertThat(said).containsExactly("none", "r-17");
    }

    @Test
    void scopedValues() {
        ScopedValue.where(USER, "lily").run(() -> {
            String user = USER.get();
            spawn(() -> ScopedValue.where(USER, user).run(() -> say(USER.get()))).join();
        });
        assertThat(said).containsExactly("lily");
    }

    @Test
    void theContextOfALogger() {
        MDC.setContextMap(Map.of("request", "r-18"));
        Map<String, String> context = MDC.getCopyOfContextMap();
        spawn(() -> {
            MDC.setContextMap(context);
            say("request " + MDC.get("request"));
        }).join();
        assertThat(said).containsExactly("request r-18");
    }

    // --- bridges

    @Test
    void executorsAndFutures() throws Exception {
        Hub hub = Hub.current();
        HttpClient client = HttpClient.newBuilder().executor(hub.executor()).build();
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(this::ask, hub.executor());
        Thread thread = hub.threadFactory().newThread(() -> say("a greenlet"));
        thread.start();

        say(await(answer));
        String late = withTimeout(ofMillis(5), () -> await(neverCompleted), "late");

        assertThat(late).isEqualTo("late");
        assertThat(said).containsExactly("a greenlet", "answer");
        client.close();
    }

    @Test
    void aGreenletAsAFuture() {
        CompletableFuture<String> page = spawn(() -> fetch("x")).toCompletableFuture();
        say(await(page.thenApply(String::toUpperCase)));
        assertThat(said).containsExactly("PAGE X");
    }

    @Test
    void reactiveStreams() {
        Hub.current();
        try (var publisher = new SubmissionPublisher<Integer>()) {
            Channel<Integer> ticks = Flows.channel(publisher);
            List.of(1, 2, 3).forEach(publisher::submit);
            publisher.close();
            for (int tick : ticks) {
                say("tick " + tick);
            }
        }
        assertThat(said).containsExactly("tick 1", "tick 2", "tick 3");

        var rows = new Queue<String>(100);
        Flow.Publisher<String> published = Flows.publisher(rows);
        rows.put("row");
        rows.shutDown();
        assertThat(Flows.<String>channel(published)).containsExactly("row");
    }

    // --- signals

    @Test
    void signals() {
        var stop = new Event();
        try (var _ = Signals.on("USR2", stop::set)) {
            sendTheSignal();
            stop.await();
        }
        say("stopped");
        assertThat(said).containsExactly("stopped");
    }

    // --- inspecting, hangs

    @Test
    void inspecting() {
        Hub hub = Hub.current();
        hub.onStall(stall -> say("stall: " + stall.cause()));
        say(RunReport.of()); // all hubs, all greenlets, stacks, what each waits for, locals, who spawned whom
        say(hub.switches() + " switches, blocked for " + hub.blocked());
        assertThat(said).hasSize(2);
        assertThat(said.getFirst()).contains(hub.toString());
    }

    @Test
    void thatItGivesWayAndEnds() {
        try (var _ = assertSwitches(ofSeconds(1))) {
            sleep(ofMillis(1)); // what is tested
        }
        String what = withTimeout(ofSeconds(10), () -> fetch("x"));
        assertThat(what).isEqualTo("page x");
    }

    @Test
    void deadlocks() {
        var left = new RLock();
        var right = new RLock();
        var one = spawn("one", () -> {
            left.lock();
            yieldNow();
            right.lock();
        });
        var two = spawn("two", () -> {
            right.lock();
            yieldNow();
            left.lock();
        });
        try {
            joinAll(one, two);
        } catch (LoopExit deadlock) {
            say(deadlock.getMessage()); // These wait for one another in a circle: ...
        }
        assertThat(said).singleElement().asString().contains("These wait for one another in a circle");
    }

    @Test
    void traces() {
        Hub hub = Hub.current();
        var turns = new ArrayList<String>();
        try (var _ = hub.trace(turn -> turns.add(turn.toString()))) {
            joinAll(spawn("a", () -> yieldNow()), spawn("b", () -> {}));
        }
        say(turns.toString()); // [hub -> a, a -> b, b -> a, a -> hub]
        assertThat(said).containsExactly("[hub -> a, a -> b, b -> a, a -> hub]");
    }
}
