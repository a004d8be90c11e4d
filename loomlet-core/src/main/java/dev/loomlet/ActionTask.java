package dev.loomlet;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** An {@link Action} as a {@link Callable}. */
record ActionTask(Action action) implements Callable<Void> {
    @Override
    @SuppressWarnings("NullAway") // there is no other Void
    public @Nullable Void call() throws Exception {
        action.run();
        return null;
    }
}
