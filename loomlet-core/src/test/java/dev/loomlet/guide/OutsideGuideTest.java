package dev.loomlet.guide;

import static dev.loomlet.Loomlet.joinAll;
import static dev.loomlet.Loomlet.spawn;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Hub;
import dev.loomlet.process.Child;
import dev.loomlet.process.Command;
import dev.loomlet.process.Processes;
import dev.loomlet.process.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chapters about processes and names: every Java block of theirs stands here and does what the chapter says. */
class OutsideGuideTest {
    @TempDir Path path;

    private boolean played;
    private String said = "";

    @AfterEach
    void closeTheHub() {
        Hub.ifPresent().ifPresent(Hub::close);
    }

    private void say(String what) {
        said = what;
    }

    private void play() {
        played = true;
    }

    @Test
    void everyBlockOfTheChaptersIsHere() throws IOException {
        assertThat(GuideBlocks.standIn(OutsideGuideTest.class, "processes.md", "dns.md")).isEqualTo(4);
    }

    @Test
    void aProgramIsRunToItsEnd() throws Exception {
        Result listing = Processes.run("ls", "-l");
        int exitCode = listing.exitCode(); // any
        String files = listing.check().stdout(); // throws ProcessFailed, with its errors, unless that is 0
        assertThat(exitCode).isZero();
        assertThat(files).contains("pom.xml");
    }

    @Test
    void aCommandHasTheRest() throws Exception {
        String text = "b\na\nb\n";
        Result sorted = Command.of("sort", "-u")
                .input(text) // fed in while output comes out: megabytes both ways do not block
                .directory(path)
                .environment("LC_ALL", "C")
                .timeout(ofSeconds(10)) // ProcessTimeout, with what it printed so far
                .outputLimit(20_000_000) // ProcessFailed: printed more than ...
                .mergeErrors() // or inheritErrors()
                .run();
        assertThat(sorted.stdout()).isEqualTo("a\nb\n");
    }

    @Test
    void aProgramIsTalkedTo() throws Exception {
        try (Child cat = Processes.start("cat")) {
            cat.stdin().write("meow\n".getBytes(UTF_8));
            say(cat.readLine().orElse("nothing")); // meow
        }
        assertThat(said).isEqualTo("meow");
    }

    @Test
    void aNameIsLookedUpBesideOthers() {
        var page = spawn(() -> InetAddress.getByName("localhost")); // looks the name up; its greenlet parks
        var other = spawn(() -> play()); // runs meanwhile
        joinAll(page, other);
        assertThat(page.value().isLoopbackAddress()).isTrue();
        assertThat(played).isTrue();
    }
}
