/** The real programs at the other end. */
@NullMarked
package dev.loomlet.acceptance.peers;

import org.jspecify.annotations.NullMarked;
