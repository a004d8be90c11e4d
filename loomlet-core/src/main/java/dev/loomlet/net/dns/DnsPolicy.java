package dev.loomlet.net.dns;

import java.nio.file.Path;
import java.security.Security;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is kept, how much and how long.
 *
 * @param ttl seconds an answer is kept; 0 not at all, negative for ever
 * @param negativeTtl the same for names that do not exist
 * @param size most answers kept
 * @param threads most look-ups at the same time
 * @param hosts the hosts file, if there is one
 */
record DnsPolicy(int ttl, int negativeTtl, int size, int threads, Optional<Path> hosts) {
    /** After so long without work, a thread for look-ups ends. */
    static final Duration IDLE = Duration.ofSeconds(5);

    static DnsPolicy configured() {
        return new DnsPolicy(
                number("loomlet.dns.ttl", security("networkaddress.cache.ttl", 30), Integer.MIN_VALUE),
                number("loomlet.dns.negative.ttl", security("networkaddress.cache.negative.ttl", 10),
                        Integer.MIN_VALUE),
                number("loomlet.dns.cache.size", 1000, 0),
                number("loomlet.dns.threads", 8, 1),
                hosts(System.getProperty("loomlet.dns.hosts")));
    }

    private static Optional<Path> hosts(@Nullable String path) {
        if (path != null) {
            return path.equals("none") ? Optional.empty() : Optional.of(Path.of(path));
        }
        String windows = System.getenv("SystemRoot");
        return Optional.of(windows != null && System.getProperty("os.name", "").startsWith("Windows")
                ? Path.of(windows, "System32", "drivers", "etc", "hosts") : Path.of("/etc/hosts"));
    }

    private static int security(String property, int otherwise) {
        return parse(property, Security.getProperty(property), otherwise, Integer.MIN_VALUE);
    }

    private static int number(String property, int otherwise, int least) {
        return parse(property, System.getProperty(property), otherwise, least);
    }

    /** A setting that cannot be read must not make every look-up of the program fail: it is said, and not used. */
    private static int parse(String property, @Nullable String text, int otherwise, int least) {
        if (text == null || text.isBlank()) {
            return otherwise;
        }
        try {
            int value = Integer.parseInt(text.trim());
            if (value >= least) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        System.err.println("loomlet: " + property + " must be a whole number"
                + (least > Integer.MIN_VALUE ? " of at least " + least : "") + ", not \"" + text + "\"; using "
                + otherwise);
        return otherwise;
    }
}
