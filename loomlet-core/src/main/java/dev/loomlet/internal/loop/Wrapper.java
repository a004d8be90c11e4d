package dev.loomlet.internal.loop;

/** A task that only leads to another one: its spawn site is that of the other. */
public interface Wrapper {
    /** The task, function or other lambda that the program wrote. */
    Object wrapped();
}
