package dev.loomlet.acceptance;

import dev.loomlet.Greenlet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What was found out about a library; {@link CompatibilityTable} reads it. */
final class Findings {
    /** One file for each library. */
    static final Path FOLDER = Path.of("target", "compatibility");

    private final Library library;
    private final Set<Proof> proved = EnumSet.noneOf(Proof.class);
    private final AtomicReference<@Nullable Throwable> firstError = new AtomicReference<>();
    private final Properties figures = new Properties();
    private @Nullable String skipped;

    Findings(Library library) {
        this.library = library;
    }

    void proved(Proof proof) {
        proved.add(proof);
    }

    void doesNotApply(Proof proof) {
        figures.setProperty("not." + proof, "true");
    }

    /** What the table is to say instead of yes. */
    void note(Proof proof, String note) {
        figures.setProperty("note." + proof, note);
    }

    void skipped(String why) {
        skipped = why;
    }

    boolean wasSkipped() {
        return skipped != null;
    }

    void round(Round round) {
        figure("elapsed", round.elapsed().toMillis());
        figure("gap", round.gap().toMillis());
    }

    void tls(Round round) {
        figure("tls.elapsed", round.elapsed().toMillis());
        figure("tls.gap", round.gap().toMillis());
    }

    private void figure(String name, long millis) {
        figures.setProperty(name, Long.toString(millis));
    }

    /** An error that left a greenlet of the library's own. */
    void error(Greenlet<?> greenlet, Throwable error) {
        if (firstError.compareAndSet(null, error)) {
            System.err.println("in " + greenlet + " of " + library.name() + ":");
            error.printStackTrace();
        }
    }

    void write() throws IOException {
        Properties all = new Properties();
        all.putAll(figures);
        all.setProperty("kind", library.kind());
        all.setProperty("name", library.name());
        all.setProperty("version", library.version());
        all.setProperty("peer", library.peer());
        all.setProperty("remedy", library.remedy());
        if (skipped != null) {
            all.setProperty("skipped", skipped);
        }
        for (Proof each : proved) {
            all.setProperty("proved." + each, "true");
        }
        Files.createDirectories(FOLDER);
        try (var out = Files.newBufferedWriter(FOLDER.resolve(fileName(library)))) {
            all.store(out, null);
        }
    }

    private static String fileName(Library library) {
        return library.kind() + "-" + library.name().replaceAll("[^A-Za-z0-9.]+", "-") + ".properties";
    }
}
