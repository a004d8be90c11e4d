/** Tests of what greenlets share. */
@NullMarked
package dev.loomlet.sync;

import org.jspecify.annotations.NullMarked;
