/** What the tests of all modules share. */
@NullMarked
package dev.loomlet.testing;

import org.jspecify.annotations.NullMarked;
