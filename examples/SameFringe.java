import dev.loomlet.coroutine.Generator;

/** Do two trees of different shape have the same leaves, in order? Walks both only as far as they agree. */
class SameFringe {
    sealed interface Tree {}

    record Leaf(String name) implements Tree {}

    record Fork(Tree left, Tree right) implements Tree {}

    static Tree leaf(String name) {
        return new Leaf(name);
    }

    static Tree fork(Tree left, Tree right) {
        return new Fork(left, right);
    }

    static Generator<String> leaves(Tree tree) {
        return Generator.of(out -> walk(tree, out));
    }

    static void walk(Tree tree, Generator.Out<String> out) {
        switch (tree) {
            case Leaf(String name) -> out.yield(name);
            case Fork(Tree left, Tree right) -> {
                walk(left, out);
                walk(right, out);
            }
        }
    }

    static boolean sameFringe(Tree a, Tree b) {
        try (var as = leaves(a); var bs = leaves(b)) {
            while (as.hasNext() && bs.hasNext()) {
                if (!as.next().equals(bs.next())) {
                    return false;
                }
            }
            return !as.hasNext() && !bs.hasNext();
        }
    }

    public static void main(String[] args) {
        Tree left = fork(fork(leaf("a"), leaf("b")), leaf("c"));
        Tree right = fork(leaf("a"), fork(leaf("b"), leaf("c")));
        Tree other = fork(leaf("a"), fork(leaf("x"), leaf("c")));
        System.out.println("((a b) c) and (a (b c)): " + (sameFringe(left, right) ? "same" : "different"));
        System.out.println("((a b) c) and (a (x c)): " + (sameFringe(left, other) ? "same" : "different"));
    }
}
