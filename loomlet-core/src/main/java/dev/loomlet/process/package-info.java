/**
 * Child processes that let other greenlets run: {@link dev.loomlet.process.Processes#run} for one that is run to its end,
 * {@link dev.loomlet.process.Child} for one that is talked to.
 */
@org.jspecify.annotations.NullMarked
package dev.loomlet.process;
