package dev.loomlet.agent;

/** Where greenlets read and write regular files. */
public enum FileMode {
    /** On the hub: quickest as long as the system has the data in memory; a slow disk holds the hub up. */
    INLINE,
    /** On threads of the hub's pool. */
    POOL
}
