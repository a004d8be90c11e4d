/** What the code as a whole has to keep to. */
@NullMarked
package dev.loomlet.architecture;

import org.jspecify.annotations.NullMarked;
