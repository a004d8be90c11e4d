package dev.loomlet.internal.loop;

/** One descriptor that is registered for its whole life; told of every edge, on the bare loop. */
public abstract class DescriptorHandler {
    private final int descriptor;

    protected DescriptorHandler(int descriptor) {
        this.descriptor = descriptor;
    }

    public final int descriptor() {
        return descriptor;
    }

    /**
     * The descriptor's state changed.
     *
     * @param readable there may be something to read, or the end, or an error
     * @param writable there may be room to write, or an error
     */
    protected abstract void changed(boolean readable, boolean writable);

    /**
     * Said before {@link #changed} when there is more than data: the end, an error, or urgent data. From then on a read
     * that gives less than asked for does not mean that nothing is left, because no further edge announces these.
     */
    protected void special() {}
}
