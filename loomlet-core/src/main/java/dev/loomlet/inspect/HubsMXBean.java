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

    /** All greenlets, and what they wait for: {@link RunReport#of()}. */
    String report();
}
