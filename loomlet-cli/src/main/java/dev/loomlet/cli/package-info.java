/** The {@code loomlet} command: one class for each of its subcommands. */
@NullMarked
package dev.loomlet.cli;

import org.jspecify.annotations.NullMarked;
