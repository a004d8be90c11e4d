/** A program as the agent finds them: what is Loomlet's own, by its package, the agent leaves alone. */
@NullMarked
package program;

import org.jspecify.annotations.NullMarked;
