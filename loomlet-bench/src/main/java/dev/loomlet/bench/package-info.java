/** Speed measurements, run beside Loomlet's peers. */
@NullMarked
package dev.loomlet.bench;

import org.jspecify.annotations.NullMarked;
