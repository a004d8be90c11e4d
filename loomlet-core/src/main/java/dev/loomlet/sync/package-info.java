/**
 * What greenlets share: events, results, locks, queues and channels.
 *
 * <p>They have in common:
 * <ul>
 * <li><b>Threads.</b> Every object may be used from any thread and any hub at once. A wait called in a greenlet parks it; on
 * a hub's own thread it runs the hub meanwhile; on any other thread, virtual or not, it blocks that thread.
 * <li><b>Order.</b> First come, first served, without exception: what is released is handed to the one who has waited
 * longest, and nobody who comes later can take it first.
 * <li><b>Kill and timeout.</b> They are thrown at the wait, and nothing is lost by it: either the wait had been served
 * before, then it returns what it got and the kill is thrown at the next wait, or it had not, then what would have been
 * its share goes to the next in line. An interrupt of the waiting thread counts as a kill.
 * <li><b>Durations.</b> Zero or less does not wait: it tries. A wait that finds at once what it wants does not switch to
 * others and throws no kill.
 * </ul>
 */
@NullMarked
package dev.loomlet.sync;

import org.jspecify.annotations.NullMarked;
