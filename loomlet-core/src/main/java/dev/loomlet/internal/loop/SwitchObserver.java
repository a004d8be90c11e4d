package dev.loomlet.internal.loop;

/**
 * Sees every turn of a loop. Called on the bare loop, millions of times a second: ours and short, never code of the program.
 */
public interface SwitchObserver {
    /**
     * A turn begins.
     *
     * @param fiber whose; the loop's home fiber when its own thread goes on
     * @param thrown whether it goes on because something is thrown at it
     */
    void begins(Fiber fiber, boolean thrown);

    /** It gives way, or has ended. */
    void ends(Fiber fiber);
}
