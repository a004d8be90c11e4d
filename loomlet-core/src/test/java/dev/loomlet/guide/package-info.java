/** The snippets of the guide, compiled and run. */
@NullMarked
package dev.loomlet.guide;

import org.jspecify.annotations.NullMarked;
