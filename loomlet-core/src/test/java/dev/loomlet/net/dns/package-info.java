@NullUnmarked
package dev.loomlet.net.dns;

import org.jspecify.annotations.NullUnmarked;
