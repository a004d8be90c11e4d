/**
 * Greenlets and the hub that runs them: the verbs a program starts with.
 *
 * <p>No method here takes or returns {@code null} unless it says so.
 */
@NullMarked
package dev.loomlet;

import org.jspecify.annotations.NullMarked;
