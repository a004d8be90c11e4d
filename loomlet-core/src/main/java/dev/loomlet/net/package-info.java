/** Sockets and servers whose waits switch greenlets. */
@NullMarked
package dev.loomlet.net;

import org.jspecify.annotations.NullMarked;
