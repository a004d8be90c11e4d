package dev.loomlet.sync;

/** Thrown by {@link Barrier#await}: one of the others will not come, so nobody gets through. */
public class BarrierBroken extends RuntimeException {
    private static final long serialVersionUID = 1;

    BarrierBroken(String message) {
        super(message);
    }
}
