import dev.loomlet.coroutine.Generator;

/**
 * Counts twice, one loop after the other, and then with a switch to a generator at each step: switching without a wait to
 * hide only costs time.
 */
class YieldLoops {
    private static long sum;

    static void count(int times) {
        for (int i = 0; i < times; i++) {
            sum += i;
        }
    }

    static void countAndSwitch(int times) {
        Generator<Integer> other = Generator.of(out -> {
            while (true) {
                out.yield(0);
            }
        });
        for (int i = 0; i < times; i++) {
            sum += i;
            sum += other.next();
        }
    }

    public static void main(String[] args) {
        int times = args.length > 0 ? Integer.parseInt(args[0]) : 10_000_000;

        long start = System.nanoTime();
        count(times);
        count(times);
        System.out.printf("serial:   %.3f s%n", (System.nanoTime() - start) / 1e9);

        start = System.nanoTime();
        countAndSwitch(times);
        System.out.printf("switched: %.3f s%n", (System.nanoTime() - start) / 1e9);
        System.out.println("sum " + sum);
    }
}
