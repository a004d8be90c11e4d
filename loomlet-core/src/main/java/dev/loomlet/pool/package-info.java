/**
 * Greenlets in numbers: {@link dev.loomlet.pool.Group} keeps track of them, {@link dev.loomlet.pool.Pool} bounds how many
 * run at once, {@link dev.loomlet.pool.ThreadPool} gives real threads to what must block one.
 *
 * <p>gevent's {@code gevent.pool} and {@code gevent.threadpool}.
 */
package dev.loomlet.pool;
