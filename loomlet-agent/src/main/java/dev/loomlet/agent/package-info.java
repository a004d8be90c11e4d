/** The Java agent: what makes an existing program cooperative as its classes load. */
@NullMarked
package dev.loomlet.agent;

import org.jspecify.annotations.NullMarked;
