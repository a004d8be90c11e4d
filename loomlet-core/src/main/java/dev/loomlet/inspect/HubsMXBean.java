package dev.loomlet.inspect;

import java.util.List;
import java.util.Map;

/**
 * The hubs of a process over JMX, as {@code dev.loomlet:type=Hubs}. It is there once a hub has been open for a second, or after
 * {@link Management#register}.
 */
public interface HubsMXBean {
    /** Names of the hubs that are open. */
    List<String> getNames();

    /** How many greenlets are alive, by the name of the hub. */
    Map<String, Integer> getLiveGreenlets();

    /** How many times a greenlet got its turn, by the name of the hub. */
    Map<String, Long> getSwitches();

    /** How many greenlets were started so far, by the name of the hub. */
    Map<String, Long> getStartedGreenlets();

    /** How many greenlets were alive at the same time, at most, by the name of the hub. */
    Map<String, Integer> getPeakGreenlets();

    /** How many rounds the loop has made, by the name of the hub. */
    Map<String, Long> getTurns();

    /** How many timers are armed, by the name of the hub. */
    Map<String, Integer> getTimers();

    /** How many sockets and pipes are waited for, by the name of the hub. */
    Map<String, Integer> getWatchedDescriptors();

    /** Milliseconds in which greenlets did not give way within 10 ms, in sum, by the name of the hub. */
    Map<String, Long> getBlockedMillis();

    /** All greenlets, and what they wait for: {@link RunReport#of()}. */
    String report();
}
