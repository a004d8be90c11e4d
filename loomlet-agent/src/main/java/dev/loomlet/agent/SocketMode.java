package dev.loomlet.agent;

/** What is under a program's {@link java.net.Socket}s. */
public enum SocketMode {
    /** Loomlet's own where it can be, see {@link dev.loomlet.net.FastSockets}; else the JDK's. */
    AUTO,
    /** Loomlet's own; if that cannot be, the program runs on the JDK's, and a line on standard error says why. */
    FAST,
    /** The JDK's. */
    JDK
}
