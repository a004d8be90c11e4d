package dev.loomlet.acceptance.peers;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** What a peer on real threads answers: "upper word" gives the word in upper case, "slow millis" takes so long. */
public final class Answers {
    private final AtomicInteger inside = new AtomicInteger();

    /** Answers, in the calling thread. */
    public String to(String question) {
        String[] words = question.split(" ", 2);
        if (words[0].equals("upper")) {
            return words[1].toUpperCase(Locale.ROOT);
        }
        inside.incrementAndGet();
        try {
            Thread.sleep(Long.parseLong(words[1]));
            return "at last";
        } catch (InterruptedException e) {
            return "stopped"; // the client is gone
        } finally {
            inside.decrementAndGet();
        }
    }

    /** How many slow questions it is at. */
    public int inside() {
        return inside.get();
    }
}
