package dev.loomlet.acceptance;

import java.time.Duration;

/**
 * Twenty slow calls at the same time.
 *
 * @param elapsed how long they took in all
 * @param gap the longest time in which another greenlet did not run meanwhile
 */
record Round(Duration elapsed, Duration gap) {
    boolean passes() {
        return elapsed.compareTo(OnOneHub.LATENCY.multipliedBy(3)) < 0 && gap.compareTo(OnOneHub.LONGEST_GAP) <= 0;
    }

    Round betterOf(Round other) {
        if (passes() != other.passes()) {
            return passes() ? this : other;
        }
        return gap.compareTo(other.gap) <= 0 ? this : other;
    }

    @Override
    public String toString() {
        return "20 calls of " + OnOneHub.LATENCY.toMillis() + " ms took " + elapsed.toMillis()
                + " ms and another greenlet did not run for " + gap.toMillis() + " ms";
    }
}
