package dev.loomlet.acceptance;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is tried.
 *
 * @param kind "client", "server" or "agent", which is a client in a process that the agent is in
 * @param name as people call it
 * @param version of its jar
 * @param peer what it talks to
 * @param remedy what a program has to do; empty if nothing
 */
public record Library(String kind, String name, String version, String peer, String remedy) {
    private static final Pattern VERSION = Pattern.compile("-(\\d[^/]*)\\.jar$");

    /** A client that needs nothing done. */
    public static Library client(String name, Class<?> of, String peer) {
        return new Library("client", name, versionOf(of), peer, "");
    }

    /** A server that needs nothing done. */
    public static Library server(String name, Class<?> of, String peer) {
        return new Library("server", name, versionOf(of), peer, "");
    }

    /** The same with a remedy. */
    public Library with(String newRemedy) {
        return new Library(kind, name, version, peer, newRemedy);
    }

    /** The same with the agent. */
    public Library underAgent() {
        return new Library("agent", name, version, peer, remedy);
    }

    private static String versionOf(Class<?> type) {
        var source = type.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null || type.getModule() == Object.class.getModule()
                || type.getModule().isNamed()) {
            return "JDK " + Runtime.version().feature();
        }
        Matcher matcher = VERSION.matcher(Path.of(java.net.URI.create(source.getLocation().toString())).toString());
        if (!matcher.find()) {
            throw new IllegalStateException("no version in the name of " + source.getLocation());
        }
        return matcher.group(1);
    }
}
