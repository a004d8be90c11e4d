package dev.loomlet.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Runs after all others, see the module's pom. */
class CompatibilityTableTest {
    private static final Path CHECKED_IN = Path.of("..", "docs", "compatibility.md");
    private final CompatibilityTable table;

    CompatibilityTableTest() throws IOException {
        table = CompatibilityTable.read(Findings.FOLDER);
        Files.writeString(Path.of("target", "compatibility.md"), table.text());
    }

    @Test
    void everythingIsProvedOfEveryLibrary() {
        assertThat(table.failures()).isEmpty();
    }

    @Test
    void theCheckedInTableHasTheSameLibraries() throws IOException {
        assertThat(CompatibilityTable.libraries(Files.readString(CHECKED_IN)))
                .as("libraries in docs/compatibility.md; it says how it is made").isEqualTo(table.libraries());
    }

    @Test
    void theTableIsReadAsItIsWritten() {
        assertThat(CompatibilityTable.libraries(table.text())).isEqualTo(table.libraries()).isNotEmpty();
    }
}
