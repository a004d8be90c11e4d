package dev.loomlet.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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
        Optional<String> obstacle = obstacle(Long.parseLong(pid), System.getProperty("user.name"));
        if (obstacle.isPresent()) {
            terminal.err().println("loomlet: cannot look into process " + pid + ": " + obstacle.get());
            return CANNOT_SEE;
        }
        try {
            terminal.out().print(report(pid));
            terminal.out().flush();
            return 0;
        } catch (InstanceNotFoundException e) {
            terminal.err().println("loomlet: process " + pid
                    + " has no hub, or none that is a second old yet, or was started with -Dloomlet.stall=0");
        } catch (AttachNotSupportedException | IOException | JMException e) {
            terminal.err().println("loomlet: cannot look into process " + pid + ": " + e.getMessage());
        }
        return CANNOT_SEE;
    }

    /**
     * Why there is no point in trying, as far as it can be seen from outside. The JVM's own way to find out is a signal that
     * ends most other programs, and its messages speak of socket files.
     */
    static Optional<String> obstacle(long pid, String user) {
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        if (process.isEmpty()) {
            return Optional.of("there is no such process");
        }
        Optional<String> owner = process.get().info().user();
        if (owner.isPresent() && !owner.get().equals(user) && !user.equals("root")) {
            return Optional.of("it belongs to " + owner.get() + " and this is " + user + ". Run loomlet tree as "
                    + owner.get());
        }
        try (Stream<String> mapped = Files.lines(Path.of("/proc", String.valueOf(pid), "maps"), ISO_8859_1)) {
            if (mapped.noneMatch(each -> each.contains("libjvm"))) {
                return Optional.of("it is no JVM");
            }
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty(); // no such file here: then attaching has to tell
        }
        return Optional.empty();
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
