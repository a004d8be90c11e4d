/**
 * An HTTP/1.1 server whose handlers are greenlets: plain blocking code, all on one thread. Start at
 * {@link dev.loomlet.http.HttpServer}.
 */
@NullMarked
package dev.loomlet.http;

import org.jspecify.annotations.NullMarked;
