package dev.loomlet.cli;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.util.List;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** {@code loomlet tree PID}: shows the greenlets of a running process, through the JVM's own management agent. */
final class TreeCommand extends Command {
    private static final int CANNOT_SEE = 1;

    TreeCommand() {
        super("tree", "PID", "shows the greenlets of a running process: who spawned them, what they wait for");
    }

    @Override
    List<String> details() {
        return List.of("", "The process must be a JVM of the same user, with a hub that has been open for a second.");
    }

    @Override
    int call(Invocation invocation) throws UsageException {
        List<String> arguments = invocation.arguments();
        if (arguments.size() != 1 || !arguments.getFirst().matches("\\d{1,10}")) {
            throw new UsageException("tree takes the number of one process, as jps shows it");
        }
        String pid = arguments.getFirst();
        Terminal terminal = invocation.terminal();
        try {
            terminal.out().print(report(pid));
            terminal.out().flush();
            return 0;
        } catch (InstanceNotFoundException e) {
            terminal.err().println("loomlet: process " + pid + " has no hub, or none that is a second old yet");
        } catch (AttachNotSupportedException | IOException | JMException e) {
            terminal.err().println("loomlet: cannot look into process " + pid + ": " + e.getMessage());
        }
        return CANNOT_SEE;
    }

    @SuppressWarnings("BanJNDI") // the address is that of a process of the same user, from its own JVM
    private static String report(String pid) throws AttachNotSupportedException, IOException, JMException {
        String address;
        VirtualMachine machine = VirtualMachine.attach(pid);
        try {
            address = machine.startLocalManagementAgent();
        } finally {
            machine.detach();
        }
        try (JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(address))) {
            return (String) connector.getMBeanServerConnection()
                    .invoke(new ObjectName("dev.loomlet:type=Hubs"), "report", new Object[0], new String[0]);
        }
    }
}
