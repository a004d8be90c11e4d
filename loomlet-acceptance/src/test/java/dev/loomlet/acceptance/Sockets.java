package dev.loomlet.acceptance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** The sockets that this process has open. Files are not looked at: every class that is loaded may open a jar. */
record Sockets(Set<String> names) {
    static {
        // The JDK opens one at the first close of another, and keeps it.
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept()) {
            accepted.getOutputStream().write(1);
            if (client.getInputStream().read() != 1) {
                throw new IOException("lost a byte on the loopback interface");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Sockets open() {
        Set<String> names = new HashSet<>();
        try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path each : descriptors) {
                try {
                    String target = Files.readSymbolicLink(each).toString();
                    if (target.startsWith("socket:")) {
                        names.add(target);
                    }
                } catch (NoSuchFileException closed) {
                    // between the listing and the look at it
                }
            }
        } catch (DirectoryIteratorException e) {
            throw new UncheckedIOException(e.getCause());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Sockets(names);
    }

    Set<String> without(Sockets before) {
        Set<String> more = new HashSet<>(names);
        more.removeAll(before.names);
        return more;
    }

    /** What the kernel knows of these: addresses and states of those that are TCP's or UDP's. */
    static String describe(Set<String> sockets) {
        StringBuilder text = new StringBuilder();
        for (String table : new String[] {"tcp", "tcp6", "udp", "udp6"}) {
            try {
                for (String line : Files.readAllLines(Path.of("/proc/self/net", table))) {
                    String[] fields = line.strip().split("\\s+", -1);
                    if (fields.length > 9 && sockets.contains("socket:[" + fields[9] + "]")) {
                        text.append("\n").append(fields[1]).append(" to ").append(fields[2]).append(" in state ")
                                .append(fields[3]);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return sockets + text.toString();
    }
}
