package dev.loomlet.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;

/** Addresses as people write them, and back. */
final class Addresses {
    private static final int MAX_PORT = 65_535;
    private static final String UNIX = "unix:";

    private Addresses() {}

    /** As {@link #parse}, and {@code unix:/path/of/socket}. */
    static SocketAddress parseAny(String text) throws UnknownHostException {
        return text.startsWith(UNIX) ? UnixDomainSocketAddress.of(text.substring(UNIX.length())) : parse(text);
    }

    /**
     * Reads {@code host:port}, {@code [ipv6]:port}, {@code :port} or {@code port}; without a host it means all addresses
     * of this machine.
     */
    static InetSocketAddress parse(String text) throws UnknownHostException {
        String host = "";
        String port = text;
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            if (end < 0 || end + 1 >= text.length() || text.charAt(end + 1) != ':') {
                throw malformed(text);
            }
            host = text.substring(1, end);
            port = text.substring(end + 2);
        } else {
            int colon = text.lastIndexOf(':');
            if (colon >= 0) {
                host = text.substring(0, colon);
                port = text.substring(colon + 1);
                if (host.indexOf(':') >= 0) {
                    throw malformed(text); // which colon? an IPv6 address needs its brackets
                }
            }
        }
        int number;
        try {
            number = Integer.parseInt(port);
        } catch (NumberFormatException e) {
            throw malformed(text);
        }
        if (number < 0 || number > MAX_PORT) {
            throw new IllegalArgumentException("port " + number + " of \"" + text + "\" is not between 0 and 65535");
        }
        return host.isEmpty() ? new InetSocketAddress(number)
                : new InetSocketAddress(InetAddress.getByName(host), number);
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException("\"" + text + "\" is no address; write host:port, [ipv6]:port or :port");
    }

    /** Numbers only, so that nothing has to be looked up. */
    static String format(SocketAddress address) {
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            String host = inet.getAddress().getHostAddress();
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
        }
        if (address instanceof UnixDomainSocketAddress unix) {
            return UNIX + (unix.getPath().toString().isEmpty() ? "unnamed" : unix.getPath());
        }
        return address.toString();
    }
}
