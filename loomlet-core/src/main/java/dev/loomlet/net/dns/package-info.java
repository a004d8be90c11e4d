/** Look-ups of names that let other greenlets run. Works by itself: whoever calls {@code InetAddress} uses it. */
@org.jspecify.annotations.NullMarked
package dev.loomlet.net.dns;
