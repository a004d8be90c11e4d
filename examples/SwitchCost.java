import dev.loomlet.coroutine.Coroutine;

/** Two sums, one after the other, and then with a switch to the other one at each step. */
class SwitchCost {
    static Coroutine<Object> adding;
    static Coroutine<Object> multiplying;
    static long sum;
    static long product;

    static void add(int times, boolean switching) {
        long result = 1;
        for (int i = 0; i < times; i++) {
            result += i;
            if (switching) {
                multiplying.switchTo();
            }
        }
        sum = result;
    }

    static void multiply(int times, boolean switching) {
        long result = 1;
        for (int i = 0; i < times; i++) {
            result *= i | 1;
            if (switching) {
                adding.switchTo();
            }
        }
        product = result;
    }

    public static void main(String[] args) {
        int times = args.length > 0 ? Integer.parseInt(args[0]) : 10_000_000;

        long start = System.nanoTime();
        add(times, false);
        multiply(times, false);
        System.out.printf("serial:   %.3f s%n", (System.nanoTime() - start) / 1e9);
        long expected = sum;

        adding = Coroutine.of(() -> add(times, true));
        multiplying = Coroutine.of(() -> multiply(times, true));
        start = System.nanoTime();
        adding.switchTo();
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("switched: %.3f s, %.0f ns a switch%n", seconds, seconds * 1e9 / (2.0 * times));
        System.out.println(sum == expected ? "same sum" : "another sum");
    }
}
