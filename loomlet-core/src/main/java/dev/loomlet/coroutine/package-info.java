/**
 * Coroutines that switch by hand, and generators: usable on any thread, with or without a hub.
 *
 * <p>{@link dev.loomlet.coroutine.Coroutine} is greenlet's {@code greenlet}, {@link dev.loomlet.coroutine.Generator} is
 * Python's {@code yield}.
 */
package dev.loomlet.coroutine;
