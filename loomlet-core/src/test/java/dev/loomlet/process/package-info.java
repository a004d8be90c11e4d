@NullUnmarked
package dev.loomlet.process;

import org.jspecify.annotations.NullUnmarked;
