/** Tests of coroutines and generators. */
@NullMarked
package dev.loomlet.coroutine;

import org.jspecify.annotations.NullMarked;
