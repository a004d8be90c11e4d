package dev.loomlet.pool;

import dev.loomlet.internal.loop.Wrapper;
import java.util.concurrent.Callable;

/** A function and what it is to be applied to. */
record MapTask<A, R>(Mapper<? super A, ? extends R> function, A input) implements Callable<R>, Wrapper {
    @Override
    public R call() throws Exception {
        return function.apply(input);
    }

    @Override
    public Object wrapped() {
        return function instanceof Wrapper wrapper ? wrapper.wrapped() : function;
    }
}
