package dev.loomlet.net.dns;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver.LookupPolicy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The hosts file, read again within a second after it has changed. Any thread. */
final class HostsFile {
    private static final long LOOK_AGAIN = 1_000_000_000L;

    private final Optional<Path> path;
    private final LongSupplier clock;
    private volatile Content content = Content.NONE;

    /** What was in it at one time. Immutable; two threads that read it at the same time do it twice, and that is all. */
    private record Content(Map<String, List<byte[]>> addresses, Map<String, String> names, @Nullable FileTime changed,
            long size, long lookedAt, boolean read) {
        static final Content NONE = new Content(Map.of(), Map.of(), null, -1, 0, false);
    }

    HostsFile(Optional<Path> path, LongSupplier clock) {
        this.path = path;
        this.clock = clock;
    }

    /** Its addresses for this name in the order asked for; {@code localhost} has some in any case. Empty if unknown. */
    List<InetAddress> addresses(String host, LookupPolicy policy) throws UnknownHostException {
        int flags = policy.characteristics();
        List<InetAddress> found = new ArrayList<>();
        for (byte[] each : content().addresses.getOrDefault(host.toLowerCase(Locale.ROOT), List.of())) {
            if ((flags & (each.length == 4 ? LookupPolicy.IPV4 : LookupPolicy.IPV6)) != 0) {
                found.add(InetAddress.getByAddress(host, each));
            }
        }
        if (found.isEmpty() && host.equalsIgnoreCase("localhost")) {
            byte[] loopback = (flags & LookupPolicy.IPV4) != 0 ? new byte[] {127, 0, 0, 1}
                    : new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
            found.add(InetAddress.getByAddress(host, loopback));
        }
        if ((flags & LookupPolicy.IPV4_FIRST) != 0) {
            found.sort((a, b) -> Boolean.compare(b instanceof Inet4Address, a instanceof Inet4Address));
        } else if ((flags & LookupPolicy.IPV6_FIRST) != 0) {
            found.sort((a, b) -> Boolean.compare(b instanceof Inet6Address, a instanceof Inet6Address));
        }
        return found;
    }

    /** The first name it has for this address. */
    Optional<String> name(byte[] address) {
        return Optional.ofNullable(content().names.get(HexFormat.of().formatHex(address)));
    }

    private Content content() {
        Content known = content;
        long now = clock.getAsLong();
        if (path.isEmpty() || (known.read && now - known.lookedAt < LOOK_AGAIN)) {
            return known;
        }
        Content fresh = look(path.get(), known, now);
        content = fresh;
        return fresh;
    }

    private static Content look(Path path, Content known, long now) {
        try {
            FileTime changed = Files.getLastModifiedTime(path);
            long size = Files.size(path);
            if (changed.equals(known.changed) && size == known.size) {
                return new Content(known.addresses, known.names, changed, size, now, true);
            }
            Map<String, List<byte[]>> addresses = new LinkedHashMap<>();
            Map<String, String> names = new LinkedHashMap<>();
            for (String line : Files.readString(path, StandardCharsets.ISO_8859_1).lines().toList()) {
                read(line, addresses, names);
            }
            return new Content(addresses, names, changed, size, now, true);
        } catch (IOException e) {
            // A system without the file, or one that keeps it from us: then the built-in resolver has the say alone.
            return new Content(Map.of(), Map.of(), null, -1, now, true);
        }
    }

    private static void read(String line, Map<String, List<byte[]>> addresses, Map<String, String> names) {
        int comment = line.indexOf('#');
        String[] words = (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+");
        if (words.length < 2) {
            return;
        }
        byte[] address;
        try {
            address = InetAddress.ofLiteral(words[0]).getAddress();
        } catch (IllegalArgumentException e) {
            return; // not an address: the system's own resolver skips such lines as well
        }
        names.putIfAbsent(HexFormat.of().formatHex(address), words[1]);
        for (int i = 1; i < words.length; i++) {
            addresses.computeIfAbsent(words[i].toLowerCase(Locale.ROOT), name -> new ArrayList<>()).add(address);
        }
    }
}
