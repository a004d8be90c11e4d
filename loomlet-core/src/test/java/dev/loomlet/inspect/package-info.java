@org.jspecify.annotations.NullMarked
package dev.loomlet.inspect;
