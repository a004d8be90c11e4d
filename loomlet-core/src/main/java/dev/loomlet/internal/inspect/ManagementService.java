package dev.loomlet.internal.inspect;

import dev.loomlet.inspect.Management;
import dev.loomlet.inspect.RunReport;
import dev.loomlet.internal.loop.Monitoring;

/** Shows the hubs over JMX and, if that is asked for, on a signal. A public class of a package that is not: that is how the service loader wants it. */
public final class ManagementService implements Monitoring {
    /** For the service loader. */
    public ManagementService() {}

    @Override
    public void begin() {
        Management.register();
        String signal = System.getProperty("loomlet.report.signal", "");
        if (!signal.isEmpty()) {
            RunReport.onSignal(signal);
        }
    }
}
