/** Runs the stress tests of the lock-free protocols, and their broken twins. */
@NullMarked
package dev.loomlet.jcstress;

import org.jspecify.annotations.NullMarked;
