package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ServeHttpCommandTest {
    private static ProcessBuilder loomlet(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    private static String get(int port, String path) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(("GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private interface Use {
        void of(int port) throws Exception;
    }

    /** Starts it, uses it, stops it as Ctrl-C would; what it has said besides. */
    private static String serving(Use use, String... arguments) throws Exception {
        Process process = loomlet(arguments).start();
        try (BufferedReader out = process.inputReader()) {
            String first = out.readLine();
            assertThat(first).matches("LISTENING \\d+");
            int port = Integer.parseInt(first.substring("LISTENING ".length()));
            use.of(port);
            try (Socket idle = new Socket(InetAddress.getLoopbackAddress(), port)) {
                assertThat(
                        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).inheritIO().start().waitFor())
                        .isZero();
                String said = out.lines().collect(Collectors.joining("\n"));
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).isEqualTo(130);
                assertThat(idle.getInputStream().read()).as("the end of an open connection").isEqualTo(-1);
                return said;
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void greetsUntilCtrlC() throws Exception {
        assertThat(serving(port -> assertThat(get(port, "/")).startsWith("HTTP/1.1 200 OK\r\n").contains("\r\nDate: ")
                .contains("\r\nContent-Type: text/plain\r\n").contains("\r\nContent-Length: 11\r\n")
                .endsWith("\r\n\r\nHello World"),
                "serve", "hello", "--port", "0")).isEmpty();
    }

    @Test
    void servesAFolderAndWritesALog(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("file.txt"), "in the folder");
        assertThat(serving(port -> {
            assertThat(get(port, "/file.txt")).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nin the folder");
            assertThat(get(port, "/")).contains("<a href=\"./file.txt\">");
            assertThat(get(port, "/../x")).startsWith("HTTP/1.1 404 ");
        }, "serve", "http", "--dir", folder.toString(), "--port", "0", "--log"))
                .containsPattern("^127.0.0.1 - - \\[.*] \"GET /file.txt HTTP/1.1\" 200 13 \"-\" \"-\"")
                .contains("\"GET /../x HTTP/1.1\" 404");
    }

    @Test
    void aFolderThatIsNoneIsAMistakeInTheCommandLine(@TempDir Path folder) throws Exception {
        Process process = loomlet("serve", "http", "--port", "0", "--dir", folder.resolve("none").toString()).start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readAllAsString()).startsWith("loomlet serve http: --dir FOLDER ").contains(" is no folder")
                    .hasLineCount(1);
            assertThat(process.waitFor()).isEqualTo(2);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
