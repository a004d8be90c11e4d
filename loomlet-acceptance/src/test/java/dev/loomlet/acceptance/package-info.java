/** The harness: what is proved of every library. */
@NullMarked
package dev.loomlet.acceptance;

import org.jspecify.annotations.NullMarked;
