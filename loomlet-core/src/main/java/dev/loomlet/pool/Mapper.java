package dev.loomlet.pool;

/** A function that may throw anything: what a pool applies to each input. */
@FunctionalInterface
public interface Mapper<A, R> {
    /** Makes a result of an input. */
    R apply(A input) throws Exception;
}
