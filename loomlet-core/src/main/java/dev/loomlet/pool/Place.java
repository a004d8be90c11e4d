package dev.loomlet.pool;

import dev.loomlet.internal.loop.Owned;
import java.util.List;

/** What somebody waits for who wants into a full pool: its members owe it. */
record Place(Pool pool) implements Owned {
    @Override
    public List<?> owners() {
        return pool.members();
    }

    @Override
    public String owned() {
        return "taken by";
    }

    @Override
    public String toString() {
        return "a place in the " + pool;
    }
}
