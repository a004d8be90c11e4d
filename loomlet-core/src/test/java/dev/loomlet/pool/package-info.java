@org.jspecify.annotations.NullMarked
package dev.loomlet.pool;
