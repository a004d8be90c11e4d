package dev.loomlet.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommandTest {

    private static final Option LOUD = Option.flag("--loud", "speaks up").or("-l");
    private static final Option PORT = Option.value("--port", "N", "where to listen");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Invocation> calls = new ArrayList<>();

    @Test
    void callsTheCommandThatIsNamed() {
        assertThat(run("speak", "--loud", "--port=80", "a", "b")).isEqualTo(7);
        assertThat(calls).singleElement().satisfies(call -> {
            assertThat(call.has(LOUD)).isTrue();
            assertThat(call.value(PORT)).contains("80");
            assertThat(call.arguments()).containsExactly("a", "b");
        });
    }

    @Test
    void takesShortNamesAndValuesThatFollow() {
        run("speak", "-l", "--port", "80");
        assertThat(calls).singleElement().satisfies(call -> {
            assertThat(call.has(LOUD)).isTrue();
            assertThat(call.value(PORT)).contains("80");
        });
    }

    @Test
    void leavesAloneWhatFollowsTheFirstArgument() {
        run("speak", "program", "--loud", "--", "--help");
        assertThat(calls).singleElement().satisfies(call -> {
            assertThat(call.has(LOUD)).isFalse();
            assertThat(call.arguments()).containsExactly("program", "--loud", "--", "--help");
        });
    }

    @Test
    void endsOptionsAtTwoDashes() {
        run("speak", "--", "--loud");
        assertThat(calls).singleElement()
                .satisfies(call -> assertThat(call.arguments()).containsExactly("--loud"));
    }

    @Test
    void explainsMistakesInOneLine() {
        assertMistake("top: which command?");
        assertMistake("top: there is no command \"sing\", but speak", "sing");
        assertMistake("top speak: there is no option --quiet", "speak", "--quiet");
        assertMistake("top speak: there is no option -q", "speak", "-q");
        assertMistake("top speak: there is no option -lq", "speak", "-lq");
        assertMistake("top speak: --port is given twice", "speak", "--port=1", "--port", "2");
        assertMistake("top speak: --port needs a value: --port=N", "speak", "--port");
        assertMistake("top speak: --loud takes no value: \"--loud=yes\"", "speak", "--loud=yes");
        for (String port : List.of("x", "", "-1", "65536", "99999999999")) {
            assertMistake("top speak: --port must be a whole number from 0 to 65535, not \"" + port + '"',
                    "speak", "--port", port);
        }
        assertThat(calls).isEmpty();
    }

    @Test
    void showsHelpOfTheCommandsAndOfEachOfThem() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString(UTF_8)).contains("Usage: top ", "speak", "says something");
        out.reset();
        assertThat(run("speak", "--help")).isZero();
        assertThat(out.toString(UTF_8))
                .contains("Usage: top speak [OPTIONS] WORDS", "--loud", "-l", "--port N", "where to listen");
        assertThat(err.toString(UTF_8)).isEmpty();
    }

    @Test
    void tellsItsVersion() {
        assertThat(Main.run(List.of("--version"), terminal())).isZero();
        assertThat(out.toString(UTF_8)).startsWith("loomlet ").contains(Runtime.version().toString());
    }

    private void assertMistake(String message, String... args) {
        err.reset();
        assertThat(run(args)).as(message).isEqualTo(2);
        assertThat(err.toString(UTF_8).lines()).singleElement().asString().startsWith(message);
        assertThat(out.size()).isZero();
    }

    private int run(String... args) {
        return new Group("top", "The top.", List.of(new Speak())).execute(List.of(args), terminal());
    }

    private Terminal terminal() {
        return new Terminal(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
    }

    private final class Speak extends Command {
        Speak() {
            super("speak", "[OPTIONS] WORDS", "says something");
        }

        @Override
        List<Option> options() {
            return List.of(LOUD, PORT);
        }

        @Override
        int call(Invocation invocation) throws UsageException {
            assertThat(invocation.number(PORT, 0, 65535).orElse(0)).isBetween(0, 65535);
            calls.add(invocation);
            return 7;
        }
    }
}
