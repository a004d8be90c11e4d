package dev.loomlet.internal.loop;

import org.jspecify.annotations.Nullable;

/** The inside of something that becomes ready and that waits for many things can watch. */
public abstract class Watchable extends Guard {
    /** Told once, on the thread that makes it ready: short, never user code, and it must not enter the same guard. */
    public abstract static class Watcher extends WaitQueue.Node {
        /** For the watchable's own use. */
        public @Nullable Object link;

        protected Watcher() {
            super(null);
        }

        @Override
        protected final boolean claim() {
            return true;
        }

        @Override
        protected final void wake() {
            told();
        }

        public abstract void told();
    }

    /** Whether it is ready now. Enters no guard. */
    public abstract boolean isReady();

    /** Adds a watcher; false if it is ready already, and the watcher is then not told. */
    public abstract boolean watch(Watcher watcher);

    /** Takes it back; harmless if it was told. */
    public abstract void unwatch(Watcher watcher);
}
