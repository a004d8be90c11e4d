/** Clients, whose calls are greenlets; their peers run on real threads or in a process of their own. */
@NullMarked
package dev.loomlet.acceptance.clients;

import org.jspecify.annotations.NullMarked;
