/** Servers whose handlers are greenlets, asked by clients on real threads. */
@NullMarked
package dev.loomlet.acceptance.servers;

import org.jspecify.annotations.NullMarked;
