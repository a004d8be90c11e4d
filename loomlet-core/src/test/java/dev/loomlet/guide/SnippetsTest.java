package dev.loomlet.guide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.testing.Snippets;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SnippetsTest {
    @Test
    void everySnippetOfTheDocumentationCompiles() throws IOException {
        assertThat(Snippets.compileAll()).isGreaterThan(50);
    }
}
