package dev.loomlet.guide;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Holds that the code of the guide is code that the tests compile and run. */
final class GuideBlocks {
    private GuideBlocks() {}

    /**
     * Checks that every block of Java of these chapters stands, word for word, in the source of a test.
     *
     * @return how many there are
     */
    static int standIn(Class<?> test, String... chapters) throws IOException {
        Path root = Path.of("..").toAbsolutePath(); // tests run in their module
        String source = squeeze(Files.readString(
                root.resolve("loomlet-core/src/test/java").resolve(test.getName().replace('.', '/') + ".java")));
        int blocks = 0;
        for (String chapter : chapters) {
            var matcher = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL)
                    .matcher(Files.readString(root.resolve("docs/guide").resolve(chapter)));
            while (matcher.find()) {
                blocks++;
                assertThat(source).as("a block of " + chapter).contains(squeeze(matcher.group(1)));
            }
        }
        return blocks;
    }

    private static String squeeze(String code) {
        return code.replaceAll("\\s+", "");
    }
}
