package dev.loomlet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Offloading rules and the list of known offenders, as far as they go without the agent. */
class OffloadTest {

    @ParameterizedTest
    @CsvSource({
        "a.B#m, a.B, m, true",
        "a.B#m, a.B, mm, false",
        "a.B#m, a.BB, m, false",
        "a.B#*, a.B, anything, true",
        "a.B#get*, a.B, getInt, true",
        "a.B#get*, a.B, forget, false",
        "a.B#*Int, a.B, getInt, true",
        "a.B#*t*t, a.B, getInt, true",
        "a.B#*t*t, a.B, t, false",
        "a.*#m, a.b.C, m, true",
        "a.*#m, b.a.C, m, false",
        "*Driver#m, a.b.Driver, m, true",
        "a.Outer$Inner#m, a.Outer$Inner, m, true",
        "*#*, a.B, m, true"
    })
    void aRuleSelectsMethods(String rule, String type, String method, boolean selected) {
        assertThat(Offload.matches(rule, type, method)).isEqualTo(selected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a.B", "#m", "a.B#", "a.B#m#n", "a.B#m()", "a/B#m", "a.B #m"})
    void whatIsNoRuleIsRefused(String rule) {
        assertThatThrownBy(() -> Offload.connect(List.of(rule), each -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + rule + "\" is no offloading rule");
    }

    @Test
    void withoutTheAgentItSaysWhatToDo() {
        assertThatThrownBy(() -> Offload.rules("a.B#m")).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("./loomlet run").hasMessageContaining("hub.threadPool()");
        assertThat(Offload.rules()).isEmpty();
    }

    @Test
    void whatIsMetByItsClassIsFoundByIt() {
        List<String> classes = KnownOffender.all().stream().map(KnownOffender::frames)
                .filter(each -> each.endsWith("#<clinit>")).map(each -> each.substring(0, each.indexOf('#'))).toList();
        assertThat(classes).isNotEmpty().allSatisfy(each -> assertThat(KnownOffender.loaded(each)).isPresent());
        assertThat(KnownOffender.loaded("org.lmdbjava.Txn")).isEmpty();
    }

    @Test
    void everyKnownOffenderIsSaidCompletely() {
        assertThat(KnownOffender.all()).hasSizeGreaterThan(10).allSatisfy(each -> {
            assertThat(each.frames()).matches("[^#]+#[^#]+");
            assertThat(List.of(each.library(), each.versions(), each.symptom(), each.remedy()))
                    .noneMatch(String::isBlank);
        });
    }

    @Test
    void aStallNamesTheOffenderInItsStack() {
        Hub hub = Hub.start("stalled");
        try {
            List<StackTraceElement> stack = List.of(
                    new StackTraceElement("java.lang.Object", "hashCode", "Object.java", -2),
                    new StackTraceElement("org.sqlite.core.NativeDB", "step", "NativeDB.java", -2),
                    new StackTraceElement("my.Program", "main", "Program.java", 5));
            Stall stall = new Stall(hub, Optional.empty(), Thread.currentThread(), Duration.ofMillis(150),
                    Stall.Cause.NATIVE_CALL, stack);
            assertThat(stall.known()).map(KnownOffender::library).contains("sqlite-jdbc");
            assertThat(stall.toString()).contains("known: sqlite-jdbc")
                    .contains("--offload 'org.sqlite.core.NativeDB#*'");
            assertThat(KnownOffender.in(stack.subList(2, 3))).isEmpty();
        } finally {
            hub.close();
        }
    }
}
