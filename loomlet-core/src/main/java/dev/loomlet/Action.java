package dev.loomlet;

/** A task without a result that may throw anything: {@link Runnable}, were it invented today. */
@FunctionalInterface
public interface Action {
    /** Does it. */
    void run() throws Exception;
}
