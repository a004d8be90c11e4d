package dev.loomlet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** {@link MonitorStress} for as long as {@code -Psoak -Dsoak.seconds} says, under each collector; {@link MonitorTest} is short. */
@EnabledIfSystemProperty(named = "soak.seconds", matches = "\\d+")
class MonitorSoakTest extends OnHub {
    @Test
    @Timeout(value = 10, unit = TimeUnit.HOURS)
    void millionsOfTurnsUnderAllKindsOfMonitors() throws Exception {
        long turns = MonitorStress.run(Long.getLong("soak.seconds", 1));
        System.out.println("monitors: " + turns + " turns");
        assertThat(turns).isGreaterThan(10_000);
    }
}
