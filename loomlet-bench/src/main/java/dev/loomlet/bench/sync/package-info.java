/** What waiting for one another costs, beside the JDK's own on virtual threads. */
@NullMarked
package dev.loomlet.bench.sync;

import org.jspecify.annotations.NullMarked;
