package dev.loomlet.net.dns;

import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;
import org.jspecify.annotations.Nullable;

/**
 * Makes look-ups of names cooperative, for all code that uses {@link java.net.InetAddress}: while a greenlet waits for a
 * name server, the others on its hub run. There is nothing to call; the JDK finds this class as a service.
 *
 * {@snippet :
 * var page = spawn(() -> new URI("http://example.org/").toURL().openStream().readAllBytes()); // looks up, parks
 * var other = spawn(() -> play());                                                           // runs meanwhile
 * }
 *
 * <p>The look-up itself is done by the JDK's built-in resolver on a few daemon threads ({@code loomlet-dns-1}...), which end
 * when they had nothing to do for 5 s. Greenlets that want the same name at the same time share one look-up. Kill and
 * {@link dev.loomlet.Timeout} work: the greenlet leaves, the look-up goes on for the others and for the cache. Address
 * literals, {@code localhost} and names in the hosts file are answered at once, without such a thread.
 *
 * <p>Threads that belong to no hub get what they would get without this class.
 *
 * <p><b>Settings</b>, system properties, read once at the first look-up:
 * <ul>
 * <li>{@code loomlet.dns}: {@code jdk} switches all of this off.
 * <li>{@code loomlet.dns.ttl}: for how many seconds an answer is kept; 0 for not at all, negative for ever. Without it, the
 * security property {@code networkaddress.cache.ttl} decides as in the JDK, and without that 30.
 * <li>{@code loomlet.dns.negative.ttl}: the same for "no such name": {@code networkaddress.cache.negative.ttl}, or 10.
 * <li>{@code loomlet.dns.cache.size}: how many answers are kept at most, the least recently used go first; 1000.
 * <li>{@code loomlet.dns.threads}: how many look-ups go on at the same time at most; 8.
 * <li>{@code loomlet.dns.hosts}: path of the hosts file; {@code none} for none. By default the system's.
 * </ul>
 *
 * <p>gevent's {@code GEVENT_RESOLVER=thread}, with a cache and with joined look-ups.
 */
public final class HubResolverProvider extends InetAddressResolverProvider {
    private static volatile @Nullable HubResolver active;

    /** For the service loader. */
    public HubResolverProvider() {}

    @Override
    public InetAddressResolver get(Configuration configuration) {
        InetAddressResolver builtin = configuration.builtinResolver();
        if ("jdk".equals(System.getProperty("loomlet.dns"))) {
            return builtin;
        }
        DnsPolicy policy = DnsPolicy.configured();
        HubResolver resolver = new HubResolver(builtin, policy, new HostsFile(policy.hosts(), System::nanoTime),
                new Workers("loomlet-dns-", policy.threads(), DnsPolicy.IDLE), System::nanoTime);
        active = resolver;
        return resolver;
    }

    @Override
    public String name() {
        return "loomlet";
    }

    /** The one that the JDK uses, or null if it was not asked for one yet. */
    static @Nullable HubResolver active() {
        return active;
    }
}
