package dev.loomlet.guide;

import static dev.loomlet.Loomlet.after;
import static dev.loomlet.Loomlet.asCompleted;
import static dev.loomlet.Loomlet.idle;
import static dev.loomlet.Loomlet.select;
import static dev.loomlet.Loomlet.sleep;
import static dev.loomlet.Loomlet.spawn;
import static dev.loomlet.Loomlet.withTimeout;
import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Greenlet;
import dev.loomlet.Hub;
import dev.loomlet.Selected.Ready;
import dev.loomlet.Selected.Received;
import dev.loomlet.Timeout;
import dev.loomlet.TimeoutExpired;
import dev.loomlet.sync.AsyncResult;
import dev.loomlet.sync.Channel;
import dev.loomlet.sync.Event;
import dev.loomlet.sync.Queue;
import dev.loomlet.sync.Semaphore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The chapters "Timeouts" and "Sharing": every Java block of theirs stands here word for word, which {@link
 * #everyBlockOfTheChaptersIsHere} holds, and does what the chapter says.
 */
@SuppressWarnings("UnusedVariable") // a snippet shows how a thing is called
class SharingGuideTest {
    private final List<String> said = new ArrayList<>();

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private void say(String what) {
        said.add(what);
    }

    private static String fetch(String url) {
        sleep(ofMillis(1));
        return "page " + url;
    }

    private static String fetchSlowly(String url) {
        sleep(ofSeconds(10));
        return "page " + url;
    }

    @Test
    void everyBlockOfTheChaptersIsHere() throws IOException {
        assertThat(GuideBlocks.standIn(SharingGuideTest.class, "timeouts.md", "sharing.md")).isEqualTo(10);
    }

    @Test
    void aCall() {
        String page = withTimeout(ofSeconds(3), () -> fetch("a"));
        String other = withTimeout(ofMillis(5), () -> fetchSlowly("b"), "nothing");
        assertThat(page).isEqualTo("page a");
        assertThat(other).isEqualTo("nothing");
    }

    @Test
    void aBlock() {
        try (var _ = Timeout.after(ofMillis(5))) {
            sleep(ofSeconds(10));
        } catch (TimeoutExpired late) {
            say("gave up: " + late.getMessage());
        }
        assertThat(said).singleElement().asString().contains("gave up").contains("5 ms");
    }

    @Test
    void anOuterOne() {
        try (var _ = Timeout.after(ofMillis(5))) {
            withTimeout(ofSeconds(10), () -> fetchSlowly("c"), "inner");
        } catch (TimeoutExpired expired) {
            say("not the inner one");
        }
        assertThat(said).containsExactly("not the inner one");
    }

    @Test
    void anEvent() {
        var ready = new Event();
        spawn(() -> {
            ready.await();
            say("serving");
        });
        ready.set();
        idle();
        assertThat(said).containsExactly("serving");
    }

    @Test
    void aResult() {
        var answer = new AsyncResult<Integer>();
        spawn(() -> answer.set(42));
        say("answer " + answer.get());
        assertThat(said).containsExactly("answer 42");
    }

    @Test
    void aSemaphore() {
        var connections = new Semaphore(2);
        connections.acquire();
        try {
            say("one of two");
        } finally {
            connections.release();
        }
        assertThat(said).containsExactly("one of two");
        assertThat(connections.permits()).isEqualTo(2);
    }

    @Test
    void aQueue() {
        var jobs = new Queue<String>(100);
        var worker = spawn(() -> {
            for (String job : jobs) {
                say("did " + job);
            }
        });
        jobs.put("this");
        jobs.put("that");
        jobs.shutDown();
        worker.join();
        assertThat(said).containsExactly("did this", "did that");
    }

    @Test
    void aChannel() {
        var words = new Channel<String>();
        var stop = new Event();
        spawn(() -> {
            words.send("hello");
            stop.set();
        });
        for (boolean going = true; going;) {
            switch (select(words.receiving(), stop.waiting(), after(ofSeconds(10)))) {
                case Received(String word) -> say(word);
                case Ready _ -> going = false;
                default -> throw new IllegalStateException();
            }
        }
        assertThat(said).containsExactly("hello");
    }

    @Test
    void functions() {
        var numbers = new Queue<Integer>();
        numbers.put(7);
        String what = select(
                numbers.taking(n -> "number " + n),
                after(ofSeconds(1)).then(_ -> "nothing"));
        say(what);
        assertThat(said).containsExactly("number 7");
    }

    @Test
    void manyAtOnce() {
        var downloads = List.of(spawn(() -> fetch("x")), spawn(() -> fetch("y")));
        try (var done = asCompleted(downloads)) {
            for (Greenlet<String> each : done) {
                say("got " + each.value());
            }
        }
        assertThat(said).containsExactlyInAnyOrder("got page x", "got page y");
    }
}
