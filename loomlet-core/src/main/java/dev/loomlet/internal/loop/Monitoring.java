package dev.loomlet.internal.loop;

/** Something that makes the hubs visible from outside, found as a service, and begun when a hub has been there for a while. */
public interface Monitoring {
    /** Once, on a thread of its own. */
    void begin();
}
