package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServeUpperCommandTest {

    private static ProcessBuilder loomlet(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                "-Dloomlet.stall=0", // what a busy machine says of stalls is not the command's
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    private static String ask(int port, String question) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(question.getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readNBytes(question.length()), StandardCharsets.UTF_8);
        }
    }

    private static void servesUntil(String signal, int exitCode) throws Exception {
        Process process = loomlet("serve", "upper", "--port", "0").start();
        try (BufferedReader out = process.inputReader()) {
            String first = out.readLine();
            assertThat(first).matches("LISTENING \\d+");
            int port = Integer.parseInt(first.substring("LISTENING ".length()));
            assertThat(ask(port, "Hello 1, 2!\n")).isEqualTo("HELLO 1, 2!\n");
            try (Socket idle = new Socket(InetAddress.getLoopbackAddress(), port)) {
                ProcessSignals.send(process, signal);
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(out.lines()).as("what it says at its end").isEmpty();
                assertThat(process.exitValue()).isEqualTo(exitCode);
                assertThat(idle.getInputStream().read()).as("the end of an open connection").isEqualTo(-1);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void servesUntilCtrlC() throws Exception {
        servesUntil("INT", 130);
    }

    @Test
    void servesUntilItIsTerminated() throws Exception {
        servesUntil("TERM", 143);
    }

    @Test
    void aPortInUseIsOneClearLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process process = loomlet("serve", "upper", "--port", "" + taken.getLocalPort()).start();
            try (BufferedReader out = process.inputReader()) {
                assertThat(out.readAllAsString()).isEqualTo("loomlet: cannot listen at 127.0.0.1:"
                        + taken.getLocalPort() + ": Address already in use\n");
                assertThat(process.waitFor()).isEqualTo(1);
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void aPortThatIsNoneIsAMistakeInTheCommandLine() throws Exception {
        Process process = loomlet("serve", "upper", "--port", "70000").start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readAllAsString())
                    .startsWith("loomlet serve upper: --port must be a whole number from 0 to 65535, not \"70000\"")
                    .hasLineCount(1);
            assertThat(process.waitFor()).isEqualTo(2);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
