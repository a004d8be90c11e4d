package dev.loomlet.internal.loop;

/** Somebody who wants to know that something has ended. */
public interface End {
    /** Told on whichever thread brings the end about, the bare loop perhaps: be short, and do not wait. */
    void ended();
}
