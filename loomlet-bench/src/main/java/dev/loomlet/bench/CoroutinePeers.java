package dev.loomlet.bench;

import dev.loomlet.coroutine.Coroutine;
import dev.loomlet.coroutine.Generator;

/**
 * The coroutine tier's side of the peers' workload W1: one part a process, printing what the driver of the peers reads.
 *
 * <pre>
 * switch      two coroutines switch to each other, each below its first frame    RESULT ns=... switches=...
 * switch20    the same, each 20 frames deep
 * switch400   the same, each 400 frames deep
 * generator   the next value of a generator
 * </pre>
 */
public final class CoroutinePeers {
    private static Coroutine<Object> ping = Coroutine.main();
    private static Coroutine<Object> pong = Coroutine.main();
    private static long sink;

    private CoroutinePeers() {}

    /** Runs the part named by the first argument. */
    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "switch" -> Measure.pass(rounds -> switching(rounds, 0));
            case "switch20" -> Measure.pass(rounds -> switching(rounds, 20));
            case "switch400" -> Measure.pass(rounds -> switching(rounds, 400));
            case "generator" -> Measure.pass(CoroutinePeers::generating);
            default -> throw new IllegalArgumentException("no part named " + arguments[0]);
        }
    }

    private static void deep(int frames, Runnable work) {
        if (frames == 0) {
            work.run();
        } else {
            deep(frames - 1, work);
            sink++; // no tail call
        }
    }

    private static long switching(long rounds, int frames) {
        Coroutine<Object> main = Coroutine.main();
        ping = Coroutine.of((Object _) -> deep(frames, () -> {
            for (long i = 0; i < rounds; i++) {
                sink++;
                pong.switchTo();
            }
            main.switchTo();
        }));
        pong = Coroutine.of((Object _) -> deep(frames, () -> {
            while (true) {
                sink++;
                ping.switchTo();
            }
        }));
        ping.switchTo();
        return 2 * rounds;
    }

    private static long generating(long rounds) {
        Generator<Integer> endless = Generator.of(out -> {
            while (true) {
                out.yield(1);
            }
        });
        for (long i = 0; i < rounds; i++) {
            sink += endless.next();
        }
        return rounds;
    }
}
