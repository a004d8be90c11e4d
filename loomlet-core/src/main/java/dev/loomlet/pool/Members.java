package dev.loomlet.pool;

import dev.loomlet.internal.loop.Owned;
import java.util.List;

/** What somebody waits for who joins a group: its members owe it. */
record Members(Group group) implements Owned {
    @Override
    public List<?> owners() {
        return group.members();
    }

    @Override
    public String owned() {
        return "which are";
    }

    @Override
    public String toString() {
        return "the members of " + group;
    }
}
