/** Tests of sockets and servers. */
@NullMarked
package dev.loomlet.net;

import org.jspecify.annotations.NullMarked;
