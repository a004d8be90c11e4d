package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ServeHttpCommandTest {
    private static ProcessBuilder loomlet(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/java.lang=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
                // The first handshake of a JVM takes long on a machine with other work, and is reported then.
                "-Dloomlet.stall=10000", "-cp", System.getProperty("java.class.path"), Main.class.getName()));
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
                ProcessSignals.send(process, "INT");
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

    private static Path certificate(Path folder, String name, String algorithm) throws Exception {
        Path store = folder.resolve(name + ".p12");
        assertThat(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", "key", "-keyalg", algorithm, "-dname",
                "CN=" + name,
                "-validity", "3650", "-keystore", store.toString(), "-storepass", "secret").inheritIO().start()
                .waitFor())
                .isZero();
        return store;
    }

    /** The name in the certificate of who answers, and the answer. */
    private static String getSecurely(int port) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[0], new TrustManager[] {new X509ExtendedTrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {}

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        }}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.getOutputStream().write("GET /file.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSubjectX500Principal().getName()
                    + answer.substring(answer.indexOf("\r\n\r\n"));
        }
    }

    @Test
    void servesAFolderOverTlsWithAKeyStore(@TempDir Path folder) throws Exception {
        Path store = certificate(folder, "store", "EC");
        Path site = Files.createDirectory(folder.resolve("site"));
        Files.writeString(site.resolve("file.txt"), "in the folder");
        Path password = Files.writeString(folder.resolve("password"), "secret\n");
        assertThat(serving(port -> assertThat(getSecurely(port)).isEqualTo("CN=store\r\n\r\nin the folder"), "serve",
                "http", "--dir", site.toString(), "--port", "0", "--keystore", store.toString(), "--password-file",
                password.toString())).isEmpty();
    }

    private static void writePem(Path store, Path certificate, Path key) throws Exception {
        KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        Files.writeString(certificate, "-----BEGIN CERTIFICATE-----\n"
                + lines.encodeToString(keys.getCertificate("key").getEncoded()) + "\n-----END CERTIFICATE-----\n");
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\n"
                + lines.encodeToString(keys.getKey("key", "secret".toCharArray()).getEncoded())
                + "\n-----END PRIVATE KEY-----\n");
    }

    @Test
    void servesAFolderOverTlsWithPemFilesAndReadsThemAgain(@TempDir Path folder) throws Exception {
        Path certificate = folder.resolve("certificate.pem");
        Path key = folder.resolve("key.pem");
        writePem(certificate(folder, "old", "RSA"), certificate, key);
        Path young = certificate(folder, "young", "EC");
        Path site = Files.createDirectory(folder.resolve("site"));
        Files.writeString(site.resolve("file.txt"), "in the folder");
        Process process = loomlet("serve", "http", "--dir", site.toString(), "--port", "0", "--tls",
                certificate + "," + key).start();
        try (BufferedReader out = process.inputReader()) {
            int port = Integer.parseInt(out.readLine().substring("LISTENING ".length()));
            assertThat(getSecurely(port)).startsWith("CN=old\r\n");
            writePem(young, certificate, key);
            ProcessSignals.send(process, "HUP");
            String answer;
            do { // the signal takes its time, and the test has a limit
                answer = getSecurely(port);
            } while (answer.startsWith("CN=old"));
            assertThat(answer).isEqualTo("CN=young\r\n\r\nin the folder");
            Files.writeString(key, "nothing");
            ProcessSignals.send(process, "HUP");
            assertThat(out.readLine()).startsWith("loomlet: the certificate stays as it was: ")
                    .contains("no private key");
            assertThat(getSecurely(port)).startsWith("CN=young\r\n");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void mistakesWithCertificatesAreToldInALine(@TempDir Path folder) throws Exception {
        Path store = certificate(folder, "store", "EC");
        record Case(String message, List<String> options) {
            Case(String message, String... options) {
                this(message, List.of(options));
            }
        }
        for (Case each : List.of(new Case("there is no file none", "--tls", "none,none"),
                new Case("--tls takes two files", "--tls", "none"),
                new Case("no HTTPS with that: ", "--keystore", store.toString()),
                new Case("one of --tls and --keystore is enough", "--tls", "a,b", "--keystore", store.toString()),
                new Case("--password-file is for --keystore", "--password-file", "x"))) {
            List<String> arguments = new ArrayList<>(List.of("serve", "http", "--port", "0"));
            arguments.addAll(each.options);
            Process process = loomlet(arguments.toArray(String[]::new)).start();
            try (BufferedReader out = process.inputReader()) {
                assertThat(out.readAllAsString()).startsWith("loomlet serve http: " + each.message).hasLineCount(1);
                assertThat(process.waitFor()).isEqualTo(2);
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
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
