package dev.loomlet.coroutine;

import dev.loomlet.GreenletExit;

/**
 * Thrown at the pending {@code yield} of a generator that is being closed, so that its {@code finally} blocks run. Catch it
 * only to do something before you go. Python's {@code GeneratorExit}.
 */
public final class GeneratorExit extends GreenletExit {
    private static final long serialVersionUID = 1;

    GeneratorExit() {
        super("the generator is being closed");
    }
}
