/** The guide's chapter on HTTP, compiled and run. */
@NullMarked
package dev.loomlet.http.guide;

import org.jspecify.annotations.NullMarked;
