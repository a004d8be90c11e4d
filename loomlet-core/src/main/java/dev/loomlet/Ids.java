package dev.loomlet;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Small numbers for the greenlets of a hub, given out again after use, smallest first come; with the names made of them,
 * so that in the long run no spawn makes a string. On the loop only.
 */
final class Ids {
    private int[] free = new int[16];
    private int freed;
    private int used;
    private @Nullable String[] names = new String[16];

    int take() {
        return freed > 0 ? free[--freed] : used++;
    }

    void giveBack(int id) {
        if (freed == free.length) {
            free = Arrays.copyOf(free, freed * 2);
        }
        free[freed++] = id;
    }

    String name(int id) {
        if (id >= names.length) {
            names = Arrays.copyOf(names, Math.max(id + 1, names.length * 2));
        }
        String name = names[id];
        if (name == null) {
            name = "greenlet-" + id;
            names[id] = name;
        }
        return name;
    }
}
