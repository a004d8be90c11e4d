package dev.loomlet.internal.loop;

import org.jspecify.annotations.Nullable;

/**
 * The inside of one case of a {@code select}: something that can be done now, or waited for together with others. It
 * describes and holds no state of a wait, so it can be used again.
 */
public abstract class Alternative {
    /** Stands for a case in a line; being served ends the wait of the whole select. */
    public static final class Place extends WaitQueue.Node {
        final int index;

        Place(Waiter waiter, int index) {
            super(waiter);
            this.index = index;
        }

        @Override
        protected boolean claim() {
            Waiter waiter = waiter();
            return waiter != null && waiter.settle(this);
        }
    }

    /** What has to be held for {@link #attempt}, {@link #join} and {@link #leave}; null if nothing has. */
    public abstract @Nullable Guard guard();

    /** Inside: does it, if that is possible now. Not null if it was done. */
    public abstract @Nullable Object attempt();

    /** Inside: joins the line. */
    public void join(Place place) {}

    /** Inside: leaves the line, if it is still in it. */
    public void leave(Place place) {}

    /** Something that is only watched, and takes nothing. It has no guard to hold. */
    public @Nullable Watchable watched() {
        return null;
    }

    /** How long the select waits at most; negative: it does not say. */
    public long nanos() {
        return -1;
    }

    /**
     * Outside, by the selecting thread when all is done: the result of the case that was selected.
     *
     * @param token what {@link #attempt} gave, or the item of the place that was served; null for a watched or timed one
     */
    public abstract @Nullable Object conclude(@Nullable Object token);
}
