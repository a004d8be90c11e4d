/** What TLS costs a server. */
@NullMarked
package dev.loomlet.bench.tls;

import org.jspecify.annotations.NullMarked;
