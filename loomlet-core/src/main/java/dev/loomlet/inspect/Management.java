package dev.loomlet.inspect;

import dev.loomlet.Hub;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.ObjectName;

/** Puts the hubs of this process on its platform MBean server. */
public final class Management {
    /** The name of the {@link HubsMXBean}. */
    public static final String NAME = "dev.loomlet:type=Hubs";

    private Management() {}

    /** Registers the {@link HubsMXBean} now; twice is harmless. */
    public static void register() {
        try {
            ManagementFactory.getPlatformMBeanServer().registerMBean(new Hubs(), new ObjectName(NAME));
        } catch (InstanceAlreadyExistsException e) {
            return; // the process has it already
        } catch (JMException e) {
            throw new IllegalStateException("cannot register " + NAME, e);
        }
    }

    private static final class Hubs implements HubsMXBean {
        @Override
        public List<String> getNames() {
            return Hub.all().stream().map(Hub::name).sorted().toList();
        }

        @Override
        public Map<String, Integer> getLiveGreenlets() {
            return byName(Hub::liveGreenlets);
        }

        @Override
        public Map<String, Long> getSwitches() {
            return byName(Hub::switches);
        }

        @Override
        public Map<String, Long> getStartedGreenlets() {
            return byName(Hub::startedGreenlets);
        }

        @Override
        public Map<String, Integer> getPeakGreenlets() {
            return byName(Hub::peakGreenlets);
        }

        @Override
        public Map<String, Long> getTurns() {
            return byName(Hub::turns);
        }

        @Override
        public Map<String, Integer> getTimers() {
            return byName(Hub::timers);
        }

        @Override
        public Map<String, Integer> getWatchedDescriptors() {
            return byName(Hub::watchedDescriptors);
        }

        @Override
        public Map<String, Long> getBlockedMillis() {
            return byName(each -> each.blocked().toMillis());
        }

        private static <T> Map<String, T> byName(Function<Hub, T> value) {
            Map<String, T> all = new TreeMap<>();
            for (Hub each : Hub.all()) {
                all.put(each.name(), value.apply(each));
            }
            return all;
        }

        @Override
        public String report() {
            return RunReport.of();
        }
    }
}
