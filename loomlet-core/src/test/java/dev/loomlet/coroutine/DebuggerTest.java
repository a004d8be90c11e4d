package dev.loomlet.coroutine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.StackFrame;
import com.sun.jdi.ThreadReference;
import com.sun.jdi.VMDisconnectedException;
import com.sun.jdi.VirtualMachine;
import com.sun.jdi.connect.Connector;
import com.sun.jdi.connect.ListeningConnector;
import com.sun.jdi.event.BreakpointEvent;
import com.sun.jdi.event.ClassPrepareEvent;
import com.sun.jdi.event.Event;
import com.sun.jdi.event.EventSet;
import com.sun.jdi.event.StepEvent;
import com.sun.jdi.request.EventRequestManager;
import com.sun.jdi.request.StepRequest;
import dev.loomlet.Loomlet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A debugger stops in bodies that run in a greenlet, sees their frames and locals, and steps over a yield and a switch. */
class DebuggerTest {
    private static final int STEPS = 3;

    /** What is debugged. It ends with a body suspended, which must not keep the VM. */
    public static final class Debuggee {
        private Debuggee() {}

        /** Stops at the first line of both bodies. */
        public static void main(String[] arguments) {
            Loomlet.spawn(() -> {
                Generator<Integer> numbers = Generator.of(Debuggee::generatorBody);
                Coroutine<String> coroutine = Coroutine.of(Debuggee::coroutineBody);
                System.out.println("sum " + numbers.stream().mapToInt(Integer::intValue).sum());
                System.out.println(coroutine.<String>switchTo("first") + coroutine.<String>switchTo("second"));
            }).join();
        }

        static void generatorBody(Generator.Out<Integer> out) {
            int own = 7;
            out.yield(own);
            own++;
            out.yield(own);
        }

        static void coroutineBody(String got) {
            String own = got + "!";
            own += Coroutine.main().<String>switchTo(own);
            own += "?";
            Coroutine.main().switchTo(own);
        }
    }

    @Test
    void itStopsInABodySeesItsFramesAndStepsOverAYield() throws Exception {
        assumeTrue(Suspendable.NATIVE);
        ListeningConnector listening = Bootstrap.virtualMachineManager().listeningConnectors().stream()
                .filter(each -> each.transport().name().equals("dt_socket")).findFirst().orElseThrow();
        Map<String, Connector.Argument> arguments = listening.defaultArguments();
        Map.of("localAddress", "127.0.0.1", "port", "0", "timeout", "60000")
                .forEach((name, value) -> Objects.requireNonNull(arguments.get(name)).setValue(value));
        String address = listening.startListening(arguments);
        Path output = Files.createTempFile("debuggee", ".txt");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-agentlib:jdwp=transport=dt_socket,suspend=y,address=127.0.0.1:"
                        + address.substring(address.lastIndexOf(':') + 1),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Debuggee.class.getName()).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        List<String> stops = new ArrayList<>();
        try {
            VirtualMachine debugged = listening.accept(arguments);
            listening.stopListening(arguments);
            debug(debugged, stops);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
            assertThat(Files.readString(output)).contains("sum 15").contains("first!first!second?");
        } finally {
            process.destroyForcibly().waitFor();
            Files.delete(output);
        }
        assertThat(stops).containsExactly("generatorBody +0 {}", "generatorBody +1 {own=7}", "generatorBody +2 {own=7}",
                "generatorBody +3 {own=8}", "coroutineBody +0 {got=\"first\"}",
                "coroutineBody +1 {got=\"first\", own=\"first!\"}",
                "coroutineBody +2 {got=\"first\", own=\"first!second\"}",
                "coroutineBody +3 {got=\"first\", own=\"first!second?\"}");
    }

    private static void debug(VirtualMachine debugged, List<String> stops) throws Exception {
        EventRequestManager requests = debugged.eventRequestManager();
        var loaded = requests.createClassPrepareRequest();
        loaded.addClassFilter(Debuggee.class.getName());
        loaded.enable();
        try {
            while (true) {
                EventSet events = debugged.eventQueue().remove(60_000);
                if (events == null) {
                    throw new AssertionError("nothing happened any more after " + stops);
                }
                for (Event each : events) {
                    if (each instanceof ClassPrepareEvent prepared) {
                        for (String body : List.of("generatorBody", "coroutineBody")) {
                            requests.createBreakpointRequest(
                                    prepared.referenceType().methodsByName(body).getFirst().location()).enable();
                        }
                    } else if (each instanceof BreakpointEvent hit) {
                        stops.add(describe(hit.thread()));
                        StepRequest step = requests.createStepRequest(hit.thread(), StepRequest.STEP_LINE,
                                StepRequest.STEP_OVER);
                        step.putProperty("left", STEPS);
                        step.enable();
                    } else if (each instanceof StepEvent stepped) {
                        stops.add(describe(stepped.thread()));
                        int left = (int) stepped.request().getProperty("left") - 1;
                        stepped.request().putProperty("left", left);
                        if (left == 0) {
                            requests.deleteEventRequest(stepped.request());
                        }
                    }
                }
                events.resume();
            }
        } catch (VMDisconnectedException e) {
            // it has ended, which is what the loop waits for
        }
    }

    /** Method, line and locals of the innermost frame, if those around it are as they should be. */
    private static String describe(ThreadReference thread) throws Exception {
        assertThat(thread.isVirtual()).isTrue();
        assertThat(thread.frames()).extracting(frame -> frame.location().declaringType().name())
                .anyMatch(name -> name.endsWith("$SuspendableBody"));
        StackFrame top = thread.frame(0);
        var method = top.location().method();
        var locals = new ArrayList<String>();
        for (var local : top.visibleVariables()) {
            if (!local.name().equals("out")) {
                locals.add(local.name() + "=" + top.getValue(local));
            }
        }
        locals.sort(null);
        return method.name() + " +" + (top.location().lineNumber() - method.location().lineNumber()) + " {"
                + String.join(", ", locals) + "}";
    }
}
