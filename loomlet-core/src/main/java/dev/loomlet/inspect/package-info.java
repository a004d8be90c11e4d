/** Looking into a running program: who is there, what everybody waits for, and what it costs. */
package dev.loomlet.inspect;
