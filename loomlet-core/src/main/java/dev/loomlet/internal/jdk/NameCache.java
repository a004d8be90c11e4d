package dev.loomlet.internal.jdk;

import java.net.InetAddress;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's own cache of names ({@code InetAddress.cache}).
 *
 * <p>While a name is looked up, the cache holds a place for it with a lock that the looking thread has taken, so that others
 * who want the name wait for it. If that thread is a greenlet, it waits parked with the lock held, and a hub's own thread
 * that wants the same name would block on the lock and so keep the greenlet from ever going on. Taking the place out of the
 * cache leaves the lock with nobody to wait for it.
 */
public final class NameCache {
    private static final String PROBLEM = Access.granted() ? Access.problem(NameCache::cache) : Access.refusal();
    private static final @Nullable ConcurrentMap<?, ?> CACHE = PROBLEM.isEmpty() ? cache() : null;
    private static final String PLACE = "NameServiceAddresses";

    private NameCache() {}

    /** What is missing for that, for people, or an empty string. */
    public static String problem() {
        return PROBLEM;
    }

    /** Whether this JDK's cache can be reached. If not, no greenlet may wait in a look-up. */
    public static boolean reachable() {
        return CACHE != null;
    }

    /** For the thread that looks the name up: from now on nobody waits for it, and what it finds is not cached there. */
    public static void giveUpPlace(String host) {
        ConcurrentMap<?, ?> cache = CACHE;
        if (cache == null) {
            return;
        }
        Object place = cache.get(host);
        if (place != null && place.getClass().getSimpleName().equals(PLACE)) {
            cache.remove(host, place);
        }
    }

    /** Whether the JDK has an answer or a place for this name. */
    public static boolean knows(String host) {
        return CACHE != null && CACHE.containsKey(host);
    }

    private static ConcurrentMap<?, ?> cache() {
        return (ConcurrentMap<?, ?>) Access.staticField(InetAddress.class, "cache", ConcurrentMap.class);
    }
}
