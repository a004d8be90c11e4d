package dev.loomlet.net.dns;

import dev.loomlet.GreenletExit;
import dev.loomlet.internal.jdk.Access;
import dev.loomlet.internal.jdk.NameCache;
import dev.loomlet.internal.loop.Guard;
import dev.loomlet.internal.loop.Loop;
import dev.loomlet.internal.loop.WaitQueue;
import dev.loomlet.internal.loop.Waiter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Looks names up for greenlets: from the hosts file, from what is known already, or on a {@link Workers} thread while the
 * greenlet waits.
 *
 * <p><b>With the JDK's cache.</b> {@code InetAddress} asks its own cache first and a resolver only then, with a lock for the
 * name held. On a hub that place is given up at once ({@link NameCache} says why), so what a hub looks up is kept here
 * only, by one policy, and not once more there. What a thread without a hub looks up is kept there, and a greenlet may get
 * it from there.
 */
final class HubResolver implements InetAddressResolver {
    private volatile InetAddressResolver builtin;
    private final DnsPolicy policy;
    private final HostsFile hosts;
    private final Workers workers;
    private final LongSupplier clock;
    private final Table table = new Table();

    /** What came out: a value, or what was thrown. */
    private record Answer(@Nullable Object value, @Nullable Throwable failure, boolean forEver, long until) {}

    /** A look-up that goes on, and who waits for it. In the guard, except that {@code answer} never changes once set. */
    private static final class Flight {
        final WaitQueue waiting;
        @Nullable Answer answer;

        Flight(Guard guard) {
            waiting = new WaitQueue(guard);
        }
    }

    /** Keys are strings: their {@code hashCode} and {@code equals} may be called inside the guard. */
    private static final class Table extends Guard {
        final Map<String, Flight> flights = new HashMap<>(64);
        final LinkedHashMap<String, Answer> answers = new LinkedHashMap<>(64, 0.75f, true);
    }

    HubResolver(InetAddressResolver builtin, DnsPolicy policy, HostsFile hosts, Workers workers, LongSupplier clock) {
        this.builtin = builtin;
        this.policy = policy;
        this.hosts = hosts;
        this.workers = workers;
        this.clock = clock;
    }

    @Override
    public Stream<InetAddress> lookupByName(String host, LookupPolicy lookup) throws UnknownHostException {
        Objects.requireNonNull(host);
        Objects.requireNonNull(lookup);
        Loop loop = hub();
        if (loop == null) {
            return builtin.lookupByName(host, lookup);
        }
        NameCache.giveUpPlace(host);
        List<InetAddress> known = hosts.addresses(host, lookup);
        if (!known.isEmpty()) {
            return known.stream();
        }
        InetAddressResolver resolver = builtin;
        Object found = get(loop, lookup.characteristics() + " " + host, host,
                () -> resolver.lookupByName(host, lookup).toArray(InetAddress[]::new));
        return Arrays.stream((InetAddress[]) found);
    }

    @Override
    public String lookupByAddress(byte[] address) throws UnknownHostException {
        Loop loop = hub();
        if (loop == null || (address.length != 4 && address.length != 16)) {
            return builtin.lookupByAddress(address);
        }
        Optional<String> known = hosts.name(address);
        if (known.isPresent()) {
            return known.get();
        }
        InetAddressResolver resolver = builtin;
        byte[] copy = address.clone();
        return (String) get(loop, "name " + HexFormat.of().formatHex(copy),
                InetAddress.getByAddress(copy).getHostAddress(), () -> resolver.lookupByAddress(copy));
    }

    /**
     * The loop on which the caller runs, if a look-up can be waited for there. Asks nothing that would set up hubs in a
     * program that only has this library on its class path.
     */
    private static @Nullable Loop hub() {
        if (!Access.granted() || !NameCache.reachable()) {
            return null;
        }
        Loop loop = Loop.here();
        return loop == null || loop.closed() ? null : loop;
    }

    private Object get(Loop loop, String key, String what, Callable<?> lookUp) throws UnknownHostException {
        WaitQueue.Node node = new WaitQueue.Node(new Waiter("the look-up of " + what));
        long now = clock.getAsLong();
        Flight started = null;
        Flight flight = null;
        table.enter();
        Answer answer = table.answers.get(key);
        if (answer != null && !answer.forEver && now - answer.until >= 0) {
            table.answers.remove(key);
            answer = null;
        }
        if (answer == null) {
            flight = table.flights.get(key);
            if (flight == null) {
                started = new Flight(table);
                flight = started;
                table.flights.put(key, flight);
            }
            flight.waiting.add(node);
        }
        table.leave();
        if (flight == null) {
            return result(Objects.requireNonNull(answer), what);
        }
        if (started != null) {
            Flight mine = started;
            try {
                workers.submit(() -> land(key, mine, run(lookUp)));
            } catch (Throwable t) { // no thread to be had: those who have joined meanwhile must hear of it too
                land(key, mine, new Answer(null, t, false, 0));
            }
        }
        await(loop, flight, node);
        return result(Objects.requireNonNull(flight.answer), what);
    }

    private void await(Loop loop, Flight flight, WaitQueue.Node node) {
        boolean served = false;
        loop.promise();
        try {
            served = Objects.requireNonNull(node.waiter()).await(-1);
        } catch (InterruptedException e) {
            GreenletExit exit = new GreenletExit(e.getMessage() == null ? "interrupted" : e.getMessage());
            exit.initCause(e);
            throw exit;
        } finally {
            loop.promiseKept();
            if (!served) {
                table.enter();
                flight.waiting.remove(node);
                table.leave();
            }
        }
    }

    /** On a worker. */
    private Answer run(Callable<?> lookUp) {
        Object value = null;
        Throwable failure = null;
        try {
            value = lookUp.call();
        } catch (Throwable t) { // thrown on in the greenlets that wait for it
            failure = t;
        }
        int ttl = failure == null ? policy.ttl() : failure instanceof UnknownHostException ? policy.negativeTtl() : 0;
        return new Answer(value, failure, ttl < 0, clock.getAsLong() + ttl * 1_000_000_000L);
    }

    /** Gives the answer to all who wait for it, and keeps it if it may be kept. */
    private void land(String key, Flight flight, Answer answer) {
        boolean keep = answer.forEver || answer.until - clock.getAsLong() > 0;
        table.enter();
        flight.answer = answer;
        table.flights.remove(key);
        if (keep && policy.size() > 0) {
            table.answers.put(key, answer);
            if (table.answers.size() > policy.size()) {
                Iterator<String> eldest = table.answers.keySet().iterator();
                eldest.next();
                eldest.remove();
            }
        }
        flight.waiting.claimAll(null);
        table.leave();
    }

    /** A new exception for each who waited: one that several throw would have the stack of one of them. */
    private static Object result(Answer answer, String what) throws UnknownHostException {
        Throwable failure = answer.failure;
        if (failure == null) {
            return Objects.requireNonNull(answer.value);
        }
        if (failure instanceof RuntimeException unexpected) {
            throw unexpected;
        }
        UnknownHostException unknown =
                new UnknownHostException(failure.getMessage() == null ? what : failure.getMessage());
        unknown.initCause(failure);
        throw unknown;
    }

    /** How many answers are kept. */
    int kept() {
        table.enter();
        int kept = table.answers.size();
        table.leave();
        return kept;
    }

    /** How many look-ups go on. */
    int underWay() {
        table.enter();
        int flights = table.flights.size();
        table.leave();
        return flights;
    }

    /** For tests: has another resolver do the look-ups, and forgets what is known. Returns the one that did them before. */
    InetAddressResolver replaceBuiltin(InetAddressResolver other) {
        InetAddressResolver before = builtin;
        builtin = other;
        table.enter();
        table.answers.clear();
        table.leave();
        return before;
    }
}
