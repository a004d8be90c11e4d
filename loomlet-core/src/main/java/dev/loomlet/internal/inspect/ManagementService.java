package dev.loomlet.internal.inspect;

import dev.loomlet.inspect.Management;
import dev.loomlet.internal.loop.Monitoring;

/** Shows the hubs over JMX. A public class of a package that is not: that is how the service loader wants it. */
public final class ManagementService implements Monitoring {
    /** For the service loader. */
    public ManagementService() {}

    @Override
    public void begin() {
        Management.register();
    }
}
