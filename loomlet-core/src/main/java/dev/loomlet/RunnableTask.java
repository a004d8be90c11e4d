package dev.loomlet;

import dev.loomlet.internal.loop.Wrapper;

/** A {@link Runnable} as an {@link Action}. */
record RunnableTask(Runnable runnable) implements Action, Wrapper {
    @Override
    public void run() {
        runnable.run();
    }

    @Override
    public Object wrapped() {
        return runnable;
    }
}
