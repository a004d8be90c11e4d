/** Tests of the HTTP server, with clients that send bytes. */
@NullMarked
package dev.loomlet.http;

import org.jspecify.annotations.NullMarked;
