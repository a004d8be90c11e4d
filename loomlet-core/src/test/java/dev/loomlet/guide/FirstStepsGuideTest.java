package dev.loomlet.guide;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.run;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.spawnLater;
import static dev.loomlet.Loomlet.yieldNow;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Capabilities;
import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.coroutine.Coroutine;
import dev.loomlet.coroutine.CoroutineScope;
import dev.loomlet.coroutine.Generator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The chapters to begin with: every Java block of theirs stands here and does what the chapter says. */
@SuppressWarnings("UnusedVariable") // a snippet shows how a thing is called
class FirstStepsGuideTest {
    private final List<String> said = Collections.synchronizedList(new ArrayList<>());
    private final List<String> open = new ArrayList<>();

    record Tree(String name, List<Tree> children) {
        Tree(String name, Tree... children) {
            this(name, List.of(children));
        }
    }

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close); // kills what is left and waits for its end
    }

    private void say(Object what) {
        said.add(String.valueOf(what));
    }

    private String fetch(String url) {
        sleep(ofMillis(1));
        return "page " + url;
    }

    private static int book(int order) {
        return order * 100;
    }

    private BufferedReader open(String file) {
        open.add(file);
        return new BufferedReader(new StringReader("1\n2\n3\n")) {
            @Override
            public void close() throws IOException {
                super.close();
                open.remove(file);
            }
        };
    }

    @Test
    void everyBlockOfTheChaptersIsHere() throws IOException {
        assertThat(GuideBlocks.standIn(FirstStepsGuideTest.class, "your-project.md", "greenlets.md", "coroutines.md"))
                .isEqualTo(15);
    }

    @Test
    void everyChapterIsInTheIndex() throws IOException {
        Path guide = Path.of("..", "docs", "guide");
        String index = Files.readString(guide.resolve("README.md"));
        try (Stream<Path> chapters = Files.list(guide)) {
            assertThat(chapters.map(chapter -> chapter.getFileName().toString()))
                    .isNotEmpty()
                    .allMatch(chapter -> chapter.equals("README.md") || index.contains("(" + chapter + ")"));
        }
    }

    @Test
    void thisJvmLacksNothing() {
        Capabilities can = Hub.capabilities();
        if (can.level() != Capabilities.Level.POLLERS) {
            System.err.println(can.missing() + "; " + can.advice());
        }
        assertThat(can.level()).isNotEqualTo(Capabilities.Level.NONE);
    }

    @Test
    void aThreadAsksAHub() {
        Hub hub = Hub.start("orders"); // a hub on a thread of its own
        int sum = hub.spawn(() -> book(17)).value(); // from any thread; only this thread waits
        hub.close();
        assertThat(sum).isEqualTo(1700);
    }

    @Test
    void greenletsWaitAtTheSameTime() {
        Greenlet<String> page = spawn(() -> fetch("a")); // scheduled, not yet run
        Greenlet<String> other = spawn(() -> fetch("b"));
        joinAll(page, other); // both run now, and wait at the same time
        say(page.value() + ", " + other.value());
        assertThat(said).containsExactly("page a, page b");
    }

    @Test
    void anErrorIsKept() {
        Hub.current().onError((greenlet, error) -> say(greenlet.name() + " failed"));
        Greenlet<String> broken = spawn("reader", () -> {
            throw new IOException("disk on fire");
        });
        broken.join();
        say(broken.successful() + ": " + broken.exception().orElseThrow().getMessage());
        yieldNow();
        assertThat(said).containsExactlyInAnyOrder("reader failed", "false: disk on fire");
    }

    @Test
    void aKillRunsFinally() {
        Greenlet<Void> ticking = spawn(() -> {
            try {
                while (true) {
                    sleep(ofSeconds(1));
                }
            } finally {
                say("stopped");
            }
        });
        yieldNow();
        ticking.kill();
        assertThat(said).containsExactly("stopped");
    }

    @Test
    void aLinkIsCalledAtTheEnd() throws Exception {
        Greenlet<String> job = spawn(() -> fetch("c"));
        job.link(ended -> say("done: " + ended.value()));
        job.join();
        Greenlet<Void> reminder = spawnLater(ofSeconds(30), () -> say("tea"));
        reminder.kill(); // before its time: it never runs
        Greenlet<Void> unstarted = Hub.current().unstarted(() -> say("when I am told"));
        unstarted.start();
        unstarted.join();
        run(() -> {
            // a greenlet: it can be timed out and killed, and all that blocks gives way
            say(fetch("d"));
        });
        assertThat(said).containsExactly("done: page c", "when I am told", "page d");
    }

    @Test
    void aGeneratorRunsWhenItIsAsked() {
        Generator<Integer> evens = Generator.of(out -> {
            for (int n = 0;; n += 2) {
                out.yield(n);
            }
        });
        for (int n : evens) {
            if (n > 6) {
                break;
            }
            say(n);
        }
        assertThat(said).containsExactly("0", "2", "4", "6");
        evens.close();
    }

    static Generator<String> walk(Tree tree) {
        return Generator.of(out -> {
            for (Tree child : tree.children()) {
                out.yieldAll(walk(child));
            }
            out.yield(tree.name());
        });
    }

    @Test
    void aTreeIsWalked() {
        var tree = new Tree("root", new Tree("left", new Tree("leaf")), new Tree("right"));
        assertThat(walk(tree).stream()).containsExactly("leaf", "left", "right", "root");
    }

    @Test
    void whoStopsEarlyCloses() throws Exception {
        try (Generator<String> lines = Generator.of(out -> {
            try (BufferedReader in = open("numbers")) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    out.yield(line);
                }
            }
        })) {
            say(lines.next());
        }
        assertThat(said).containsExactly("1");
        assertThat(open).isEmpty();
    }

    @Test
    void aGeneratorListens() {
        Generator<Double> average = Generator.of(out -> {
            double sum = 0;
            for (int n = 1;; n++) {
                double sample = out.yield(sum / Math.max(1, n - 1));
                sum += sample;
            }
        });
        average.next();
        average.send(10.0);
        say(average.send(20.0)); // 15.0
        assertThat(said).containsExactly("15.0");
        average.close();
    }

    @Test
    void coroutinesSwitchByName() {
        Coroutine<Object> main = Coroutine.main();
        Coroutine<String> echo = Coroutine.of((String first) -> {
            String word = first;
            while (true) {
                word = main.switchTo("you said " + word);
            }
        });
        String heard = echo.switchTo("hello");
        say(heard);
        say(echo.<String>switchTo("goodbye"));
        assertThat(said).containsExactly("you said hello", "you said goodbye");
        echo.throwInto();
    }

    @Test
    void aScopeEndsWhatWasMadeInIt() {
        try (CoroutineScope scope = CoroutineScope.open()) {
            Generator<Integer> numbers = scope.generator(out -> {
                try {
                    for (int n = 0;; n++) {
                        out.yield(n);
                    }
                } finally {
                    say("closed");
                }
            });
            say(numbers.next());
        }
        assertThat(said).containsExactly("0", "closed");
    }
}
