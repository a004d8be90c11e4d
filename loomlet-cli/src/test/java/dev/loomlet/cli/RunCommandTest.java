package dev.loomlet.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs behave as greenlets as they do on threads. */
@Timeout(150)
class RunCommandTest {

    private static final Path EXAMPLES = Path.of("..", "examples").toAbsolutePath().normalize();

    @TempDir static Path folder;

    private static Programs programs;

    @BeforeAll
    static void compile() throws IOException {
        programs = new Programs(folder);
    }

    private static void behavesTheSame(String... program) throws Exception {
        assertThat(programs.onGreenlets(program)).isEqualTo(programs.onThreads(program));
    }

    // --- threads

    @Test
    void threadsAnswerAsThreadsDo() throws Exception {
        behavesTheSame("ThreadApi");
    }

    @Test
    void executorsAndTimers() throws Exception {
        behavesTheSame("Pools");
    }

    @Test
    void synchronizedWaitAndNotify() throws Exception {
        behavesTheSame("ProducerConsumer");
    }

    @Test
    void joinsInARowAndInterruptsInEveryWait() throws Exception {
        behavesTheSame("Joins");
    }

    @Test
    void logsFromAHundredThreads() throws Exception {
        behavesTheSame("Logs");
    }

    @Test
    void waitsInAClassInitialiser() throws Exception {
        behavesTheSame("Initialiser");
    }

    @Test
    void aProgramThatCanNeverGoOnEndsWithAReport() throws Exception {
        var ended = programs.onGreenlets("Stuck");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err()).contains("nothing can ever end this wait", "These wait for one another in a circle",
                "one waits for RLock held by two", "two waits for RLock held by one", "Stuck.both(Stuck.java:8)",
                "one (spawned at Stuck.main(Stuck.java:16))", "two (spawned at Stuck.main(Stuck.java:17))");
    }

    @Test
    void aDeadlockOfMonitorsEndsWithAReport() throws Exception {
        var ended = programs.onGreenlets("Deadlock");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).contains("These wait for one another in a circle",
                "one waits for the monitor of a java.lang.Object@", ", held by two",
                " waits for the end of one, owed by one", "Deadlock.both(Deadlock.java:10)");
    }

    @Test
    void uncaughtErrorsAreHandledAndPrintedAlike() throws Exception {
        behavesTheSame("Uncaught");
    }

    @Test
    void aServerWithTwoHundredClientsTakesOneOsThread() throws Exception {
        var ended = programs.onGreenlets("Server");
        assertThat(ended.out()).isEqualTo("1000 answers\n");
        assertThat(ended.err()).isEqualTo("1 OS threads\n");
    }

    @Test
    void threadsNoneLeavesThemReal() throws Exception {
        var ended = programs.loomlet("run", "--threads", "none", "-cp", programs.classes().toString(), "Server");
        assertThat(ended.out()).isEqualTo("1000 answers\n");
        assertThat(ended.err()).isEqualTo("400 OS threads\n");
    }

    /** A program, and a library in a jar beside it that starts a thread of its own and one of the program's. */
    private static Path programWithALibrary() throws Exception {
        Path sources = Files.createDirectories(folder.resolve("with-library"));
        Path library = Files.writeString(sources.resolve("Library.java"), """
                package library;
                import java.nio.file.Path;
                public class Library {
                    static String osThread() {
                        try {
                            return Path.of("/proc/thread-self").toRealPath().getFileName().toString();
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    }
                    public static String ownThread() throws InterruptedException {
                        String[] seen = new String[1];
                        Thread thread = new Thread(() -> seen[0] = osThread());
                        thread.start();
                        thread.join();
                        return seen[0];
                    }
                    public static String here() { return osThread(); }
                }
                """);
        Path program = Files.writeString(sources.resolve("Program.java"), """
                import library.Library;
                public class Program {
                    public static void main(String[] args) throws Exception {
                        String main = Library.here();
                        String[] seen = new String[1];
                        Thread own = new Thread(() -> seen[0] = Library.here());
                        own.start();
                        own.join();
                        System.out.println("the program's thread: " + (seen[0].equals(main) ? "greenlet" : "real"));
                        System.out.println("the library's thread: "
                                + (Library.ownThread().equals(main) ? "greenlet" : "real"));
                    }
                }
                """);
        Path built = Files.createDirectories(folder.resolve("library-classes"));
        Path classes = Files.createDirectories(folder.resolve("program-classes"));
        var javac = javax.tools.ToolProvider.getSystemJavaCompiler();
        assertThat(javac.run(null, null, null, "-d", built.toString(), library.toString())).isZero();
        assertThat(javac.run(null, null, null, "-cp", built.toString(), "-d", classes.toString(), program.toString()))
                .isZero();
        try (var out = new JarOutputStream(Files.newOutputStream(folder.resolve("library.jar")))) {
            out.putNextEntry(new JarEntry("library/Library.class"));
            Files.copy(built.resolve("library").resolve("Library.class"), out);
        }
        return classes;
    }

    @Test
    void threadsOfLibrariesStayRealUnlessAllAreWanted() throws Exception {
        String path = programWithALibrary() + java.io.File.pathSeparator + folder.resolve("library.jar");
        assertThat(programs.loomlet("run", "-cp", path, "Program").out())
                .isEqualTo("the program's thread: greenlet\nthe library's thread: real\n");
        assertThat(programs.loomlet("run", "--threads", "app", "-cp", path, "Program").out())
                .isEqualTo("the program's thread: greenlet\nthe library's thread: real\n");
        assertThat(programs.loomlet("run", "--threads", "all", "-cp", path, "Program").out())
                .isEqualTo("the program's thread: greenlet\nthe library's thread: greenlet\n");
        assertThat(programs.loomlet("run", "--threads", "none", "-cp", path, "Program").out())
                .isEqualTo("the program's thread: real\nthe library's thread: real\n");
        assertThat(programs.loomlet("run", "--report", "-cp", path, "Program").err())
                .containsPattern("threads of libraries +1, left real: Thread-\\d+; --threads all makes");
    }

    @Test
    void theEndsOfChildProcessesAreNoticed() throws Exception {
        saysTheSame("Children");
    }

    // --- sockets

    /** What a program says about stalls, on standard error, depends on the machine: cryptography takes its time. */
    private static void saysTheSame(String... program) throws Exception {
        var ended = programs.onGreenlets(program);
        assertThat(ended.out()).isEqualTo(programs.onThreads(program).out()).isNotEmpty();
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.err()).doesNotContain("Exception");
    }

    /** On real threads this may hang: it does when the acceptor falls behind, as its greenlet always does. */
    @Test
    void aCrowdOfClientsDoesNotOverflowTheDefaultBacklog() throws Exception {
        assertThat(programs.onGreenlets("Crowd").out()).isEqualTo("closed\n");
        assertThat(programs.onGreenlets("Crowd", "channel").out()).isEqualTo("closed\n");
    }

    @Test
    void socketsBehaveTheSame() throws Exception {
        saysTheSame("Net", "plain");
        saysTheSame("Net", "socks");
    }

    @Test
    void tlsBehavesTheSame() throws Exception {
        Path store = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "server", "-keyalg", "EC", "-dname", "CN=localhost", "-ext",
                "SAN=dns:localhost,ip:127.0.0.1", "-validity", "3650", "-keystore", store.toString(), "-storepass",
                "changeit").inheritIO().start();
        assertThat(keytool.waitFor()).isZero();
        saysTheSame("Net", "tls", store.toString());
    }

    @Test
    void socketsAreLoomletsUnlessTheJdksAreAskedFor() throws Exception {
        for (String each : List.of("--sockets=fast", "--threads=app")) {
            var ended =
                    programs.loomlet("run", each, "--report", "-cp", programs.classes().toString(), "Net", "factory");
            assertThat(ended.out()).isEqualTo("factory already defined\n");
            assertThat(ended.err()).containsPattern("sockets +fast\n");
        }
        var ended = programs.loomlet("run", "--sockets", "jdk", "--report", "-cp", programs.classes().toString(), "Net",
                "factory");
        assertThat(ended.out()).isEqualTo("mine\n");
        assertThat(ended.err()).containsPattern("sockets +the JDK's: as asked for\n");
        ended = programs.withAgent("=sockets=jdk,report", "Net", "factory");
        assertThat(ended.out()).isEqualTo("mine\n");
        assertThat(programs.withAgent("=sockets=fast", "Net", "factory").out()).isEqualTo("factory already defined\n");
        assertThat(programs.loomlet("run", "--sockets", "quick", "Net").exitCode()).isEqualTo(2);
    }

    @Test
    void whereFastSocketsCannotBeTheProgramRunsOnTheJdks() throws Exception {
        var command = programs.command(List.of("-Dloomlet.backend=selector", "-jar", programs.jar().toString(), "run",
                "--sockets", "fast", "-cp", programs.classes().toString(), "Net", "factory"));
        Process process = command.redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readAllAsString())
                    .isEqualTo("loomlet: the program runs on the JDK's sockets: the hub's poller"
                            + " cannot watch descriptors here\nmine\n");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    // --- the end

    @Test
    void endsWithTheLastThreadThatIsNoDaemon() throws Exception {
        behavesTheSame("Exits", "last");
        behavesTheSame("Exits", "daemon");
    }

    @Test
    void keepsTheExitCodeAndRunsShutdownHooks() throws Exception {
        behavesTheSame("Exits", "exit");
        behavesTheSame("Exits", "exit-in-thread");
    }

    @Test
    void ctrlCRunsShutdownHooks() throws Exception {
        Path source = Files.writeString(folder.resolve("Waits.java"), """
                void main() throws InterruptedException {
                    Runtime.getRuntime().addShutdownHook(new Thread(() -> IO.println("hook")));
                    IO.println("waiting");
                    new java.util.concurrent.CountDownLatch(1).await();
                }
                """);
        Process process = programs.command(List.of("-jar", programs.jar().toString(), "run", source.toString()))
                .redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("waiting");
            ProcessSignals.send(process, "INT");
            assertThat(out.readAllAsString()).isEqualTo("hook\n");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    // --- what is run

    @Test
    void argumentsThatLookLikeOptionsArePassedOn() throws Exception {
        Path source = Files.writeString(folder.resolve("Args.java"), """
                class Args {
                    static void main(String... args) {
                        System.out.println(java.util.List.of(args));
                    }
                }
                """);
        var ended = programs.loomlet("run", source.toString(), "--report", "-cp", "--threads=none", "--", "x y", "");
        assertThat(ended).isEqualTo(new Programs.Ended(0, "[--report, -cp, --threads=none, --, x y, ]\n", ""));
    }

    @Test
    void usesSourceFilesBesideIt() throws Exception {
        Path source = folder.resolve("several");
        Files.createDirectories(source.resolve("shop"));
        Files.writeString(source.resolve("shop/Till.java"), """
                package shop;
                public class Till { public static String ring() { return "ding"; } }
                """);
        Path main = Files.writeString(source.resolve("shop/Open.java"), """
                package shop;
                public class Open { void main() { System.out.println(Till.ring()); } }
                """);
        assertThat(programs.loomlet("run", main.toString())).isEqualTo(new Programs.Ended(0, "ding\n", ""));
    }

    private static Path jar(String mainClass) throws IOException {
        Path jar = folder.resolve(mainClass + ".jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        if (!mainClass.isEmpty()) {
            manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, mainClass);
        }
        try (OutputStream file = Files.newOutputStream(jar); var out = new JarOutputStream(file, manifest);
                var classes = Files.list(programs.classes())) {
            for (Path each : classes.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(each.getFileName().toString()));
                Files.copy(each, out);
            }
        }
        return jar;
    }

    @Test
    void runsAJar() throws Exception {
        var ended = programs.loomlet("run", jar("Server").toString());
        assertThat(ended).isEqualTo(new Programs.Ended(0, "1000 answers\n", "1 OS threads\n"));
    }

    @Test
    void whatAJarsManifestAsksForIsGranted() throws Exception {
        Path jar = folder.resolve("asking.jar");
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, "Asking");
        main.putValue("Add-Opens", "java.base/java.text no.such.module/a java.base/no.such.package");
        main.putValue("Add-Exports", "java.base/sun.security.x509 java.base/sun.net.util");
        main.putValue("Launcher-Agent-Class", "Asking");
        try (OutputStream file = Files.newOutputStream(jar); var out = new JarOutputStream(file, manifest)) {
            out.putNextEntry(new JarEntry("Asking.class"));
            Files.copy(programs.classes().resolve("Asking.class"), out);
        }
        var onThreads = programs.java(List.of("-jar", jar.toString()));
        assertThat(onThreads).isEqualTo(new Programs.Ended(0, "main\nagent: 0\nmain\ntrue\nCN=x\n", ""));
        assertThat(programs.loomlet("run", jar.toString())).isEqualTo(onThreads);
        Path otherwiseNamed = Files.move(jar, folder.resolve("asking.war"));
        assertThat(programs.loomlet("run", otherwiseNamed.toString())).isEqualTo(onThreads);
    }

    @Test
    void aLoopThatSaysThatItSpinsGivesWay() throws Exception {
        behavesTheSame("Spins");
    }

    @Test
    void theAgentDoesTheSameWithoutTheLauncher() throws Exception {
        assertThat(programs.withAgent("", "Server"))
                .isEqualTo(new Programs.Ended(0, "1000 answers\n", "1 OS threads\n"));
        assertThat(programs.withAgent("", "Uncaught")).isEqualTo(programs.onThreads("Uncaught"));
        assertThat(programs.withAgent("=threads=none", "Server").err()).isEqualTo("400 OS threads\n");
        assertThat(programs.withAgent("=nonsense", "Server").exitCode()).isEqualTo(2);
    }

    @Test
    void threadsThatAreToldApartStayWhoTheyAre() throws Exception {
        assertThat(programs.onThreads("Identity").out())
                .startsWith("worker 0truetruefalsetruetruefalsetruefalsetrue\n");
        behavesTheSame("Identity");
    }

    @Test
    void theProgramsThreadsAreGreenletsHoweverItsPlaceIsWritten() throws Exception {
        Path odd = Files.createDirectories(folder.resolve("odd place"));
        Path link = Files.createSymbolicLink(odd.resolve("link"), programs.classes());
        Path copy = Files.createDirectory(odd.resolve("copy of it"));
        Path jar = odd.resolve("server.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "Server");
        try (OutputStream out = Files.newOutputStream(jar); var made = new JarOutputStream(out, manifest);
                Stream<Path> all = Files.list(programs.classes())) {
            for (Path each : all.filter(file -> file.getFileName().toString().startsWith("Server")).toList()) {
                Files.copy(each, copy.resolve(each.getFileName().toString()));
                made.putNextEntry(new ZipEntry(each.getFileName().toString()));
                Files.copy(each, made);
            }
        }
        var asGreenlets = new Programs.Ended(0, "1000 answers\n", "1 OS threads\n");
        String here = folder.relativize(odd).toString();
        for (String each : List.of("./classes", "classes/../classes/.", here + "/link", link.toString(),
                copy.toString(),
                here + "/../" + here + "/server.jar")) {
            assertThat(programs.loomlet("run", "-cp", each, "Server")).as(each).isEqualTo(asGreenlets);
        }
        assertThat(programs.loomlet("run", "./" + here + "/server.jar")).isEqualTo(asGreenlets);
        assertThat(programs.java(List.of("-javaagent:" + programs.jar(), "-cp", "./classes", "Server")))
                .isEqualTo(asGreenlets);
    }

    @Test
    void reportsWhatHasHappened() throws Exception {
        var ended = programs.loomlet("run", "--report", "-cp", programs.classes().toString(), "Server");
        assertThat(ended.out()).isEqualTo("1000 answers\n");
        assertThat(ended.err()).contains("OS threads for user code  1: main\n")
                .containsPattern("greenlets +402, at most \\d+ at a time; 402 were the program's threads\n")
                .containsPattern("switches +\\d{4,}\n").containsPattern("hub blocked +\\d+\\.\\d+ s")
                .containsPattern("patched +AbstractQueuedSynchronizer.*Thread").doesNotContain("not patched");
    }

    // --- what cannot be run

    private static void isOneMistake(String message, String... args) throws Exception {
        var ended = programs.loomlet(args);
        assertThat(ended.err()).startsWith(message);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.exitCode()).isEqualTo(2);
    }

    @Test
    void whatCannotBeRunIsExplained() throws Exception {
        isOneMistake("loomlet: there is no file nothing.java\n", "run", "nothing.java");
        isOneMistake("loomlet: there is no class Nothing in classes\n", "run", "-cp", "classes", "Nothing");
        Path empty = Files.writeString(folder.resolve("Empty.java"), "class Empty {}");
        isOneMistake("loomlet: class Empty has no main method\n", "run", empty.toString());
        Path wrong = Files.writeString(folder.resolve("Wrong.java"), "class Wrong { int x = \"\"; }");
        isOneMistake("loomlet: " + wrong + " does not compile:\n" + wrong + ":1: error: incompatible types", "run",
                wrong.toString());
        Path noJar = Files.writeString(folder.resolve("broken.jar"), "no jar");
        isOneMistake("loomlet: " + noJar + " is no jar", "run", noJar.toString());
        isOneMistake("loomlet: " + folder + " is a folder", "run", folder.toString());
        isOneMistake("loomlet run: which program?", "run");
        isOneMistake("loomlet run: --threads must be app, all or none, not \"some\"", "run", "--threads", "some",
                empty.toString());
        isOneMistake("loomlet run: there is no option --nonsense", "run", "--nonsense", empty.toString());
        isOneMistake("loomlet run: which program?", "run", "-cp", "classes");
        Path noMain = jar("");
        isOneMistake("loomlet: " + noMain + " names no Main-Class", "run", noMain.toString());
        isOneMistake("loomlet: ", "nonsense");
    }

    // --- the examples

    private static Programs.Ended example(String name, String... args) throws Exception {
        return programs.loomlet(java.util.stream.Stream.concat(
                java.util.stream.Stream.of("run", EXAMPLES.resolve(name + ".java").toString()),
                java.util.stream.Stream.of(args)).toArray(String[]::new));
    }

    @Test
    void eatAndPlayTakeTurns() throws Exception {
        assertThat(example("EatPlay").out()).isEqualTo("""
                egon eat 1
                egon play 1
                egon play 2
                egon eat 2
                main
                """);
        assertThat(example("EatPlayPatched").out()).isEqualTo("""
                greenlet-0: eat food 1
                greenlet-1: play 1
                greenlet-1: play 2
                greenlet-0: eat food 2
                main
                """);
    }

    @Test
    void theInteractiveClientTalksToTheServer() throws Exception {
        Path typed = Files.writeString(folder.resolve("typed"), "hello\n\nyou there\n");
        Path answers = folder.resolve("answers");
        Process server = programs.command(List.of("-jar", programs.jar().toString(), "run",
                EXAMPLES.resolve("UpperServer.java").toString(), "0")).redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = server.inputReader()) {
            String first = said.readLine();
            assertThat(first).matches("LISTENING \\d+");
            Process client = programs.command(List.of("-jar", programs.jar().toString(), "run",
                    EXAMPLES.resolve("UpperClient.java").toString(), first.substring("LISTENING ".length())))
                    .redirectInput(typed.toFile()).redirectOutput(answers.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try {
                assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(Files.readString(answers)).isEqualTo(">>: HELLO\n>>: >>: YOU THERE\n>>: ");
                assertThat(client.exitValue()).isZero();
            } finally {
                client.destroyForcibly().waitFor();
            }
            assertThat(said.readLine()).contains("msg: hello");
        } finally {
            server.destroyForcibly().waitFor();
        }
    }

    @Test
    void fiveHundredClientsTalkOnOneOsThread() throws Exception {
        assertThat(example("ManyClients").out()).endsWith("500 conversations on 1 OS thread(s)\n");
    }

    @Test
    void theCrawlerFetchesAllPagesInTheTimeOfOne() throws Exception {
        String out = example("Crawler").out();
        assertThat(out.lines().filter(each -> each.contains("bytes received from"))).hasSize(3);
        assertThat(seconds(out, "run time is ")).isBetween(1.0, 2.9);
    }

    @Test
    void asynchronousTasksTakeTheTimeOfOne() throws Exception {
        String out = example("SyncAsync").out();
        String[] parts = out.split("Asynchronous:\n", -1);
        assertThat(seconds(parts[0], "took ")).isGreaterThanOrEqualTo(5.0);
        assertThat(seconds(parts[1], "took ")).isBetween(0.5, 4.0);
    }

    private static double seconds(String text, String before) {
        int begin = text.indexOf(before) + before.length();
        return Double.parseDouble(text.substring(begin, text.indexOf(' ', begin)));
    }
}
