/** Tests of the command line. */
@NullMarked
package dev.loomlet.cli;

import org.jspecify.annotations.NullMarked;
