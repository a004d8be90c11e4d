package dev.loomlet.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.loomlet.Hub;
import dev.loomlet.internal.inspect.ManagementService;
import dev.loomlet.internal.loop.Monitoring;
import dev.loomlet.sync.Event;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

class ManagementTest {
    @Test
    void hubsAreShownOverJmx() throws Exception {
        Management.register();
        Management.register();
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        var hubs = JMX.newMXBeanProxy(server, new ObjectName(Management.NAME), HubsMXBean.class);
        try (Hub hub = Hub.start("managed")) {
            hub.spawn("waiting", () -> new Event().await());
            assertThat(hub.spawn(() -> 1).value()).isEqualTo(1);
            assertThat(hubs.getNames()).isEqualTo(List.of("managed"));
            assertThat(hubs.getLiveGreenlets()).isEqualTo(Map.of("managed", hub.liveGreenlets()));
            assertThat(hubs.getSwitches().get("managed")).isPositive();
            assertThat(hubs.getStartedGreenlets()).isEqualTo(Map.of("managed", 2L));
            assertThat(hubs.getPeakGreenlets()).isEqualTo(Map.of("managed", 2));
            assertThat(hubs.getTurns().get("managed")).isPositive();
            assertThat(hubs.getTimers()).isEqualTo(Map.of("managed", 0));
            assertThat(hubs.getWatchedDescriptors()).isEqualTo(Map.of("managed", 0));
            assertThat(hubs.getBlockedMillis()).containsKey("managed");
            assertThat(hubs.report()).contains("Hub managed", "waiting", "waits for Event");
        }
        assertThat(hubs.getNames()).isEmpty();
    }

    @Test
    void theBeanIsFoundAsAService() {
        assertThat(ServiceLoader.load(Monitoring.class)).hasOnlyElementsOfType(ManagementService.class).hasSize(1);
    }
}
